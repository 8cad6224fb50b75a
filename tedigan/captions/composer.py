"""Sentences in open wording, each with what it states: what a sentence reader learns from.

A frame's slots are filled by chance from `Wordings`. `draw_captions` writes the grammar's own sentences.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from tedigan.captions.dice import Dice
from tedigan.captions.english import ARTICLE, with_articles, without_article
from tedigan.captions.grammar import Claim
from tedigan.captions.lexicon import NEGATORS
from tedigan.captions.wordings import Wording, Wordings

_SLOT = re.compile(r"\{([a-z ]+)\}")
_POSSESSIVE = re.compile(r"\b(his|her)\b")
_THINGS = ("has", "wears")
_PRONOUNS = {
    "he": ("he", "him", "his"),
    "she": ("she", "her", "her"),
    None: ("they", "them", "their"),
}
# Shares of sentences, or of what fills a slot.
FRAME_SHARES = {"face": 0.4, "edit": 0.25, "negation": 0.25, "twice": 0.02, "nothing": 0.05}
BESIDE, ANYONE, ABSENT = 0.12, 0.3, 0.35
WHOLE, BOTH_WAYS, PLAIN, TYPING_ERROR = 0.3, 0.04, 0.5, 0.06


class Sentence(NamedTuple):
    """A text and what it states; a claim and its contrary where it says both."""

    text: str
    claims: frozenset[Claim]


def compose(words: Wordings, dice: Dice) -> Sentence:
    """A sentence by chance."""
    at = dice.share() * sum(FRAME_SHARES.values())
    kind = next(name for name, share in FRAME_SHARES.items() if (at := at - share) < 0)
    if kind == "nothing" and dice.share() < WHOLE:
        return Sentence(_worn(dice.one_of(words.nothing), dice), frozenset())
    filling = _Filling(words, dice)
    text = filling.text(dice.one_of(words.frames[kind]))
    return Sentence(_worn(text, dice), frozenset(filling.claims))


@dataclass
class _Filling:
    """One sentence as it comes about. holds: of the person's attribute; None where it is not to be said."""

    words: Wordings
    dice: Dice
    holds: bool | None = None
    part: str = ""
    claims: set[Claim] = field(default_factory=set)
    how: Wording | None = None

    def text(self, frame: str) -> str:
        """The frame with its slots filled; now and then something that it states is denied behind it."""
        holds = self.dice.share()
        self.holds = None if holds < 0.2 or self.words.subject is None else holds < 0.6
        filled = _SLOT.sub(lambda match: self._slot(match[1]), frame)
        if self.claims and self.dice.share() < BOTH_WAYS:
            filled += self._contrary()
        return with_articles(filled)

    def _slot(self, slot: str) -> str:
        if slot == "a":
            return ARTICLE
        if slot == "anyone" or slot == "scene" or slot.startswith("beside "):
            return self.dice.one_of(self.words.beside[slot.removeprefix("beside ")])
        if slot in ("who", "man"):
            return self._who(slot == "man")
        if slot in ("part", "of", "how", "no how", "hair"):
            return self._of_part(slot)
        if slot.startswith("old "):
            return self.dice.one_of(("him", "her", "this person"))
        pronoun, _, verb = slot.partition(" ")
        if pronoun in ("he", "him", "his") and verb in ("", "is", "has"):
            return " ".join(filter(None, (self._pronoun(pronoun), self._verb(verb))))
        return self._phrase(slot)

    def _phrase(self, slot: str) -> str:
        """What is had, worn or done: "has", "no is", "the thing", "no his thing"."""
        is_denied = slot.startswith("no ")
        words = slot.removeprefix("no ").split()
        kind = words[-1]
        kinds = _THINGS if kind == "thing" else ("is", "so") if kind == "so" else (kind,)
        one = self._draw("do" if kind == "does" else self.dice.one_of(kinds), is_denied)
        if kind == "does":
            return one.text if self._pronoun_words()[0] == "they" else _third_person(one.text)
        if kind not in (*_THINGS, "thing"):
            return _POSSESSIVE.sub(lambda _: self._pronoun("his"), one.text)
        article = words[0] if len(words) > 1 else "none" if is_denied else "own"
        return self._with(article, one.text)

    def _with(self, article: str, thing: str) -> str:
        if article == "own" or (article == "a" and thing != without_article(thing)):
            return thing
        before = {"the": "the", "his": self._pronoun("his") if article == "his" else ""}
        return f"{before.get(article, '')} {without_article(thing)}".lstrip()

    def _draw(self, kind: str, is_denied: bool) -> Wording:
        """A wording of an attribute that the sentence has not spoken of; now and then of none."""
        if kind in self.words.beside and self.dice.share() < BESIDE:
            return Wording(self.dice.one_of(self.words.beside[kind]))
        spoken = {claim.name for claim in self.claims} | {self.words.subject}
        tables = self.words.of_kind[kind]
        name = self.dice.one_of([one for one in tables if one not in spoken])
        return self._take(tables[name], is_denied)

    def _take(self, wordings: list[Wording], is_denied: bool) -> Wording:
        """One of them, and note what it states."""
        if is_denied:
            wordings = [one for one in wordings if one.text.split()[0] not in NEGATORS] or wordings
        wants = self.dice.share() >= (0.1 if is_denied else ABSENT)
        fitting = [one for one in wordings if one.claims[0].holds == wants] or wordings
        one = self.dice.one_of(fitting)
        self.claims |= {Claim(name, holds != is_denied) for name, holds in one.claims}
        return one

    def _who(self, tells: bool) -> str:
        """A noun for a person; it tells who it is, or leaves it open."""
        if tells and self.holds is None and self.words.subject:
            self.holds = self.dice.share() < 0.5
        if not tells and self.dice.share() < ANYONE:
            return self.dice.one_of(self.words.beside["anyone"])
        tables = self.words.of_kind["who"]
        spoken = {claim.name for claim in self.claims} - {self.words.subject}
        fitting = [
            one
            for name, wordings in tables.items()
            for one in wordings
            if not spoken & {claim.name for claim in one.claims}
            and (not tells or name == self.words.subject)
            and all(
                claim.holds == self.holds
                for claim in one.claims
                if claim.name == self.words.subject
            )
        ]
        if not fitting:
            return self.dice.one_of(self.words.beside["anyone"])
        one = self.dice.one_of(fitting)
        self.claims |= set(one.claims)
        return one.text

    def _of_part(self, slot: str) -> str:
        """A part of the face and its adjective; "part" is followed by the "how" that it was drawn with."""
        if slot in ("how", "no how"):
            assert self.how is not None, "a frame says {part} before {how}"
            denied = slot == "no how"
            self.claims |= {Claim(name, holds != denied) for name, holds in self.how.claims}
            return self.how.text
        spoken = {claim.name for claim in self.claims}
        named = {
            part: [name for name in tables if name not in spoken]
            for part, tables in self.words.of_part.items()
        }
        part = "hair" if slot == "hair" else self.dice.one_of([one for one in named if named[one]])
        if not named[part]:
            return self.dice.one_of(("nice", "different"))
        before = set(self.claims)
        tables = self.words.of_part[part]
        self.how = self._take(tables[self.dice.one_of(named[part])], False)
        noun = without_article(self.dice.one_of(self.words.parts[part]))
        if slot == "part":
            self.claims = before
        return {"part": noun, "of": f"{noun} {self.how.text}"}.get(slot, self.how.text)

    def _pronoun_words(self) -> tuple[str, str, str]:
        return _PRONOUNS.get(self.words.pronouns[self.holds], _PRONOUNS[None])

    def _pronoun(self, case: str) -> str:
        words = self._pronoun_words()
        if self.holds is not None and words != _PRONOUNS[None] and self.words.subject:
            self.claims.add(Claim(self.words.subject, self.holds))
        return words[("he", "him", "his").index(case)]

    def _verb(self, verb: str) -> str:
        if self._pronoun_words()[0] == "they":
            return {"is": "are", "has": "have"}.get(verb, verb)
        return verb

    def _contrary(self) -> str:
        """Words for the contrary of something that was said."""
        claim = self.dice.one_of(sorted(self.claims))
        wordings = [
            (kind, one)
            for kind in ("is", "so", "has", "wears")
            for one in self.words.of_kind[kind].get(claim.name, ())
            if len(one.claims) == 1
        ]
        if not wordings:
            return ""
        kind, one = self.dice.one_of(wordings)
        self.claims.add(Claim(claim.name, not claim.holds))
        joint = self.dice.one_of((" but ", " and ", ", "))
        if one.claims[0].holds != claim.holds:
            return f"{joint}{'with ' if kind in _THINGS else ''}{one.text}"
        if kind in _THINGS:
            return f"{joint}{self.dice.one_of(('without ', 'no '))}{without_article(one.text)}"
        return f"{joint}not {one.text}"


def _third_person(verb: str) -> str:
    """ "smile at us" -> "smiles at us"."""
    first, _, rest = verb.partition(" ")
    if first.endswith(("ss", "sh", "ch", "o")):
        first += "es"
    elif first.endswith("y") and first[-2] not in "aeiou":
        first = f"{first[:-1]}ies"
    else:
        first += "s"
    return f"{first} {rest}".strip()


def _worn(text: str, dice: Dice) -> str:
    """As people type: with a capital and a full stop or without, and with an error at times."""
    if dice.share() < TYPING_ERROR:
        text = _mistyped(text, dice)
    if dice.share() < PLAIN:
        return text
    return text[0].upper() + text[1:] + dice.one_of((".", ".", "!", ""))


def _mistyped(text: str, dice: Dice) -> str:
    """One letter of a long word left out, doubled or swapped with the next."""
    words = text.split(" ")
    long = [place for place, word in enumerate(words) if len(word) > 4]
    if not long:
        return text
    place = dice.one_of(long)
    word = words[place]
    at = 1 + int(dice.share() * (len(word) - 2))
    ways = (word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:])
    words[place] = dice.one_of((*ways, word[:at] + word[at + 1] + word[at] + word[at + 2 :]))
    return " ".join(words)
