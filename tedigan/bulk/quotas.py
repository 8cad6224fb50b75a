"""Prompts by quotas: how many of them say what, met to the prompt and drawn from the seed alone.

    count: 10000
    quotas: {Male: 0.5, Eyeglasses: 0.1}    # share of the prompts in which an attribute holds
    one_of:                                 # of each group exactly one holds
      - [Black_Hair, Blond_Hair, Gray_Hair] # in equal shares
      - {Straight_Hair: 1, Wavy_Hair: 3}    # or by weight
    captions: null                          # a grammar beside this file; null: CelebA's

A prompt names every attribute that holds in it, and those that do not where the grammar has words for it ("woman",
"no glasses") and it does not go without saying. What the grammar says of no face does not come together here
either: its `exclusive` and `say_one_of`, and what is said of some faces alone (`only_if`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import torch
from jaxtyping import Bool
from pydantic import BeforeValidator, Field, ValidationError
from torch import Tensor

from tedigan.bulk.arrangement import Column, Rivals, arrange, largest_remainder
from tedigan.bulk.prompts import Prompt
from tedigan.captions.grammar import Claim, Grammar
from tedigan.captions.grammar_file import Count, Part, Share
from tedigan.captions.grammar_files import CELEBA, load_grammar
from tedigan.captions.lines import check_caption
from tedigan.captions.writer import draw_whole_caption
from tedigan.errors import CaptionError, ParamsError
from tedigan.overlay import read_sections
from tedigan.tensors import stream

QUOTAS = "quotas.yaml"  # the file's name in a job
_NUM_TRIES = 50  # sentences; not all of a grammar's need tell the subject's attribute


def _as_weights(value: Any) -> Any:
    """A list of names is a table of equal weights."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return value
    if len(set(value)) < len(value):
        raise ValueError("a name stands twice; write {name: weight} instead")
    return dict.fromkeys(value, 1.0)


_Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Weights = Annotated[dict[str, _Weight], BeforeValidator(_as_weights), Field(min_length=2)]


class Quotas(Part):
    """What stands in the file."""

    count: Count
    quotas: dict[str, Share] = Field(default={})
    one_of: tuple[_Weights, ...] = ()
    captions: str | None = None

    def names(self) -> list[str]:
        """The attributes, in the order of the file."""
        return [*self.quotas, *(name for group in self.one_of for name in group)]

    def shares(self) -> dict[str, Fraction]:
        """Attribute -> the share of the prompts in which it is to hold."""
        shares = {name: _exact(share) for name, share in self.quotas.items()}
        return shares | {
            name: _exact(weight) / sum(map(_exact, group.values()))
            for group in self.one_of
            for name, weight in group.items()
        }


@dataclass(frozen=True)
class Assigned:
    """Which attribute holds in which prompt: a row a prompt, a column an attribute."""

    names: tuple[str, ...]
    values: Bool[Tensor, "n k"]

    def __len__(self) -> int:
        """How many prompts there are."""
        return len(self.values)

    def face(self, row: int) -> dict[str, bool]:
        """What is assigned to one prompt."""
        return dict(zip(self.names, self.values[row].tolist(), strict=True))


class Met(NamedTuple):
    """The share of an attribute: as asked, in the prompts, and, if a judge looked for it, in their faces."""

    name: str
    asked: float
    prompts: float
    found: float | None


def read_quotas(path: Path) -> tuple[Quotas, Grammar]:
    """A file of quotas and the grammar that it names; a CaptionError lists what is wrong with it."""
    if not path.is_file():
        raise CaptionError(f"{path} does not exist; expected a file of quotas. Mend its name.")
    quotas = parse_quotas(path)
    return quotas, load_grammar(path.parent / quotas.captions if quotas.captions else CELEBA)


def parse_quotas(path: Path) -> Quotas:
    """A file of quotas, without its grammar; a CaptionError lists what is wrong with it."""
    try:
        return Quotas.model_validate(read_sections(path))
    except ParamsError as error:
        raise CaptionError(str(error)) from error
    except ValidationError as error:
        lines = "\n".join(
            f"  {'.'.join(map(str, one['loc']))}: {one['msg']} (got {one['input']!r})"
            for one in error.errors()
        )
        raise CaptionError(
            f"{path} is not usable; expected count, quotas, one_of and captions. Mend:\n{lines}"
        ) from error


