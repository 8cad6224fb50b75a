"""Caption grammars: one of its own for cats, and everything that a file may have wrong, each with its advice."""

import pickle
from copy import deepcopy
from functools import reduce
from operator import getitem
from typing import Any

import pytest

from tedigan.captions.grammar import Grammar
from tedigan.captions.grammar_check import parse_grammar
from tedigan.captions.reader import Reader
from tedigan.captions.writer import draw_captions
from tedigan.errors import CaptionError
from tedigan.tensors import stream

PICTURE = "{this} {picture} {shows} {a} {size} {noun}"
CATS: dict[str, Any] = {
    "subject": {"neutral": {"nouns": ["cat"]}, "forms": ["this {noun}", "the {noun}"]},
    "groups": {
        "is": {"verbs": {"is": 2, "looks": 1}, "share": 0.8},
        "has": {"verbs": ["has"]},
    },
    "attributes": {
        "Fluffy": {"group": "is", "says": ["fluffy"], "denies": ["not fluffy"]},
        "Asleep": {"group": "is", "says": ["asleep"], "says_if_false": ["awake"]},
        "Black": {"group": "has", "says": ["black fur"]},
        "White": {"group": "has", "says": ["white fur"]},
        "Striped": {"group": "has", "says": ["striped fur"]},
        "Collar": {"group": "has", "says": ["a collar"], "also_read": ["neckband"]},
    },
    "exclusive": {"colour": ["Black", "White"]},
    "share_a_noun": {"fur": [["Striped"], ["Black", "White"]]},
    "sentences": {
        "clauses": {"weight": 3, "text": "{subject} {is, has}"},
        "picture": f"{PICTURE}[ with {{has.list}}][ that {{is}}]",
    },
    "words": {
        "this": ["this", "the"],
        "picture": ["picture", "photo", "image", "print", "print-out"],
        "shows": ["shows", "presents", "depicts"],
        "size": ["certain", "lone", "single", "unknown"],
    },
}


GONE = object()


def changed(key: str, value: Any) -> dict[str, Any]:
    """The cats' grammar with another value at a key such as "groups.is.share"."""
    content = deepcopy(CATS)
    *above, last = key.split(".")
    place = reduce(getitem, above, content)
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return content


def parse(content: dict[str, Any], known: set[str] | None = None) -> Grammar:
    return parse_grammar(content, lines={(): "cats.yaml"}, known=known)


def test_a_grammar_of_cats_writes_what_it_reads() -> None:
    grammar = parse(CATS)
    reader = Reader(grammar)
    face = {"Fluffy": True, "Asleep": False, "Striped": True, "White": True, "Collar": True}
    captions = draw_captions(face, grammar=grammar, num_captions=40, generator=stream(0))
    assert all(reader.read(caption.text) == caption.named for caption in captions)
    text = " ".join(caption.text for caption in captions)
    for phrase in ["striped white fur", "fluffy and awake", "an unknown cat", "a lone cat"]:
        assert phrase in text


def test_weights_are_shares() -> None:
    grammar = parse(changed("groups.is.verbs", {"is": 9, "looks": 1}))
    texts = [
        draw_captions({"Fluffy": True}, grammar=grammar, num_captions=1, generator=stream(index))[
            0
        ].text
        for index in range(600)
    ]
    looks = sum(" looks fluffy" in text for text in texts)
    says = sum(" is fluffy" in text for text in texts)
    assert looks / (looks + says) == pytest.approx(0.1, abs=0.04)


def test_of_an_exclusive_set_one_is_said_for_all_captions() -> None:
    grammar = parse(CATS)
    for seed in range(20):
        captions = draw_captions(
            {"Black": True, "White": True},
            grammar=grammar,
            num_captions=20,
            generator=stream(seed),
        )
        assert len({name for caption in captions for name in caption.named}) == 1


def test_contradictions_are_named_by_their_set() -> None:
    grammar = parse(CATS)
    assert grammar.contradictions({"Black": True, "White": True}) == ["colour: Black, White"]
    assert grammar.contradictions({"Black": True, "White": False, "Collar": True}) == []


def test_a_grammar_travels_to_other_processes() -> None:
    grammar = parse(CATS)
    there = pickle.loads(pickle.dumps(grammar))
    face = {"Fluffy": True, "Collar": True}
    assert draw_captions(
        face, grammar=grammar, num_captions=10, generator=stream(3)
    ) == draw_captions(face, grammar=there, num_captions=10, generator=stream(3))


