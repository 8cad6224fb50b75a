"""Sentences in open wording: that what they are said to state is what they state."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tedigan.captions.composer import FRAME_SHARES, Sentence, compose
from tedigan.captions.dice import Dice
from tedigan.captions.grammar import Claim
from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.wordings import Wordings
from tedigan.tensors import stream
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES

GRAMMAR = load_grammar()
WORDINGS = Wordings.of(GRAMMAR)


def drawn(frame: str, count: int = 60) -> list[Sentence]:
    """Sentences of one frame, without typing errors or contraries, which other sentences may have."""
    frames = {kind: [frame] for kind in FRAME_SHARES}
    dice = Dice(stream("wordings", frame))
    words = replace(WORDINGS, frames=frames, nothing=["-"])
    found = [compose(words, dice) for _ in range(count)]
    return [one for one in found if one.text.strip(".!") != "-" and not both_ways(one)]


def both_ways(one: Sentence) -> bool:
    return any(Claim(name, not holds) in one.claims for name, holds in one.claims)


def stated(kind: str, holds: bool) -> dict[str, str]:
    """Wordings of a kind that state one attribute, and which."""
    tables = WORDINGS.of_kind[kind].values()
    one = [(word.text, word.claims[0]) for table in tables for word in table]
    return {text: claim.name for text, claim in one if claim.holds is holds}


def test_sentences_are_whole_and_speak_of_every_attribute_both_ways() -> None:
    dice = Dice(stream("all"))
    found = [compose(WORDINGS, dice) for _ in range(6000)]
    assert not [one.text for one in found if re.search(r"[{}\N{NO-BREAK SPACE}]|  ", one.text)]
    assert {claim.name for one in found for claim in one.claims} == set(ATTRIBUTE_NAMES)
    assert len({claim for one in found for claim in one.claims}) == 2 * len(ATTRIBUTE_NAMES)
    assert len({one.text for one in found}) > 5500


def test_equal_dice_write_equal_sentences() -> None:
    one, other = Dice(stream("again")), Dice(stream("again"))
    assert [compose(WORDINGS, one) for _ in range(50)] == [
        compose(WORDINGS, other) for _ in range(50)
    ]


@pytest.mark.parametrize(("frame", "holds"), [("see {wears}", True), ("see no {no wears}", False)])
def test_what_is_denied_is_denied(frame: str, holds: bool) -> None:
    usual = stated("wears", True)
    for text, claims in drawn(frame):
        thing = text.lower().strip(".!").removeprefix("see ").removeprefix("no ")
        names = {name for words, name in usual.items() if words.lower().removeprefix("a ") == thing}
        for name in names:
            assert claims == {Claim(name, holds)}, text


@pytest.mark.parametrize(
    ("frame", "holds"), [("{his} {part} is {how}", True), ("{his} {part} isn't {no how}", False)]
)
def test_a_part_and_its_adjective_are_one_claim(frame: str, holds: bool) -> None:
    words = [one for part in WORDINGS.of_part.values() for table in part.values() for one in table]
    for text, claims in drawn(frame):
        how = re.split(" is | isn't ", text.lower().strip(".!"))[-1]
        told = {
            Claim(name, is_so is holds)
            for one in words
            for name, is_so in one.claims
            if one.text.lower() == how
        }
        assert len([claim for claim in claims if claim.name != "Male"]) == 1
        assert not told or told & claims, text


def test_pronouns_tell_who_it_is_and_old_ones_do_not() -> None:
    for text, claims in drawn("see {him}"):
        word = text.lower().strip(".!").removeprefix("see ")
        expected = {"him": {Claim("Male", True)}, "her": {Claim("Male", False)}}
        assert claims == expected.get(word, set()), text
    for text, claims in drawn("turn {old him} into {a} {man}"):
        assert len([claim for claim in claims if claim.name == "Male"]) == 1, text


def test_nothing_is_stated_by_what_stands_beside_the_attributes() -> None:
    for frame in WORDINGS.frames["nothing"]:
        assert all(not one.claims for one in drawn(frame, 5)), frame


def test_a_grammars_own_attributes_are_spoken_of_and_no_others(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "extends: celeba\nattributes:\n  Chubby: null\n  Freckles: {group: has, says: [freckles]}\n"
    )
    words, dice = Wordings.of(load_grammar(own)), Dice(stream("own"))
    names = {claim.name for _ in range(3000) for claim in compose(words, dice).claims}
    assert names == {*ATTRIBUTE_NAMES, "Freckles"} - {"Chubby"}
