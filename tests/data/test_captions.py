"""Captions: written from attributes, read back, checked."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tedigan.data.attributes import ATTRIBUTE_NAMES, attributes_of
from tedigan.data.caption_words import EXCLUSIVE
from tedigan.data.captions import attributes_named, check_caption, draw_captions, parse_captions
from tedigan.errors import CaptionError
from tedigan.tensors import stream

SOMEONE = ["Male", "Young", "Smiling", "Oval_Face", "Wavy_Hair", "Brown_Hair", "Wearing_Hat"]
FACES = st.sets(st.sampled_from(ATTRIBUTE_NAMES))


def draw(positives: list[str], *, num_captions: int = 10, seed: int = 0) -> list[str]:
    row = attributes_of(positives)
    return [
        caption.text
        for caption in draw_captions(row, num_captions=num_captions, generator=stream(seed))
    ]


@given(FACES, st.integers(0, 1000))
@settings(max_examples=150, deadline=None)
def test_any_face_gets_ten_distinct_captions_that_read_back_exactly(
    positives: set[str], seed: int
) -> None:
    captions = draw_captions(attributes_of(positives), num_captions=10, generator=stream(seed))
    assert len({caption.text for caption in captions}) == 10
    for caption in captions:
        assert attributes_named(caption.text) == caption.named
        assert all(value == (name in positives) for name, value in caption.named.items())
        assert check_caption(caption.text) == caption.text


@given(FACES)
@settings(max_examples=150, deadline=None)
def test_captions_of_one_face_do_not_contradict_each_other(positives: set[str]) -> None:
    captions = draw_captions(attributes_of(positives), num_captions=10, generator=stream(0))
    named = set().union(*(caption.named for caption in captions))
    assert all(len(named & set(group)) <= 1 for group in EXCLUSIVE)


@given(FACES)
@settings(max_examples=150, deadline=None)
def test_no_clause_is_empty_and_articles_agree(positives: set[str]) -> None:
    broken = r"(?i)\b(?:is|has|wears|wearing|with|and|who|to be)[ ,]*\.|  | ,|,,"
    broken += r"|\ba [aeiou]|\ban [^aeiou]|\band,? and\b|\ba (?:bangs|\w+ (?:hair|lips|eyes))\b"
    for caption in draw_captions(attributes_of(positives), num_captions=10, generator=stream(0)):
        assert not re.search(broken, caption.text), caption.text
        assert re.fullmatch(r"[A-Z][^.]*\.", caption.text), caption.text


def test_a_face_without_attributes_gets_a_hundred_captions() -> None:
    assert len(set(draw([], num_captions=100))) == 100


def test_a_stream_gives_the_same_captions_again() -> None:
    assert draw(SOMEONE) == draw(SOMEONE)
    assert draw(SOMEONE) != draw(SOMEONE, seed=1)


def test_phrases_are_english() -> None:
    text = " ".join(draw(SOMEONE, num_captions=100))
    for phrase in ["an oval face", "wavy brown hair", "is young", "a smiling young man", "a hat"]:
        assert phrase in text
    assert "looks smiling" not in text


@pytest.mark.parametrize(
    ("caption", "named"),
    [
        (
            "the woman has wavy hair high cheekbones and bags under eyes and wears earrings",
            {"-Male", "Wavy_Hair", "High_Cheekbones", "Bags_Under_Eyes", "Wearing_Earrings"},
        ),
        (
            "this smiling person has bangs high cheekbones arched eyebrows big lips and blond hair",
            {"Smiling", "Bangs", "High_Cheekbones", "Arched_Eyebrows", "Big_Lips", "Blond_Hair"},
        ),
        ("an old man without a beard, not smiling", {"Male", "-Young", "No_Beard", "-Smiling"}),
        ("He doesn't wear glasses.", {"Male", "-Eyeglasses"}),
        ("a man and a woman", set()),
        ("a bright day", set()),
    ],
)
def test_sentences_of_others_are_read(caption: str, named: set[str]) -> None:
    expected = {name.removeprefix("-"): not name.startswith("-") for name in named}
    assert attributes_named(caption) == expected


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "Write one or remove the line"),
        (" \t ", "holds no words"),
        ("?!", "holds no words"),
        ("x" * 10_000, "Shorten it"),
        ("young " * 101, "101 words"),
        ("a man\x00", "UTF-8"),
    ],
)
def test_an_unusable_caption_is_refused_with_its_line(text: str, advice: str) -> None:
    with pytest.raises(CaptionError, match=rf"line 7 .*{advice}"):
        check_caption(text, line=7)


def test_a_captions_file_is_read_line_by_line() -> None:
    assert parse_captions("A man. \nA woman.\n") == ["A man.", "A woman."]
    with pytest.raises(CaptionError, match="line 2"):
        parse_captions("A man.\n\nA woman.\n")
    with pytest.raises(CaptionError, match="empty"):
        parse_captions("")


def test_the_generator_decides_not_the_call_order() -> None:
    first = draw_captions(
        torch.zeros(40).bool(), num_captions=3, generator=stream(4, "captions", 2)
    )
    draw(SOMEONE)
    again = draw_captions(
        torch.zeros(40).bool(), num_captions=3, generator=stream(4, "captions", 2)
    )
    assert first == again
