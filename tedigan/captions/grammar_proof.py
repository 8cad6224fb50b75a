"""The proof of a grammar: what it writes is read back as what it says."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import torch

from tedigan.captions.grammar import Claim, Grammar
from tedigan.captions.grammar_file import GrammarFile
from tedigan.captions.lexicon import naming, texts_of
from tedigan.captions.reader import Reader
from tedigan.captions.writer import Caption, draw_captions

_NUM_FACES = 30
_MOST_TOLD = 3  # sentences that are shown
_ILL_FORMED = re.compile(r"  | [,.]|,,|\.\.|^ | $")
Problem = tuple[tuple[str, ...], str]


def misreadings(grammar: Grammar) -> Iterator[Problem]:
    """Phrases that mean two things, phrases that are not read as what they say, and then whole captions."""
    reader = Reader(grammar)
    yield from (
        [*_ambiguous(grammar.file, reader)]
        or [*_unread(grammar.file, reader), *_meddling(grammar.file, reader)]
        or _captions(_denying(grammar), reader)
    )


def _ambiguous(file: GrammarFile, reader: Reader) -> Iterator[Problem]:
    """Two attributes, or an attribute and its opposite, that go by the same words."""
    seen: dict[tuple[str, ...], tuple[Claim | None, str]] = {}
    for name, attribute in file.attributes.items():
        for text, claim in texts_of(name, attribute):
            tokens, meant = naming(text, claim, reader.lexicon.spellings)
            other, words = seen.setdefault(tokens, (meant, text))
            if other is not None and other != meant:
                yield (
                    ("attributes", name),
                    f"{text!r} is the same as {words!r} of {other.name}; expected words that mean one thing",
                )


def _unread(file: GrammarFile, reader: Reader) -> Iterator[Problem]:
    for name, attribute in file.attributes.items():
        for text, claim in texts_of(name, attribute):
            named = {
                key: holds
                for key, holds in reader.read(text).items()
                if key != file.subject.attribute
            }
            if named != {name: claim.holds}:
                yield (
                    ("attributes", name),
                    f"{text!r} is read as {_told(named)}; expected {_told({name: claim.holds})}. Take other words",
                )


def _meddling(file: GrammarFile, reader: Reader) -> Iterator[Problem]:
    """Verbs, nouns and other words that name an attribute by themselves."""
    verbs = [
        (("groups", name), text) for name, group in file.groups.items() for text in group.verbs
    ]
    words = [(("words", name), text) for name, texts in file.words.items() for text in texts]
    nouns = [(("subject", "neutral"), text) for text in file.subject.neutral.nouns]
    for key, text in [*verbs, *words, *nouns]:
        if named := reader.read(text):
            yield key, f"{text!r} is read as {_told(named)}; expected words that name nothing"


def _denying(grammar: Grammar) -> Grammar:
    """The same with denials in half of the captions, as a data set may ask for them."""
    denials = grammar.file.denials.model_copy(update={"share": 0.5})
    return replace(grammar, file=grammar.file.model_copy(update={"denials": denials}))


def _captions(grammar: Grammar, reader: Reader) -> Iterator[Problem]:
    """Captions of random faces, in all templates, that are ill-formed or misread."""
    generator = torch.Generator().manual_seed(0)
    names = sorted({said.claim.name for said in grammar.statements})
    names += [grammar.file.subject.attribute] if grammar.file.subject.attribute else []
    faces = (
        dict(zip(names, (torch.rand(len(names), generator=generator) < 0.5).tolist(), strict=True))
        for _ in range(_NUM_FACES)
    )
    problems = (
        (("sentences",), f"{caption.text!r} {problem}. Take other words")
        for face in faces
        for caption in draw_captions(face, grammar=grammar, num_captions=10, generator=generator)
        for problem in _problems(caption, reader)
    )
    yield from islice(problems, _MOST_TOLD)


def _problems(caption: Caption, reader: Reader) -> Iterator[str]:
    if _ILL_FORMED.search(caption.text):
        yield "has spaces or marks too many; expected one space between words"
    named = reader.read(caption.text)
    if named != caption.named:
        yield f"is read as {_told(named)}; expected {_told(caption.named)}"


def _told(named: dict[str, bool]) -> str:
    """Bald, not Male; or "nothing"."""
    return (
        ", ".join(name if holds else f"not {name}" for name, holds in sorted(named.items()))
        or "nothing"
    )
