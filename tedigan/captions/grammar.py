"""A caption grammar, checked and ready to use: what may be said of each attribute, and in which sentences.

A `Claim` is an attribute and whether it holds: ("Male", False). `grammar_check.parse_grammar` makes a Grammar.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from tedigan.captions.grammar_file import GrammarFile
from tedigan.captions.templates import Template


class Claim(NamedTuple):
    """An attribute, and whether it holds."""

    name: str
    holds: bool

    @classmethod
    def parse(cls, text: str) -> "Claim":
        """ "Bald" or "not Bald"."""
        return cls(text.removeprefix("not "), not text.startswith("not "))

    def is_true_of(self, face: Mapping[str, bool]) -> bool:
        """Does the face have it? What a face leaves open, it has not."""
        return face.get(self.name) == self.holds

    def is_false_of(self, face: Mapping[str, bool]) -> bool:
        """Does the face contradict it? An attribute that the face leaves open contradicts nothing."""
        return face.get(self.name, self.holds) != self.holds


@dataclass(frozen=True)
class Choices:
    """Texts, each with the share of draws up to it."""

    texts: tuple[str, ...]
    bounds: tuple[float, ...]

    @classmethod
    def of(cls, weights: Mapping[str, float]) -> "Choices":
        """Drawn in proportion to the weights."""
        return cls(tuple(weights), _bounds(weights.values()))

    def at(self, share: float) -> str:
        """The text at this share, 0 <= share < 1, of all draws."""
        return self.texts[min(bisect_right(self.bounds, share), len(self.texts) - 1)]


@dataclass(frozen=True)
class Group:
    """A clause: verbs, the first of which goes with denials; how often and how much is said."""

    verbs: Choices
    share: float
    most: int


@dataclass(frozen=True)
class Said:
    """What states a claim: one of the phrases, in a clause of the group, after its other verbs."""

    claim: Claim
    group: str
    phrases: Choices
    only_if: Claim | None
    not_after: frozenset[str]


@dataclass(frozen=True)
class Voice:
    """The words for the person. holds: the subject's attribute; None for words that leave it open.

    telling: the slots that tell it; of "this person", whose pronoun follows in a second sentence, that alone.
    """

    holds: bool | None
    nouns: Choices
    pronoun: str | None
    forms: Choices
    telling: tuple[str, ...] = ("subject", "noun", "pronoun")


@dataclass(frozen=True)
class Sentences:
    """Templates that fit an occasion, each with the share of draws up to it."""

    templates: tuple[Template, ...]
    bounds: tuple[float, ...]

    def at(self, share: float) -> Template:
        """The template at this share, 0 <= share < 1, of all draws."""
        return self.templates[min(bisect_right(self.bounds, share), len(self.templates) - 1)]


@dataclass(frozen=True)
class Grammar:
    """statements: always welcome. denials: only in their share of the captions.

    rivals: claims of which one is said at most. noun_pairs: attributes whose phrases share a noun, the first
    set's adjective before the second's. open_voices: begin with a neutral noun, and go on with the pronoun.
    """

    file: GrammarFile
    groups: dict[str, Group]
    statements: tuple[Said, ...]
    denials: tuple[Said, ...]
    rivals: tuple[tuple[Claim, ...], ...]
    noun_pairs: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    words: dict[str, Choices]
    sentences: tuple[tuple[Template, float], ...]
    voices: dict[bool | None, Voice]
    open_voices: dict[bool, Voice]
    _fitting: dict[tuple[frozenset[str], frozenset[str], bool], Sentences] = field(
        default_factory=dict, repr=False, compare=False
    )

    def contradictions(self, attributes: Mapping[str, bool]) -> list[str]:
        """The exclusive sets of which more than one is true: "forehead: Bangs, Bald"."""
        found = {
            title: [name for name in names if Claim.parse(name).is_true_of(attributes)]
            for title, names in self.file.exclusive.items()
        }
        return [f"{title}: {', '.join(names)}" for title, names in found.items() if len(names) > 1]

    def sentences_for(
        self, told: Collection[str], denying: Collection[str], voice: Voice
    ) -> Sentences:
        """The templates that tell these groups; `denying` are those that cannot be adjectives."""
        key = (frozenset(told), frozenset(denying), voice.pronoun is not None)
        if key not in self._fitting:
            fitting = {
                template: weight
                for template, weight in self.sentences
                if template.fits(told, denying) and (key[2] or not template.uses("pronoun"))
            }
            self._fitting[key] = Sentences(tuple(fitting), _bounds(fitting.values()))
        return self._fitting[key]


def _bounds(weights: Iterable[float]) -> tuple[float, ...]:
    """Weights -> the share of draws up to each."""
    sums = list(accumulate(weights))
    return tuple(part / sums[-1] for part in sums)
