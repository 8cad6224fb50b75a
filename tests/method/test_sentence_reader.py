"""Sentences read by a grammar and a network together, with the reader that comes along."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tedigan.captions.grammar_files import CELEBA, load_grammar
from tedigan.captions.reader import Reader
from tedigan.method.sentence_reader import Reading, SentenceReader
from tedigan.models.makers import open_sentence_reader
from tests.contracts.closure import CHECKOUT

FOLDER = CHECKOUT / "assets/text-reader"


@pytest.fixture(scope="module")
def reader() -> SentenceReader:
    return open_sentence_reader(CELEBA, FOLDER, torch.device("cpu"))


@pytest.mark.parametrize(
    ("sentence", "wishes"),
    [
        ("a beaming bloke in specs", {"Smiling": True, "Male": True, "Eyeglasses": True}),
        ("take off her specs", {"Male": False, "Eyeglasses": False}),
        ("a granny without a hat", {"Male": False, "Young": False, "Wearing_Hat": False}),
        ("He is smiling and has no bangs.", {"Smiling": True, "Male": True, "Bangs": False}),
    ],
)
def test_open_wording_and_the_grammars_own_are_read(
    reader: SentenceReader, sentence: str, wishes: dict[str, bool]
) -> None:
    assert reader.read(sentence) == wishes


@pytest.mark.parametrize("sentence", ["surprise me", "a stranger in the rain"])
def test_what_names_nothing_says_so(reader: SentenceReader, sentence: str) -> None:
    reading = reader.reading(sentence)
    assert reading.names_nothing
    assert reading == Reading({})
    assert reading.in_words() == "names nothing"


def test_what_is_said_both_ways_is_no_wish_and_is_reported(reader: SentenceReader) -> None:
    reading = reader.reading("a smiling man and a woman who wears a hat")
    assert reading.wishes == {"Smiling": True, "Wearing_Hat": True}
    assert reading.contradicted == ("Male",)
    assert reading.in_words().endswith("both ways: Male")


def test_what_cannot_be_steered_is_listed(reader: SentenceReader) -> None:
    reading = replace(reader, known=["Smiling"]).reading("a beaming bloke in specs")
    assert reading.wishes == {"Smiling": True}
    assert set(reading.unknown) == {"Male", "Eyeglasses"}
    assert "not known here: " in reading.in_words()


def test_a_data_sets_own_attribute_is_read_by_its_grammar(
    reader: SentenceReader, tmp_path: Path
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("extends: celeba\nattributes:\n  Freckles: {group: has, says: [freckles]}\n")
    own = replace(reader, grammar=Reader(load_grammar(path)))
    assert own.read("a bloke with freckles") == {"Male": True, "Freckles": True}
    assert own.read("a bloke without freckles") == {"Male": True, "Freckles": False}


def test_a_sentence_is_read_once_however_often_it_is_asked_for(reader: SentenceReader) -> None:
    first = reader.reading("She is young.")
    assert reader.reading("She is young.") is first
    assert replace(reader, known=["Male"]).reading("She is young.").unknown == ("Young",)
