"""Captions of a face, written from its attributes: English sentences in the style of MM-CelebA-HQ.

Three groups of attributes make three clauses: what the face *is*, *has* and *wears*. Only positive
attributes are stated, and a clause without attributes is left out. `Male` chooses pronoun and noun.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from jaxtyping import Bool
from torch import Tensor

from tedigan.data.attributes import ATTRIBUTE_NAMES
from tedigan.data.caption_reader import attributes_named, check_caption, parse_captions
from tedigan.data.caption_words import EXCLUSIVE, HAS, IS, SHARED_NOUNS, WEARS

__all__ = ["Caption", "attributes_named", "check_caption", "draw_captions", "parse_captions"]

_OPENINGS = (
    "This is",
    "Here is",
    "Here we see",
    "One can see",
    *(
        f"{word} {picture} shows"
        for picture in ("picture", "photograph", "photo", "portrait", "image")
        for word in ("The", "This")
    ),
)
_PARTS = ("", "the face of ", "the head of ", "the features of ")


@dataclass(frozen=True)
class Caption:
    """A sentence, and the attributes that it states (Male also as False: "she")."""

    text: str
    named: dict[str, bool]


def draw_captions(
    attributes: Bool[Tensor, "40"], *, num_captions: int, generator: torch.Generator
) -> list[Caption]:
    """Distinct captions of one face, each stating a random part of its positive attributes.

    A face without any still gets as many, from its noun and the sentence around it; 100 always fit.
    """
    dice = _Dice(generator)
    face = _Face.draw(attributes, dice)
    captions: dict[str, Caption] = {}
    for _ in range(4 * num_captions):
        caption = _draw_caption(face, dice)
        captions.setdefault(caption.text, caption)
        if len(captions) == num_captions:
            return list(captions.values())
    for caption in face.every_presentation():
        captions.setdefault(caption.text, caption)
        if len(captions) == num_captions:
            return list(captions.values())
    raise AssertionError(
        f"only {len(captions)} of {num_captions} distinct captions could be written"
    )


_Item = TypeVar("_Item")


class _Dice:
    """Draws from a torch.Generator, a block at a time."""

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator
        self._drawn: list[float] = []

    def share(self) -> float:
        """Uniform in [0, 1)."""
        if not self._drawn:
            self._drawn = torch.rand(256, generator=self._generator).tolist()
        return self._drawn.pop()

    def one_of(self, items: Sequence[_Item]) -> _Item:
        """Any of the items, each as likely."""
        return items[int(self.share() * len(items))]

    def some_of(self, items: Sequence[_Item], most: int) -> list[_Item]:
        """1..most of the items in a random order; none if there are none."""
        rest = list(items)
        count = 1 + int(self.share() * min(most, len(rest)))
        return [rest.pop(int(self.share() * len(rest))) for _ in range(count) if rest]


@dataclass(frozen=True)
class _Face:
    """What may be said of a face: the names of each group, without contradictions."""

    is_male: bool
    traits: list[str]
    features: list[str]
    things: list[str]

    @classmethod
    def draw(cls, attributes: Bool[Tensor, "40"], dice: _Dice) -> "_Face":
        """Where two attributes exclude each other, one is drawn for all captions of the face."""
        flags = dict(zip(ATTRIBUTE_NAMES, attributes.tolist(), strict=True))
        for group in EXCLUSIVE:
            if rivals := [name for name in group if flags[name]]:
                kept = dice.one_of(rivals)
                flags.update({name: name == kept for name in rivals})
        groups = [[name for name in group if flags[name]] for group in (IS, HAS, WEARS)]
        return cls(flags["Male"], *groups)

    @property
    def noun(self) -> str:
        return "man" if self.is_male else "woman"

    def every_presentation(self) -> list[Caption]:
        """Sentences that state nothing but, at most, man or woman."""
        return [
            _caption(
                f"{opening} {part}{_with_article(noun)}", self, [], is_neutral=noun == "person"
            )
            for opening in _OPENINGS
            for part in _PARTS
            for noun in (self.noun, "person")
        ]


def _draw_caption(face: _Face, dice: _Dice) -> Caption:
    """One sentence of one of the templates that fit what was drawn to be said."""
    traits = dice.some_of(face.traits, 3) if dice.share() < 0.7 else []
    features = dice.some_of(face.features, 5) if dice.share() < 0.9 else []
    things = dice.some_of(face.things, 3) if dice.share() < 0.75 else []
    stated = traits + features + things
    if not stated:
        return dice.one_of(face.every_presentation())
    is_neutral = dice.share() < 0.25
    noun = "person" if is_neutral else face.noun
    templates = [_clauses, _presentation]
    if traits and (features or things):
        templates += [_adjectives_first, _relative_clause]
    if things and (traits or features):
        templates.append(_wearing_first)
    text = dice.one_of(templates)(noun, traits, features, things, dice)
    return _caption(text, face, stated, is_neutral=is_neutral)


def _caption(text: str, face: _Face, stated: list[str], *, is_neutral: bool) -> Caption:
    """The finished sentence with all that it states."""
    named = dict.fromkeys(stated, True) | ({} if is_neutral else {"Male": face.is_male})
    return Caption(text[0].upper() + text[1:] + ".", named)


# --- templates: what is to be said -> a sentence without its capital and full stop


def _clauses(
    noun: str, traits: list[str], features: list[str], things: list[str], dice: _Dice
) -> str:
    """She is young, has wavy hair, and wears a hat"""
    clauses = [_is(traits, dice), _has(features), _wears(things, dice)]
    return f"{_subject(noun, dice)} {_join_clauses(clauses)}"


def _adjectives_first(
    noun: str, traits: list[str], features: list[str], things: list[str], dice: _Dice
) -> str:
    """This smiling young woman has wavy hair and wears a hat"""
    subject = f"{dice.one_of(['this', 'the'])} {_adjectives(traits)} {noun}"
    return f"{subject} {_join_clauses([_has(features), _wears(things, dice)])}"


def _relative_clause(
    noun: str, traits: list[str], features: list[str], things: list[str], dice: _Dice
) -> str:
    """The man, who is young, has sideburns"""
    subject = f"{dice.one_of(['this', 'the'])} {noun}, who {_is(traits, dice)},"
    return f"{subject} {_join_clauses([_has(features), _wears(things, dice)])}"


def _wearing_first(
    noun: str, traits: list[str], features: list[str], things: list[str], dice: _Dice
) -> str:
    """Wearing a hat, this man is young and has sideburns"""
    clauses = _join_clauses([_is(traits, dice), _has(features)])
    return f"wearing {_join(_phrases(things))}, {_subject(noun, dice)} {clauses}"


def _presentation(
    noun: str, traits: list[str], features: list[str], things: list[str], dice: _Dice
) -> str:
    """The picture shows a smiling young woman with wavy hair who wears a hat"""
    person = _with_article(f"{_adjectives(traits)} {noun}".strip())
    with_features = f" with {_join(_phrases(features))}" if features else ""
    wearing = f" who {_wears(things, dice)}" if things else ""
    return f"{dice.one_of(_OPENINGS)} {person}{with_features}{wearing}"


# --- parts of a sentence; of no names, an empty string


def _subject(noun: str, dice: _Dice) -> str:
    pronouns = {"man": ["he"], "woman": ["she"]}
    return dice.one_of([f"this {noun}", f"the {noun}", *pronouns.get(noun, [])])


def _is(traits: list[str], dice: _Dice) -> str:
    """ "looks smiling" is not English; the other adjectives go with each verb."""
    if not traits:
        return ""
    verbs = ["is", "appears to be", *([] if "Smiling" in traits else ["looks"])]
    return f"{dice.one_of(verbs)} {_join([IS[name] for name in traits])}"


def _has(features: list[str]) -> str:
    return f"has {_join(_phrases(features))}" if features else ""


def _wears(things: list[str], dice: _Dice) -> str:
    if not things:
        return ""
    return f"{dice.one_of(['wears', 'is wearing'])} {_join(_phrases(things))}"


def _adjectives(traits: list[str]) -> str:
    """Before the noun, in the usual order: "smiling young", "attractive, smiling, young"."""
    words = [word for name, word in IS.items() if name in traits]
    return (", " if len(words) > 2 else " ").join(words)


def _phrases(names: list[str]) -> list[str]:
    """The noun phrases of these names; two that share their noun become one."""
    phrases = {name: HAS.get(name) or WEARS[name] for name in names}
    for firsts, seconds in SHARED_NOUNS:
        first = next((name for name in firsts if name in phrases), None)
        second = next((name for name in seconds if name in phrases), None)
        if first and second:
            adjective = phrases.pop(first).rsplit(" ", 1)[0]
            phrases[second] = f"{adjective} {phrases[second].removeprefix('a ')}"
    return list(phrases.values())


def _with_article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _join(items: list[str]) -> str:
    """a; a and b; a, b, and c"""
    if len(items) < 3:
        return " and ".join(items)
    return f"{', '.join(items[:-1])}, and {items[-1]}"


def _join_clauses(clauses: list[str]) -> str:
    """As `_join`, with a comma between two where one of them is a list itself."""
    clauses = [clause for clause in clauses if clause]
    if len(clauses) == 2 and " and " in "".join(clauses):
        return f"{clauses[0]}, and {clauses[1]}"
    return _join(clauses)
