"""The sentences of a grammar: its templates parsed, and whether they can tell whatever there is to tell."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, combinations

from tedigan.captions.grammar import Choices, Claim, Grammar, Group, Said, Voice
from tedigan.captions.grammar_file import GrammarFile, Person, Phrases
from tedigan.captions.templates import Template, TemplateError, parse_template
from tedigan.captions.writer import count_bare_captions

MOST_CAPTIONS = 100  # that a face may be asked for, however little is known of it
Problem = tuple[tuple[str, ...], str]


def parse_sentences(file: GrammarFile) -> tuple[list[tuple[Template, float]], list[Problem]]:
    """The templates with their weights, and what is wrong with the others."""
    templates: list[tuple[Template, float]] = []
    problems: list[Problem] = []
    for name, sentence in file.sentences.items():
        try:
            template = parse_template(sentence.text, groups=file.groups, words=file.words)
        except TemplateError as error:
            problems.append((("sentences", name, "text"), f"{error} (got {sentence.text!r})"))
        else:
            templates.append((template, sentence.weight))
    return templates, problems


def build_grammar(file: GrammarFile, templates: list[tuple[Template, float]]) -> Grammar:
    """A checked file, ready to draw from."""
    statements = [
        said
        for name, attribute in file.attributes.items()
        for holds, phrases in ((True, attribute.says), (False, attribute.says_if_false))
        for said in _said(file, Claim(name, holds), phrases)
    ]
    denials = [
        said
        for name, attribute in file.attributes.items()
        for said in _said(file, Claim(name, False), attribute.denies, attribute.denied_only_if)
    ]
    subject = file.subject
    people = {True: subject.if_true, False: subject.if_false, None: subject.neutral}
    voices = {holds: _voice(file, holds, one) for holds, one in people.items() if one}
    return Grammar(
        file=file,
        groups={
            name: Group(Choices.of(group.verbs), group.share, group.most)
            for name, group in file.groups.items()
        },
        statements=tuple(statements),
        denials=tuple(denials),
        rivals=tuple(
            tuple(map(Claim.parse, names))
            for names in (*file.exclusive.values(), *file.say_one_of.values())
        ),
        noun_pairs=tuple(file.share_a_noun.values()),
        words={name: Choices.of(texts) for name, texts in file.words.items()},
        sentences=tuple(templates),
        voices=voices,
        open_voices={
            holds: replace(voices[None], holds=holds, pronoun=voice.pronoun, telling=("pronoun",))
            for holds, voice in voices.items()
            if holds is not None and voice.pronoun
        },
    )


def _said(
    file: GrammarFile, claim: Claim, phrases: Phrases | None, only_if: str | None = None
) -> list[Said]:
    """What states the claim, if anything does."""
    attribute = file.attributes[claim.name]
    if phrases is None or attribute.group is None:
        return []
    only_if = only_if or attribute.only_if
    claimed = None if only_if is None else Claim.parse(only_if)
    return [
        Said(claim, attribute.group, Choices.of(phrases), claimed, frozenset(attribute.not_after))
    ]


def _voice(file: GrammarFile, holds: bool | None, person: Person) -> Voice:
    """A person's words; without a pronoun, the forms that need none."""
    forms = {
        form: weight
        for form, weight in file.subject.forms.items()
        if person.pronoun or "{pronoun}" not in form
    }
    return Voice(holds, Choices.of(person.nouns), person.pronoun, Choices.of(forms))


def gaps(grammar: Grammar) -> Iterator[Problem]:
    """What no sentence could tell."""
    subsets = chain.from_iterable(
        combinations(grammar.groups, count) for count in range(1, len(grammar.groups) + 1)
    )
    voice = grammar.voices[None]
    for told in subsets:
        if not grammar.sentences_for(told, told, voice).templates:
            slots = " and ".join(told)
            yield (
                ("sentences",),
                f"none tells {slots} of a {voice.nouns.texts[0]} without adjectives before the noun; "
                f'add one such as "{{subject}} {{{slots}}}"',
            )
    if (count := count_bare_captions(grammar, most=MOST_CAPTIONS)) < MOST_CAPTIONS:
        yield (
            ("sentences",),
            f"only {count} captions can be written of a {voice.nouns.texts[0]} of whom nothing is known; expected "
            f"{MOST_CAPTIONS}. Add sentences that need no group, or `words` to them",
        )
