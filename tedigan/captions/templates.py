"""The templates of captions: "{this} {noun}[ with {has.list}][ who {wears}]".

A slot in braces is filled for each caption; a part in brackets is left out where its groups have nothing to say.
`tedigan/captions/grammars/celeba.yaml` lists the slots.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Literal

PERSON_SLOTS = ("subject", "noun", "pronoun", "a")
FORM_SLOTS = ("noun", "pronoun")  # of subject.forms
_PIECES = re.compile(r"\{([^{}]*)\}|\[([^\[\]]*)\]|([^{}\[\]]+)")


class TemplateError(ValueError):
    """Why a template cannot be used."""


@dataclass(frozen=True)
class Slot:
    """kind: person (`name` says which), word (`name` is its list), or how the groups are told.

    "and" and "comma" are clauses joined so; "list" and "adjectives" are a group's phrases without verb.
    """

    kind: Literal["person", "word", "and", "comma", "list", "adjectives"]
    name: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bracket:
    """A part in brackets."""

    parts: tuple["str | Slot", ...]

    def is_left_out(self, told: Collection[str]) -> bool:
        """told: the groups that the caption speaks of."""
        slots = [part for part in self.parts if isinstance(part, Slot)]
        return not any(group in told for slot in slots for group in slot.groups)


@dataclass(frozen=True)
class Template:
    """A parsed template. Its text in the file is for messages."""

    text: str
    parts: tuple[str | Slot | Bracket, ...]

    def slots(self) -> list[Slot]:
        """Every slot, those in brackets too."""
        return [slot for part in self.parts for slot in _slots_of(part)]

    def fits(self, told: Collection[str], denying: Collection[str]) -> bool:
        """Can it tell these groups, all of them, and leaves no slot empty?

        denying: those of the groups that cannot be adjectives, as they deny something.
        """
        needed = [part.groups for part in self.parts if isinstance(part, Slot) and part.groups]
        if not all(any(group in told for group in groups) for groups in needed):
            return False
        slots = self.slots()
        if any(slot.kind == "adjectives" and slot.name in denying for slot in slots):
            return False
        return set(told) <= {group for slot in slots for group in slot.groups}

    def uses(self, *names: str) -> bool:
        """Has it one of these slots of the person?"""
        return any(slot.kind == "person" and slot.name in names for slot in self.slots())

    def fill(self, told: Collection[str], filling: Callable[[Slot], str]) -> str:
        """The text, where `filling` says what each slot becomes."""
        return "".join(
            part if isinstance(part, str) else filling(part) for part in self._kept(told)
        )

    def _kept(self, told: Collection[str]) -> Iterator[str | Slot]:
        for part in self.parts:
            if not isinstance(part, Bracket):
                yield part
            elif not part.is_left_out(told):
                yield from part.parts


def parse_template(text: str, *, groups: Collection[str], words: Collection[str]) -> Template:
    """A template's text, parsed; what is wrong with it is a TemplateError."""
    if "".join(match[0] for match in _PIECES.finditer(text)) != text or not text.strip():
        raise TemplateError("braces and brackets must close, and brackets hold no brackets")
    if text.endswith("."):
        raise TemplateError("ends with a full stop, which is set later; remove it")
    parts: list[str | Slot | Bracket] = []
    for match in _PIECES.finditer(text):
        if match[2] is None:
            parts.append(_piece(match, groups, words))
        else:
            parts.append(_bracket(match[2], groups, words))
    template = Template(text, tuple(parts))
    _check_groups(template)
    return template


def fill_form(form: str, noun: str, pronoun: str | None) -> str:
    """A form of the subject, such as "this {noun}", filled."""
    return form.replace("{noun}", noun).replace("{pronoun}", pronoun or "")


def _slots_of(part: str | Slot | Bracket) -> list[Slot]:
    if isinstance(part, Slot):
        return [part]
    return [one for one in getattr(part, "parts", ()) if isinstance(one, Slot)]


def _bracket(text: str, groups: Collection[str], words: Collection[str]) -> Bracket:
    parts = tuple(_piece(match, groups, words) for match in _PIECES.finditer(text))
    part = Bracket(parts)
    if part.is_left_out(groups):
        raise TemplateError(f"[{text}] names no group, so it would never be written")
    return part


def _piece(match: re.Match[str], groups: Collection[str], words: Collection[str]) -> str | Slot:
    """Plain text, or the slot within the braces."""
    if match[1] is None:
        return match[3]
    name = match[1]
    if name in PERSON_SLOTS:
        return Slot("person", name)
    if name in words:
        return Slot("word", name)
    group, _, way = name.partition(".")
    if way in ("list", "adjectives") and group in groups:
        return Slot("list" if way == "list" else "adjectives", group, (group,))
    for kind, pattern in (("and", r" and "), ("comma", r", ?")):
        if set(named := re.split(pattern, name)) <= set(groups):
            return Slot("and" if kind == "and" else "comma", name, tuple(named))
    raise TemplateError(
        f"unknown slot {{{name}}}; known are {', '.join(PERSON_SLOTS)}, the groups {', '.join(groups)} "
        f"(with .list or .adjectives, or joined by commas or `and`), and the words {', '.join(words)}"
    )


def _check_groups(template: Template) -> None:
    """Each group is told once, so that nothing is said twice."""
    told = [group for slot in template.slots() for group in slot.groups]
    if twice := sorted({group for group in told if told.count(group) > 1}):
        raise TemplateError(f"tells {', '.join(twice)} twice; each group may stand in one slot")
