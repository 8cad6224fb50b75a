"""The words that a grammar's captions, and those of others, name attributes by."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tedigan.captions.grammar import Claim
from tedigan.captions.grammar_file import Attribute, GrammarFile
from tedigan.captions.tokens import phrase_tokens, singular

NEGATORS = frozenset(
    "no not nothing without never hardly barely scarcely lack lacking neither nor cannot".split()
)
CONJUNCTIONS = frozenset(", and or but".split())


@dataclass(frozen=True)
class Phrase:
    """Tokens in a row that name a claim; of an ignored phrase the claim is None.

    between: tokens that may stand before the last one, as in "wavy, long [brown] hair".
    """

    tokens: tuple[str, ...]
    claim: Claim | None
    between: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Lexicon:
    """Phrases by their first token, longest first; adjectives by their noun; words for the subject."""

    spellings: dict[str, str]
    modifiers: frozenset[str]
    phrases: dict[str, list[Phrase]] = field(default_factory=dict)
    adjectives: dict[str, list[Phrase]] = field(default_factory=dict)
    people: dict[str, Claim] = field(default_factory=dict)

    @classmethod
    def of(cls, file: GrammarFile) -> "Lexicon":
        """All that the file writes and reads."""
        spellings = {singular(word): singular(other) for word, other in file.spellings.items()}
        lexicon = cls(spellings, frozenset(singular(word) for word in file.modifiers))
        named = {
            naming(text, claim, spellings)
            for name, attribute in file.attributes.items()
            for text, claim in texts_of(name, attribute)
        }
        named |= {(phrase_tokens(text, spellings), None) for text in file.ignored}
        lexicon._fill(sorted(named, key=lambda one: (-len(one[0]), one[0])))
        lexicon.people.update(_people(file, spellings))
        return lexicon

    def _fill(self, named: list[tuple[tuple[str, ...], Claim | None]]) -> None:
        before: dict[str, set[str]] = {}
        for tokens, _ in named:
            before.setdefault(tokens[-1], set()).update(tokens[:-1])
        for tokens, claim in named:
            between = CONJUNCTIONS | self.modifiers | before[tokens[-1]]
            phrase = Phrase(tokens, claim, between if len(tokens) > 1 else frozenset())
            self.phrases.setdefault(tokens[0], []).append(phrase)
            if len(tokens) > 1 and claim is not None:
                self.adjectives.setdefault(tokens[-1], []).append(phrase)


def texts_of(name: str, attribute: Attribute) -> Iterator[tuple[str, Claim]]:
    """Every text that names the attribute, and as what."""
    for holds, texts in (
        (True, (*(attribute.says or ()), *attribute.also_read)),
        (
            False,
            (
                *(attribute.says_if_false or ()),
                *(attribute.denies or ()),
                *attribute.also_read_as_false,
            ),
        ),
    ):
        yield from ((text, Claim(name, holds)) for text in texts)


def naming(
    text: str, claim: Claim, spellings: dict[str, str]
) -> tuple[tuple[str, ...], Claim | None]:
    """A text's tokens and claim; "no beard" is the opposite of "beard"."""
    tokens = phrase_tokens(text, spellings)
    while len(tokens) > 1 and tokens[0] in NEGATORS:
        tokens, claim = tokens[1:], Claim(claim.name, not claim.holds)
    return tokens, claim


def _people(file: GrammarFile, spellings: dict[str, str]) -> Iterator[tuple[str, Claim]]:
    """The words that tell the subject's attribute: man, he, his."""
    for holds, person in ((True, file.subject.if_true), (False, file.subject.if_false)):
        if file.subject.attribute and person:
            own = [person.pronoun] if person.pronoun else []
            for text in (*person.nouns, *own, *person.also_read):
                word = singular(text.lower())
                yield spellings.get(word, word), Claim(file.subject.attribute, holds)
