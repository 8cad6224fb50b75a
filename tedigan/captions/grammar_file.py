"""What may stand in a caption grammar's file: its sections, their keys, and what a single phrase may be.

`tedigan/captions/grammars/celeba.yaml` says what each key means. What the keys have to do with one another is
checked in `grammar_check`.
"""

import difflib
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from tedigan.captions.english import wrong_articles


def _as_weights(value: Any) -> Any:
    """A list of phrases is a table of equal weights; a phrase alone is a list of one."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        return value
    if twice := sorted({str(item) for item in value if value.count(item) > 1}):
        raise ValueError(f"{', '.join(twice)} stands twice; give it a weight instead")
    if not all(isinstance(item, str) for item in value):
        raise ValueError("expected a list of texts; put what looks like a number in quotes")
    return dict.fromkeys(value, 1.0)


def _words(text: str) -> str:
    """Words and single spaces, so that a sentence can be made of them."""
    if not text.strip():
        raise ValueError("is empty; write the words, or remove it")
    if text != " ".join(text.split()):
        raise ValueError("has outer or double spaces; expected single ones")
    if found := re.search(r"[^\w '\u2019-]", text):
        raise ValueError(f"holds {found[0]!r}; expected words, spaces, apostrophes and hyphens")
    if wrong := wrong_articles(text):
        raise ValueError(f'says "{wrong[0]}"; mend the article')
    return text


Words = Annotated[str, AfterValidator(_words)]
Weight = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Phrases = Annotated[dict[Words, Weight], BeforeValidator(_as_weights), Field(min_length=1)]
Templates = Annotated[dict[str, Weight], BeforeValidator(_as_weights), Field(min_length=1)]
Names = tuple[str, ...]


class Part(BaseModel):
    """A part of the file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Person(Part):
    """The words for whom the subject's attribute is true of, for whom it is false of, or for anybody."""

    nouns: Phrases
    pronoun: Words | None = None
    also_read: tuple[Words, ...] = ()


class Subject(Part):
    """Who is spoken of."""

    attribute: str | None = None
    if_true: Person | None = None
    if_false: Person | None = None
    neutral: Person
    neutral_share: Share = 0.25
    forms: Templates


class Group(Part):
    """A clause: its verb, and how often and how much it says."""

    verbs: Phrases
    share: Share = 1.0
    most: Count = 3


class Attribute(Part):
    """What is said of an attribute, and what names it."""

    group: str | None = None
    says: Phrases | None = None
    says_if_false: Phrases | None = None
    denies: Phrases | None = None
    also_read: tuple[Words, ...] = ()
    also_read_as_false: tuple[Words, ...] = ()
    only_if: str | None = None
    denied_only_if: str | None = None
    not_after: Names = ()


class Denials(Part):
    """How often captions deny something too."""

    share: Share = 0.0
    most: Count = 2


class Sentence(Part):
    """A template of a caption."""

    weight: Weight = 1.0
    text: str


def _as_sentence(value: Any) -> Any:
    """A text alone is a template of weight 1."""
    return {"text": value} if isinstance(value, str) else value


class GrammarFile(Part):
    """The whole file, after what it extends is filled in."""

    subject: Subject
    groups: dict[Words, Group] = Field(min_length=1, max_length=8)
    attributes: dict[str, Attribute]
    exclusive: dict[str, Names] = {}
    say_one_of: dict[str, Names] = {}
    share_a_noun: dict[Words, tuple[Names, Names]] = {}
    denials: Denials = Denials()
    sentences: dict[str, Annotated[Sentence, BeforeValidator(_as_sentence)]] = Field(min_length=1)
    words: dict[Words, Phrases] = {}
    plain_share: Share = 0.0
    spellings: dict[Words, Words] = {}
    modifiers: tuple[Words, ...] = ()
    ignored: tuple[Words, ...] = ()


def explain(problem: Any) -> str:
    """One line for one of pydantic's problems: what was wrong, what came, what was expected."""
    key = str(problem["loc"][-2 if problem["loc"][-1] == "[key]" else -1])
    if problem["type"] == "extra_forbidden":
        known = _keys_beside(problem["loc"])
        close = difflib.get_close_matches(key, known, n=1)
        return f"unknown key; {f'did you mean `{close[0]}`?' if close else ', '.join(known)}"
    if problem["type"] == "missing":
        return "missing; add it (celeba.yaml says what it means), or write `extends: celeba`"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{message[0].lower()}{message[1:]} (got {problem['input']!r})"


def _keys_beside(location: tuple[int | str, ...]) -> list[str]:
    """The keys that the file may have at this place; of a table with free keys, those of its values."""
    model: Any = GrammarFile
    for part in location[:-1]:
        fields = getattr(model, "model_fields", {})
        model = _model_in(fields[str(part)].annotation) if part in fields else model
    return list(model.model_fields)


def _model_in(annotation: Any) -> Any:
    """The Part within `dict[str, Part]` or `Part | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    inner = [_model_in(one) for one in getattr(annotation, "__args__", ())]
    return next((one for one in inner if one is not None), None)