PROBLEMS: list[tuple[str, Any, str]] = [
    # each key by itself
    ("attribs", {}, r"attribs: unknown key; did you mean `attributes`"),
    ("attributes.Black.say", ["x"], r"unknown key; did you mean `says`"),
    ("groups", GONE, r"groups: missing; add it .*extends: celeba"),
    ("attributes.Black.says", [""], r"is empty; write the words"),
    ("attributes.Black.says", [], r"Black.says: .*at least 1 item"),
    ("attributes.Black.says", ["black, fur"], r"holds ','; expected words"),
    ("attributes.Black.says", ["black  fur"], r"double spaces; expected single ones"),
    ("attributes.Collar.says", ["an collar"], r"mend the article"),
    ("attributes.Black.says", [5], r"put what looks like a number in quotes"),
    ("attributes.Fluffy.says", ["soft", "soft"], r"soft stands twice; give it a weight"),
    ("attributes.Fluffy.says", {"fluffy": 0}, r"greater than 0 \(got 0\)"),
    ("sentences.clauses.weight", -1, r"clauses.weight: .*greater than 0"),
    ("groups.is.share", 1.5, r"share: .*less than or equal to 1"),
    ("subject", 3, r"subject: .*\(got 3\)"),
    # what the keys have to do with one another
    ("attributes.Collar.group", "haz", r"unknown group 'haz'; did you mean 'has'"),
    ("attributes.Collar.group", GONE, r"Collar.group: missing; expected one of is, has"),
    ("attributes.Tail", {}, r"Tail: neither said nor read; give it `says`"),
    ("exclusive.x", ["Blck", "White"], r"unknown attribute 'Blck'; did you mean 'Black'"),
    ("say_one_of", {"x": ["White"]}, r"x: holds 1; expected two attributes or more"),
    ("attributes.Collar.only_if", "Tame", r"only_if: unknown attribute 'Tame'"),
    ("attributes.Fluffy.not_after", ["has"], r"'has' is no verb of is; expected \['looks'\]"),
    ("attributes.Fluffy.not_after", ["is"], r"the first verb, which goes with all"),
    ("attributes.Black.says", ["black hair"], r"expected an adjective and 'fur'"),
    ("share_a_noun.fur", [["Whte"], ["Black"]], r"'Whte' is never said; did you mean 'White'"),
    ("words.has", ["x"], r"words.has: .*take another name"),
    ("subject.forms", ["this one"], r"is no form; expected {noun} or {pronoun}"),
    ("subject.forms", ["{pronoun}"], r"expected one with {noun} alone"),
    ("subject.attribute", "Male", r"subject.if_true: missing"),
    # the sentences
    ("sentences.x", "{subject} {haz}", r"x.text: unknown slot {haz}; known are"),
    ("sentences.x", "{subject} [{is}", r"braces and brackets must close"),
    ("sentences.x", "{a} {noun}[ here] {is}", r"names no group, so it would never be written"),
    ("sentences.x", "{subject} {is} {is, has}", r"tells is twice"),
    ("sentences.x", "{subject} {is}.", r"ends with a full stop, which is set later; remove it"),
    (
        "sentences",
        {"a": f"{PICTURE}[ with {{has.list}}]"},
        r"none tells is of a cat .*add one such as",
    ),
    ("words.size", ["lone"], r"only 30 captions can be written .*expected 100. Add"),
    # what is written
    ("attributes.Asleep.says", ["fluffy"], r"the same as 'fluffy' of Fluffy; expected words that"),
    ("attributes.Asleep.says_if_false", ["asleep"], r"the same as 'asleep' of Asleep"),
    ("attributes.Cut", {"group": "has", "says": ["a collar cut"]}, r"is read as .*Take other"),
    ("words.size", ["fluffy", "b", "c", "d", "e"], r"'fluffy' is read as Fluffy; expected words"),
    ("sentences.x", "{subject} {is, has}, fluffy", r"is read as .*Take other words"),
    ("sentences.x", "{a}  {noun} {is, has}", r"spaces or marks too many"),
]


@pytest.mark.parametrize(("key", "value", "advice"), PROBLEMS)
def test_a_problem_is_told_with_its_key_and_advice(key: str, value: Any, advice: str) -> None:
    with pytest.raises(CaptionError, match=rf"cats.yaml: .*{advice}"):
        parse(changed(key, value))


def test_an_unknown_attribute_is_refused_where_the_columns_are_known() -> None:
    with pytest.raises(CaptionError, match="Striped: unknown attribute; did you mean 'Stripes'"):
        parse(CATS, known={*CATS["attributes"], "Stripes"} - {"Striped"})


def test_all_problems_are_told_at_once_with_their_lines() -> None:
    content = changed("attributes.Collar.group", "haz")
    content["exclusive"]["colour"] = ["Blck", "White"]
    content["sentences"]["x"] = "{haz}"
    lines = {(): "cats.yaml", ("exclusive", "colour"): "cats.yaml line 7"}
    with pytest.raises(CaptionError) as refusal:
        parse_grammar(content, lines=lines)
    told = str(refusal.value).splitlines()
    assert len(told) == 4
    assert any(line.startswith("  cats.yaml line 7: exclusive.colour: ") for line in told)
