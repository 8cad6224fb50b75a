"""Turns a grammar file's content into a Grammar, or says everything that is wrong with it, with its lines.

First each key by itself (`grammar_file`), then what the keys have to do with one another, then the sentences
(`grammar_sentences`), and at last what is written: it must read back (`grammar_proof`).
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from tedigan.captions.english import without_article
from tedigan.captions.grammar import Claim, Grammar
from tedigan.captions.grammar_file import Attribute, GrammarFile, Person, explain
from tedigan.captions.grammar_proof import misreadings
from tedigan.captions.grammar_sentences import build_grammar, gaps, parse_sentences
from tedigan.captions.templates import FORM_SLOTS, PERSON_SLOTS
from tedigan.errors import CaptionError

Key = tuple[str, ...]
Problem = tuple[Key, str]


def parse_grammar(
    content: Mapping[str, Any], *, lines: Mapping[Key, str], known: Collection[str] | None = None
) -> Grammar:
    """A grammar file's content -> a Grammar; a CaptionError lists every problem at once.

    lines: where each key stands, such as ("attributes", "Bald") -> "my.yaml line 12"; () is the file.
    known: the attributes that there are; others are refused. None: those that the file has.
    """
    try:
        file = GrammarFile.model_validate(content)
    except ValidationError as error:
        found = [(tuple(map(str, one["loc"])), explain(one)) for one in error.errors()]
        raise _refusal(found, lines) from error
    templates, problems = parse_sentences(file)
    _refuse([*_misfits(file, known), *problems], lines)
    grammar = build_grammar(file, templates)
    _refuse(gaps(grammar), lines)
    _refuse(misreadings(grammar), lines)
    return grammar


def _refuse(problems: Iterable[Problem], lines: Mapping[Key, str]) -> None:
    if found := list(problems):
        raise _refusal(found, lines)


def _refusal(problems: list[Problem], lines: Mapping[Key, str]) -> CaptionError:
    """All problems, a line each: where, which key, and what is wrong with it."""
    told = dict.fromkeys(
        f"  {_place(key, lines)}: {'.'.join(_shown(key))}: {what}" for key, what in problems
    )
    return CaptionError(f"the caption grammar is not usable. Mend:\n{chr(10).join(told)}")


def _place(key: Key, lines: Mapping[Key, str]) -> str:
    """Where the key stands, or the nearest part of the file that holds it."""
    return next((lines[key[:end]] for end in range(len(key), -1, -1) if key[:end] in lines), "?")


def _shown(key: Key) -> Key:
    return key[:-1] if key[-1] == "[key]" else key


def _misfits(file: GrammarFile, known: Collection[str] | None) -> Iterator[Problem]:
    """References to what is not there, and what is there in vain."""
    names = {*file.attributes, *([file.subject.attribute] if file.subject.attribute else [])}
    if known is not None:
        for name in sorted(names - set(known)):
            yield ("attributes", name), f"unknown attribute; {_did_you_mean(name, known)}"
    yield from _subject_misfits(file)
    for name, attribute in file.attributes.items():
        for key, what in _attribute_misfits(attribute, file, names):
            yield ("attributes", name, *key), what
    for section in ("exclusive", "say_one_of"):
        for title, rivals in getattr(file, section).items():
            if len(rivals) < 2:
                yield (section, title), f"holds {len(rivals)}; expected two attributes or more"
            yield from _unknown_claims((section, title), rivals, names)
    yield from _noun_misfits(file)
    for section, taken in (("groups", PERSON_SLOTS), ("words", (*PERSON_SLOTS, *file.groups))):
        for name in sorted({*getattr(file, section)} & {*taken}):
            yield (section, name), f"{{{name}}} has a meaning of its own; take another name"


def _subject_misfits(file: GrammarFile) -> Iterator[Problem]:
    """Who is spoken of: words for both values of the attribute, each of one word."""
    subject = file.subject
    people = {"if_true": subject.if_true, "if_false": subject.if_false}
    for key, person in people.items():
        if subject.attribute and person is None:
            yield ("subject", key), "missing; the words for whom the attribute decides"
        for text in _people_words(person):
            if len(text.split()) > 1:
                yield ("subject", key), f"{text!r} is more than a word; expected one"
    for text in subject.forms:
        slots = re.findall(r"{(\w+)}", text)
        if (
            not slots
            or not {*slots} <= {*FORM_SLOTS}
            or re.search(r"[{}]", re.sub(r"{\w+}", "", text))
        ):
            yield (
                ("subject", "forms"),
                f"{text!r} is no form; expected {{noun}} or {{pronoun}} in it",
            )
    if all("{pronoun}" in form for form in subject.forms):
        yield ("subject", "forms"), "all hold {pronoun}; expected one with {noun} alone"


def _people_words(person: Person | None) -> list[str]:
    if person is None:
        return []
    return [*person.nouns, *([person.pronoun] if person.pronoun else []), *person.also_read]


def _attribute_misfits(
    attribute: Attribute, file: GrammarFile, names: Collection[str]
) -> Iterator[Problem]:
    said = [attribute.says, attribute.says_if_false, attribute.denies]
    if not any([*said, attribute.also_read, attribute.also_read_as_false]):
        yield (), "neither said nor read; give it `says`, or null to drop it"
    if attribute.group is None:
        if any(said):
            yield ("group",), f"missing; expected one of {', '.join(file.groups)}"
    elif attribute.group not in file.groups:
        yield (
            ("group",),
            f"unknown group {attribute.group!r}; {_did_you_mean(attribute.group, file.groups)}",
        )
    else:
        first, *others = file.groups[attribute.group].verbs
        for verb in attribute.not_after:
            if verb == first:
                yield (
                    ("not_after",),
                    f"{verb!r} is the first verb, which goes with all; expected {others}",
                )
            elif verb not in others:
                yield ("not_after",), f"{verb!r} is no verb of {attribute.group}; expected {others}"
    for key in ("only_if", "denied_only_if"):
        if (claim := getattr(attribute, key)) is not None:
            yield from _unknown_claims((key,), [claim], names)


def _unknown_claims(key: Key, claims: Iterable[str], names: Collection[str]) -> Iterator[Problem]:
    for claim in claims:
        name = Claim.parse(claim).name
        if name not in names:
            yield key, f"unknown attribute {name!r}; {_did_you_mean(name, names)}"


def _noun_misfits(file: GrammarFile) -> Iterator[Problem]:
    """What shares a noun must end in it, with an adjective before it."""
    for noun, sets in file.share_a_noun.items():
        for name in (one for names in sets for one in names):
            attribute = file.attributes.get(name)
            if attribute is None or attribute.says is None:
                hint = "give it `says`" if attribute else _did_you_mean(name, file.attributes)
                yield ("share_a_noun", noun), f"{name!r} is never said; {hint}"
                continue
            for text in attribute.says:
                if not without_article(text).endswith(f" {noun}"):
                    yield (
                        ("share_a_noun", noun),
                        f"{name} says {text!r}; expected an adjective and {noun!r}",
                    )


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names)}"
