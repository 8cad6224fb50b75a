"""What a survey asks, in which order and on which side, from a seed: forced choices between methods' faces.

Two questions, as the paper has them: which face is the most realistic, which fits its sentence best. Each prompt
is asked for both. Among the questions are repeats, the places of their faces exchanged, which say how consistent a
person is, and checks, of which one face is whole and the others' tiles are mixed up: did somebody look?
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tedigan.errors import ParamsError
from tedigan.tensors import stream

REALISM, TEXT = "realism", "text"
KINDS = (REALISM, TEXT)  # in this order: who has read the sentences no longer looks at faces alone
ASKED, REPEAT, CHECK = "asked", "repeat", "check"
REPEATED = 0.1  # of the questions of a kind, and as many checks
FEWEST = 2  # of either


@dataclass(frozen=True)
class Question:
    """kind: of KINDS. methods: the number of the method that stands at each place, from left to right.

    role: ASKED, REPEAT or CHECK. of: the question that a repeat repeats, by its place in the survey, else None.
    right: the place of a check's whole face, else None.
    """

    kind: str
    prompt: int
    methods: tuple[int, ...]
    role: str = ASKED
    of: int | None = None
    right: int | None = None


def plan_questions(
    *, num_prompts: int, num_methods: int, num_asked: int, num_shown: int, seed: int
) -> list[Question]:
    """All questions in order: those of realism, then those of texts.

    num_asked: prompts, out of num_prompts. num_shown: faces at a time; where that is fewer than there are methods,
    each meets every other equally often, as far as the count allows. ParamsError where a number cannot be.
    """
    _check(num_prompts, num_methods, num_asked, num_shown)
    chosen = torch.randperm(num_prompts, generator=stream(seed, "survey", "prompts"))
    prompts = chosen[:num_asked].tolist()
    questions: list[Question] = []
    for kind in KINDS:
        asked = _asked(kind, prompts, num_methods, num_shown, seed)
        questions += _with_controls(asked, len(questions), seed)
    return questions


def _asked(
    kind: str, prompts: Sequence[int], num_methods: int, num_shown: int, seed: int
) -> list[Question]:
    """Each prompt once. Each method stands equally often at each place, as far as the count allows."""
    random = stream(seed, "survey", kind)
    groups = torch.combinations(torch.arange(num_methods), num_shown)
    found, left = list[Question](), list[tuple[int, ...]]()
    for row in torch.randperm(len(prompts), generator=random).tolist():
        left = left or _every_place(groups, random)
        found.append(Question(kind, prompts[row], left.pop()))
    return found


def _every_place(groups: Tensor, random: torch.Generator) -> list[tuple[int, ...]]:
    """Each group of methods in an order of its own, and in that order begun at each place; mixed."""
    shown, found = groups.shape[1], []
    for group in groups:
        order = group[torch.randperm(shown, generator=random)]
        found += [tuple(order.roll(turn).tolist()) for turn in range(shown)]
    return [found[row] for row in torch.randperm(len(found), generator=random).tolist()]


def _with_controls(asked: list[Question], first: int, seed: int) -> list[Question]:
    """With repeats in the later half, of what was asked in the first, and checks. first: of this kind."""
    kind, random = asked[0].kind, stream(seed, "survey", asked[0].kind, "controls")
    count = max(FEWEST, round(REPEATED * len(asked)))
    early, late = asked[: (len(asked) + 1) // 2], asked[(len(asked) + 1) // 2 :]
    repeated = [early[i] for i in torch.randperm(len(early), generator=random)[:count].tolist()]
    early = _mixed_in(early, [_check_of(asked, random) for _ in range(count // 2)], random)
    late = _mixed_in(late, [_check_of(asked, random) for _ in range(count - count // 2)], random)
    repeats = []
    for one in repeated:
        places = torch.tensor(one.methods).roll(len(one.methods) // 2)
        of = first + early.index(one)
        repeats.append(Question(kind, one.prompt, tuple(places.tolist()), REPEAT, of=of))
    return early + _mixed_in(late, repeats, random)


def _check_of(asked: Sequence[Question], random: torch.Generator) -> Question:
    one = asked[int(torch.randint(len(asked), (), generator=random))]
    right = int(torch.randint(len(one.methods), (), generator=random))
    return Question(one.kind, one.prompt, one.methods, CHECK, right=right)


def _mixed_in(
    some: list[Question], others: Sequence[Question], random: torch.Generator
) -> list[Question]:
    """The others at random places among `some`, whose own order stays."""
    found = [*some]
    for one in others:
        found.insert(int(torch.randint(len(found) + 1, (), generator=random)), one)
    return found


def _check(num_prompts: int, num_methods: int, num_asked: int, num_shown: int) -> None:
    if not 2 <= num_shown <= num_methods:
        raise ParamsError(
            f"{num_shown} faces at a time of {num_methods} methods were asked for; expected 2 to as many as there "
            "are methods. Name more methods, or another --at-once."
        )
    if not FEWEST <= num_asked <= num_prompts:
        raise ParamsError(
            f"{num_asked} questions about {num_prompts} prompts were asked for; expected {FEWEST} to "
            f"{num_prompts}. Name another --questions, or plan a protocol of more prompts."
        )
