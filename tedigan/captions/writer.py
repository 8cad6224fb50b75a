"""Captions of a face, written from its attributes by a grammar."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product

import torch

from tedigan.captions.dice import Dice
from tedigan.captions.english import (
    ARTICLE,
    as_plain,
    as_sentence,
    enumerate_phrases,
    is_denial,
    join_clauses,
    with_articles,
    without_article,
)
from tedigan.captions.grammar import Claim, Grammar, Group, Said, Voice
from tedigan.captions.templates import Slot, Template, fill_form


@dataclass(frozen=True)
class Caption:
    """A sentence, and the attributes that it states (Male also as False: "she")."""

    text: str
    named: dict[str, bool]


def draw_captions(
    attributes: Mapping[str, bool],
    *,
    grammar: Grammar,
    num_captions: int,
    generator: torch.Generator,
) -> list[Caption]:
    """Distinct captions of one face, each stating a random part of what is known of it, another part if it can.

    attributes: by name; those that the grammar does not know are not spoken of, and those that are missing are
    left open. A face without any still gets as many, from its noun and the sentence around it; 100 always fit.
    """
    dice = Dice(generator)
    face = _Face.draw(attributes, grammar, dice)
    captions: dict[str, Caption] = {}
    told: set[frozenset[str]] = set()
    num_passed = 0  # captions that would tell again what one told already
    for _ in range(6 * num_captions):
        caption = _draw_caption(face, grammar, dice)
        facts = frozenset(caption.named.keys() - {grammar.file.subject.attribute})
        if facts in told and num_passed < 2 * num_captions:
            num_passed += 1
            continue
        told.add(facts)
        captions.setdefault(caption.text, caption)
        if len(captions) == num_captions:
            return list(captions.values())
    for caption in bare_captions(grammar, face.holds):
        captions.setdefault(caption.text, caption)
        if len(captions) == num_captions:
            return list(captions.values())
    raise AssertionError(
        f"only {len(captions)} of {num_captions} distinct captions could be written"
    )


def draw_whole_caption(
    attributes: Mapping[str, bool], *, grammar: Grammar, generator: torch.Generator
) -> Caption:
    """A caption that states all of the face for which the grammar has words, what it lacks too.

    What goes without saying is left out ("no bangs" of a bald man), as is all but one of what excludes each other.
    """
    dice = Dice(generator)
    face = _Face.draw(attributes, grammar, dice)
    return _write(_Told.whole(face, grammar, dice), grammar.voices[face.holds], grammar, dice)


def count_bare_captions(grammar: Grammar, *, most: int) -> int:
    """Distinct captions, at most so many, of a face of which nothing at all is known."""
    captions = bare_captions(grammar, None)
    return len(set(islice((caption.text for caption in captions), most * most)))


def bare_captions(grammar: Grammar, holds: bool | None) -> Iterator[Caption]:
    """Every caption that states nothing but, at most, the subject's attribute, which `holds` or not."""
    for voice in (grammar.voices[value] for value in dict.fromkeys((holds, None))):
        for template in grammar.sentences_for((), (), voice).templates:
            slots = [slot for slot in template.slots() if not slot.groups]
            for noun in voice.nouns.texts:
                for values in product(*(_fillings(slot, grammar, voice, noun) for slot in slots)):
                    left = iter(values)
                    text = template.fill((), lambda _, left=left: next(left))  # type: ignore[misc]
                    yield _finish(text, grammar, template, voice, [], plain=False)


def _fillings(slot: Slot, grammar: Grammar, voice: Voice, noun: str) -> tuple[str, ...]:
    """All that may fill a slot that tells no group."""
    if slot.kind == "word":
        return grammar.words[slot.name].texts
    if slot.name == "subject":
        return tuple(fill_form(form, noun, voice.pronoun) for form in voice.forms.texts)
    return (_person(slot.name, noun, voice),)


def _person(slot_name: str, noun: str, voice: Voice) -> str:
    """What {a}, {noun} or {pronoun} becomes."""
    return {"a": ARTICLE, "noun": noun, "pronoun": voice.pronoun or ""}[slot_name]


@dataclass(frozen=True)
class _Face:
    """What may be said of a face, without contradictions. holds: the subject's attribute, None if unknown."""

    holds: bool | None
    statements: dict[str, list[Said]]
    denials: list[Said]

    @classmethod
    def draw(cls, attributes: Mapping[str, bool], grammar: Grammar, dice: Dice) -> "_Face":
        """Where two attributes exclude each other, one is drawn for all captions of the face."""
        sayable = [said for said in grammar.statements if _is_true(said, attributes)]
        true = {said.claim for said in sayable}
        silent: set[Claim] = set()
        for rivals in grammar.rivals:
            present = [claim for claim in rivals if claim in true and claim not in silent]
            if len(present) > 1:
                kept = dice.one_of(present)
                silent.update(claim for claim in present if claim != kept)
        groups: dict[str, list[Said]] = {}
        for said in sayable:
            if said.claim not in silent:
                groups.setdefault(said.group, []).append(said)
        deniable = [
            said
            for said in grammar.denials
            if _is_true(said, attributes) and not _goes_without_saying(said, true, grammar)
        ]
        return cls(attributes.get(grammar.file.subject.attribute or ""), groups, deniable)


def _is_true(said: Said, face: Mapping[str, bool]) -> bool:
    """Does the face have the claim, and what it depends on?"""
    is_odd = said.only_if is not None and said.only_if.is_false_of(face)
    return said.claim.is_true_of(face) and not is_odd


def _goes_without_saying(said: Said, true: set[Claim], grammar: Grammar) -> bool:
    """Would the denial only repeat what something else excludes, as "no bangs" of a bald man?"""
    denied = Claim(said.claim.name, not said.claim.holds)
    return any(denied in rivals and true & set(rivals) for rivals in grammar.rivals)