def assign(quotas: Quotas, grammar: Grammar, *, seed: int) -> Assigned:
    """Say which attributes hold in which prompt: exactly as many prompts as asked, rounded by largest remainders.

    They are independent of each other as far as the grammar allows. CaptionError for attributes that stand twice,
    or that the grammar never states, and for quotas that cannot be met together.
    """
    names = quotas.names()
    if problems := [*_problems(names, grammar)]:
        raise CaptionError("the quotas are not usable. Mend:\n" + "\n".join(problems))
    columns = _columns(quotas)
    chosen = arrange(columns, _rivals(names, grammar), seed=seed)
    values = {
        name: torch.tensor([face[name] for face in column.faces])[choice]
        for column, choice in zip(columns, chosen, strict=True)
        for name in column.faces[0]
    }
    return Assigned(tuple(names), torch.stack([values[name] for name in names], dim=1))


def draw_prompts(assigned: Assigned, grammar: Grammar, *, seed: int) -> Iterator[Prompt]:
    """A sentence a row; its attributes, its number and the seed alone decide it."""
    subject = grammar.file.subject.attribute
    for row in range(len(assigned)):
        face, generator = assigned.face(row), stream(seed, "prompt", row)
        named = [name for name, holds in face.items() if holds or name == subject]
        for _ in range(_NUM_TRIES):
            caption = draw_whole_caption(face, grammar=grammar, generator=generator)
            if caption.named.keys() >= set(named):
                break
        else:
            raise CaptionError(
                f"{_NUM_TRIES} sentences of the grammar do not tell all of {', '.join(named)}, such as "
                f"{caption.text!r}. Add one that does, with {{noun}} or {{subject}}, to its `sentences`."
            )
        yield Prompt(row + 1, check_caption(caption.text))


def met(quotas: Quotas, prompts: Mapping[str, float], found: Mapping[str, float]) -> list[Met]:
    """A row an attribute: what was asked for, and what there is.

    prompts, found: attribute -> share of the prompts that name it, and of the faces in which a judge sees it; what
    is not there is named by none, or nobody looked for it.
    """
    return [
        Met(name, float(share), prompts.get(name, 0.0), found.get(name))
        for name, share in quotas.shares().items()
    ]


def _exact(number: float) -> Fraction:
    """The number as it is written: 0.1 is a tenth."""
    return Fraction(str(number))


def _columns(quotas: Quotas) -> list[Column]:
    """An attribute holds or not; of a group each in turn holds alone."""
    shares = quotas.shares()
    columns = []
    for names in [[name] for name in quotas.quotas] + [[*group] for group in quotas.one_of]:
        faces = [{name: name == one for name in names} for one in names]
        parts = [shares[name] for name in names]
        if len(names) == 1:
            faces, parts = [*faces, {names[0]: False}], [*parts, 1 - parts[0]]
        columns.append(Column(faces, largest_remainder(quotas.count, parts)))
    return columns


def _rivals(names: Sequence[str], grammar: Grammar) -> list[Rivals]:
    """The claims about these attributes of which the grammar says one at most of a face."""
    conditions = [
        (said.claim, Claim(said.only_if.name, not said.only_if.holds))
        for said in grammar.statements
        if said.only_if is not None
    ]
    known = (tuple(one for one in rivals if one.name in names) for rivals in grammar.rivals)
    return [
        *(rivals for rivals in known if len(rivals) > 1),
        *(pair for pair in conditions if pair[0].name in names and pair[1].name in names),
    ]


def _problems(names: Sequence[str], grammar: Grammar) -> Iterator[str]:
    """What is wrong with the attributes, a line each."""
    stated = {said.claim.name for said in grammar.statements if said.claim.holds}
    stated |= {grammar.file.subject.attribute or ""} - {""}
    if not names:
        yield "  there are no quotas; expected at least one attribute in `quotas` or `one_of`"
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"  {name}: has {names.count(name)} quotas; expected one, keep one of them"
        if name not in stated:
            close = get_close_matches(name, stated, n=1)
            known = ", ".join(sorted(stated))
            hint = f"did you mean {close[0]}?" if close else f"it states {known}"
            yield f"  {name}: the grammar never states it; {hint}"
