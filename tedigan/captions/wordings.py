"""What names attributes in plain English: a thesaurus, and the words of a caption grammar.

Hand-written: thesaurus.yaml, and the frames of sentences that `composer` fills (frames.yaml).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tedigan.captions.english import ARTICLE, with_articles, without_article
from tedigan.captions.grammar import Claim, Grammar
from tedigan.captions.lexicon import NEGATORS, texts_of
from tedigan.store.files import read_text

_HERE = Path(__file__).parent
KINDS = ("who", "is", "so", "has", "wears", "do")


class Wording(NamedTuple):
    """Words, and what they state; nothing, for what is none of the attributes."""

    text: str
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class Wordings:
    """What may fill a frame's slots: by kind and attribute, by part and attribute, and what states nothing."""

    subject: str | None
    pronouns: Mapping[bool | None, str | None]
    of_kind: dict[str, dict[str, list[Wording]]]
    of_part: dict[str, dict[str, list[Wording]]]
    parts: Mapping[str, list[str]]
    beside: Mapping[str, list[str]]
    nothing: list[str]
    frames: Mapping[str, list[str]]

    @classmethod
    def of(cls, grammar: Grammar) -> "Wordings":
        """The thesaurus for those attributes that the grammar knows, and the grammar's own words."""
        table, frames = (_read(_HERE / name) for name in ("thesaurus.yaml", "frames.yaml"))
        file = grammar.file
        known = {*file.attributes, file.subject.attribute}
        thesaurus = {name: one for name, one in table["attributes"].items() if name in known}
        found = [*_of_thesaurus(thesaurus, table["parts"]), *_of_grammar(grammar, thesaurus)]
        found += [("who", one) for one in _of_people(table["people"]) if _knows(known, one)]
        people = {True: file.subject.if_true, False: file.subject.if_false}
        pronouns: dict[bool | None, str | None] = {None: None}
        pronouns |= {holds: one.pronoun if one else None for holds, one in people.items()}
        parts = [
            (part, Wording(text, (Claim(name, holds),)))
            for name, entry in thesaurus.items()
            for holds, part, text in _adjectives(entry)
        ]
        beside = table["beside"] | {"anyone": table["anyone"]}
        return cls(
            file.subject.attribute, pronouns, _by_name(found), _by_name(parts),
            table["parts"], beside, table["nothing"], frames,
        )  # fmt: skip


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(read_text(path))
    return content


def _of_thesaurus(
    table: Mapping[str, Any], parts: Mapping[str, list[str]]
) -> Iterator[tuple[str, Wording]]:
    for name, entry in table.items():
        for holds, before in ((True, ""), (False, "not ")):
            claims = (Claim(name, holds),)
            for kind in KINDS:
                for text in entry.get(before + kind, ()):
                    yield kind, Wording(text, claims)
        for holds, part, adjective in _adjectives(entry):
            claims = (Claim(name, holds),)
            if " as " in adjective or " of " in adjective:
                continue
            for noun in dict.fromkeys(parts[part]):
                bare = without_article(noun)
                article = "" if bare == noun else f"{ARTICLE} "
                yield "has", Wording(with_articles(f"{article}{adjective} {bare}"), claims)
            if part == "hair":
                yield "is", Wording(f"{adjective}-haired", claims)


def _adjectives(entry: Mapping[str, Any]) -> Iterator[tuple[bool, str, str]]:
    """Whether it holds, the part, and an adjective of it."""
    for holds, key in ((True, "of"), (False, "not of")):
        for part, texts in entry.get(key, {}).items():
            yield from ((holds, part, text) for text in texts)


def _of_grammar(grammar: Grammar, thesaurus: Collection[str]) -> Iterator[tuple[str, Wording]]:
    """What the grammar says, as its group's verb would have it; and the subject's nouns.

    What it only reads is of any kind, and is taken where the thesaurus does not know the attribute.
    """
    for name, attribute in grammar.file.attributes.items():
        kind = attribute.group if attribute.group in ("has", "wears") else "so"
        if name in thesaurus:
            attribute = attribute.model_copy(update={"also_read": (), "also_read_as_false": ()})
        for text, claim in texts_of(name, attribute):
            if text.split()[0] not in NEGATORS:
                yield kind, Wording(text, (claim,))
    subject = grammar.file.subject
    for holds, person in ((True, subject.if_true), (False, subject.if_false)):
        if subject.attribute and person:
            for noun in person.nouns:
                yield "who", Wording(noun, (Claim(subject.attribute, holds),))


def _of_people(table: Mapping[str, list[str]]) -> Iterator[Wording]:
    for text, claims in table.items():
        yield Wording(text, tuple(map(Claim.parse, claims)))


def _knows(names: Iterable[str | None], one: Wording) -> bool:
    return {claim.name for claim in one.claims} <= set(names)


def _by_name(found: Iterable[tuple[str, Wording]]) -> dict[str, dict[str, list[Wording]]]:
    tables: dict[str, dict[str, list[Wording]]] = {kind: {} for kind in KINDS}
    for kind, one in dict.fromkeys(found):
        tables.setdefault(kind, {}).setdefault(one.claims[0].name, []).append(one)
    return tables