def _draw_caption(face: _Face, grammar: Grammar, dice: Dice) -> Caption:
    """One sentence of one of the templates that fit what was drawn to be said."""
    told = _Told.draw(face, grammar, dice)
    voice = grammar.voices[face.holds]
    if face.holds is not None and dice.share() < grammar.file.subject.neutral_share:
        voice = grammar.open_voices.get(face.holds, grammar.voices[None])
    return _write(told, voice, grammar, dice)


def _write(told: "_Told", voice: Voice, grammar: Grammar, dice: Dice) -> Caption:
    """A sentence that says it."""
    template = grammar.sentences_for(told.groups, told.denying, voice).at(dice.share())
    noun = voice.nouns.at(dice.share())

    def filling(slot: Slot) -> str:
        if slot.kind == "word":
            return grammar.words[slot.name].at(dice.share())
        if slot.kind != "person":
            return told.text_of(slot, dice)
        if slot.name == "subject":
            return fill_form(voice.forms.at(dice.share()), noun, voice.pronoun)
        return _person(slot.name, noun, voice)

    text = template.fill(told.groups, filling)
    is_plain = grammar.file.plain_share > 0 and dice.share() < grammar.file.plain_share
    return _finish(text, grammar, template, voice, told.said, plain=is_plain)


def _finish(
    text: str,
    grammar: Grammar,
    template: Template,
    voice: Voice,
    said: Sequence[Said],
    *,
    plain: bool,
) -> Caption:
    """The finished sentence with all that it states."""
    named = {one.claim.name: one.claim.holds for one in said}
    name = grammar.file.subject.attribute
    if voice.holds is not None and name and template.uses(*voice.telling):
        named[name] = voice.holds
    text = with_articles(text)
    return Caption(as_plain(text) if plain else as_sentence(text), named)


class _Told:
    """What one caption says: the statements of each group, and a phrase for each."""

    def __init__(self, grammar: Grammar, groups: dict[str, list[Said]], dice: Dice) -> None:
        self.grammar = grammar
        self.groups = groups
        self.said = [one for statements in groups.values() for one in statements]
        self.phrases = {one.claim.name: one.phrases.at(dice.share()) for one in self.said}
        self.denying = {one.group for one in self.said if is_denial(self.phrases[one.claim.name])}

    @classmethod
    def draw(cls, face: _Face, grammar: Grammar, dice: Dice) -> "_Told":
        """A random part of what may be said of the face; at least something, if there is anything."""
        groups = {
            name: dice.some_of(face.statements[name], group.most)
            for name, group in grammar.groups.items()
            if name in face.statements and dice.share() < group.share
        }
        if face.statements and not groups:
            name = dice.one_of([*face.statements])
            groups[name] = dice.some_of(face.statements[name], grammar.groups[name].most)
        denials = grammar.file.denials
        if face.denials and denials.share > 0 and dice.share() < denials.share:
            for one in dice.some_of(face.denials, denials.most):
                groups.setdefault(one.group, []).append(one)
        return cls(grammar, groups, dice)

    @classmethod
    def whole(cls, face: _Face, grammar: Grammar, dice: Dice) -> "_Told":
        """All that may be said of the face, in a random order."""
        stated = (said for group in face.statements.values() for said in group)
        sayable = {said.claim: said for said in (*face.denials, *stated)}
        groups: dict[str, list[Said]] = {}
        for said in sorted(sayable.values(), key=lambda _: dice.share()):
            groups.setdefault(said.group, []).append(said)
        return cls(grammar, groups, dice)

    def text_of(self, slot: Slot, dice: Dice) -> str:
        """The slot's groups, as it wants them."""
        if slot.kind == "adjectives":
            return self._adjectives(slot.name)
        if slot.kind == "list":
            return enumerate_phrases(self._phrases(slot.name))
        clauses = [self._clause(group, dice) for group in slot.groups if group in self.groups]
        return " and ".join(clauses) if slot.kind == "and" else join_clauses(clauses)

    def _clause(self, name: str, dice: Dice) -> str:
        """The group's verb and its phrases."""
        verb = self._verb(name, self.grammar.groups[name], dice)
        return f"{verb} {enumerate_phrases(self._phrases(name))}"

    def _verb(self, name: str, group: Group, dice: Dice) -> str:
        """Denials take the first verb, and some statements do not go with all."""
        if name in self.denying:
            return group.verbs.texts[0]
        unfit = {verb for one in self.groups[name] for verb in one.not_after}
        verb = group.verbs.at(dice.share())
        return group.verbs.texts[0] if verb in unfit else verb

    def _adjectives(self, name: str) -> str:
        """Before the noun, in the order of the file: "smiling young", "attractive, smiling, young"."""
        order = [one.claim.name for one in self.grammar.statements]
        names = sorted((one.claim.name for one in self.groups[name]), key=order.index)
        words = [self.phrases[one] for one in names]
        return (", " if len(words) > 2 else " ").join(words)

    def _phrases(self, name: str) -> list[str]:
        """The phrases of the group; two that share their noun become one."""
        phrases = {one.claim.name: self.phrases[one.claim.name] for one in self.groups[name]}
        if len(phrases) > 1:
            stated = [one.claim.name for one in self.groups[name] if one.claim.holds]
            for firsts, seconds in self.grammar.noun_pairs:
                first = next((one for one in stated if one in firsts), None)
                second = next((one for one in stated if one in seconds), None)
                if first and second:
                    adjective = phrases.pop(first).rsplit(" ", 1)[0]
                    phrases[second] = f"{adjective} {without_article(phrases[second])}"
        return list(phrases.values())
