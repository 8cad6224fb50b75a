"""The hand-written sentences: that the file is whole, and which are read as their opposite."""

from collections import Counter

from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.reader import Reader
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES
from tests.captions.paraphrases import (
    KINDS,
    Paraphrase,
    load_paraphrases,
    precision_and_recall,
    readers,
)
from tests.contracts.closure import CHECKOUT

SENTENCES = load_paraphrases()
LEAST = {"face": 80, "edit": 60, "negation": 40, "contradiction": 8, "nothing": 12}
MENTIONS = 4  # of each attribute, at least
# They tell what the face is and ask for another, which no word of denial marks.
READ_AS_THE_OPPOSITE = {
    "make this old geezer twenty again",
    "grow his hair back, he's bald as a coot",
    "sharpen this picture, it's all out of focus",
}


def of_kind(kind: str) -> list[Paraphrase]:
    return [one for one in SENTENCES if one.kind == kind]


def spoken_of(one: Paraphrase) -> list[str]:
    return [*one.wanted, *one.unwanted, *one.contradicted]


def test_there_are_two_hundred_sentences_and_enough_of_each_kind() -> None:
    counts = Counter(one.kind for one in SENTENCES)
    assert sum(counts.values()) == 200
    assert set(counts) == set(KINDS)
    assert all(counts[kind] >= least for kind, least in LEAST.items())


def test_no_sentence_comes_twice() -> None:
    texts = Counter(" ".join(one.text.lower().split()) for one in SENTENCES)
    assert [text for text, count in texts.items() if count > 1] == []


def test_each_sentence_names_known_attributes_and_each_of_them_once() -> None:
    for one in SENTENCES:
        assert one.text == one.text.strip() != ""
        assert set(spoken_of(one)) <= set(ATTRIBUTE_NAMES), one
        assert len(set(spoken_of(one))) == len(spoken_of(one)), one


def test_each_attribute_is_spoken_of_often_enough() -> None:
    counts = Counter(name for one in SENTENCES for name in spoken_of(one))
    assert [name for name in ATTRIBUTE_NAMES if counts[name] < MENTIONS] == []


def test_each_kind_says_what_it_is() -> None:
    assert all(1 <= len(one.truth) <= 5 for one in of_kind("face"))
    assert all(one.truth for one in of_kind("edit"))
    assert all(one.unwanted or "No_Beard" in one.wanted for one in of_kind("negation"))
    assert all(spoken_of(one) == [] for one in of_kind("nothing"))
    assert all(bool(one.contradicted) == (one.kind == "contradiction") for one in SENTENCES)


def test_the_reader_that_comes_along_reads_open_wording() -> None:
    read = readers(CHECKOUT / "assets/text-reader")
    exact = {
        name: sum(one.verdict(read[name](one.text)) == "exact" for one in SENTENCES)
        for name in ("grammar", "both")
    }
    assert exact["grammar"] >= 95
    assert exact["both"] >= exact["grammar"] + 40
    precision, recall = precision_and_recall(read["both"])
    assert precision > 0.9
    assert recall > 0.8


def test_no_other_sentence_is_read_as_its_opposite() -> None:
    reader = Reader(load_grammar())
    wrong = {one.text for one in SENTENCES if one.verdict(reader.read(one.text)) == "wrong"}
    assert wrong <= READ_AS_THE_OPPOSITE
