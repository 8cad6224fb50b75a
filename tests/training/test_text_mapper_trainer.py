"""What the text mapper learns from, and that it learns it."""

import pytest
import torch

from tedigan.captions.grammar_files import load_grammar
from tedigan.encoders.text_mapper import TextReaderConfig
from tedigan.method.steering import Steering
from tedigan.models.opening import load_reader_backbone
from tedigan.tensors import stream
from tedigan.training.text_mapper_trainer import (
    MAX_WISHES,
    Lessons,
    MoverTrainer,
    ReaderTrainer,
    TrainingSettings,
    compare_with_search,
    draw_sentences,
    draw_wishes,
    names_of,
    new_mover,
    new_reader,
)
from tests.method.test_steering import NAMES, brightness, linear_tagger, tiny_generator
from tests.method.test_steering import SETTINGS as SEARCH

CPU = torch.device("cpu")
GRAMMAR = load_grammar()
CONFIG = TextReaderConfig("all-MiniLM-L6-v2", 1, 384, 48, 0.5, names_of(GRAMMAR))
SENTENCES = draw_sentences(GRAMMAR, num_sentences=48, seed=0)


@pytest.fixture(scope="module")
def lessons() -> Lessons:
    return Lessons.of(SENTENCES, load_reader_backbone(CONFIG, CPU), CONFIG.attribute_names)


def test_lessons_are_the_sentences_states_and_what_they_say(lessons: Lessons) -> None:
    ordered = sorted(SENTENCES, key=lambda one: (len(one.text), one.text))
    backbone = load_reader_backbone(CONFIG, CPU)
    numbers = torch.tensor([40, 3, 17])
    states, lengths, said = lessons.rows(numbers)
    expected = list(backbone.states([ordered[i].text for i in numbers]))
    assert lengths.tolist() == [len(one) for one in expected]
    torch.testing.assert_close(states, torch.cat(expected), atol=5e-3, rtol=1e-2)
    for row, number in zip(said, numbers, strict=True):
        names = CONFIG.attribute_names
        told = {(names[k], not side) for side, k in row.nonzero().tolist()}
        assert told == {tuple(claim) for claim in ordered[number].claims}


def test_a_reader_learns_its_lessons(lessons: Lessons) -> None:
    reader = new_reader(CONFIG, CPU, seed=0)
    trainer = ReaderTrainer(reader, lessons, TrainingSettings(160, 24, 0.005))
    for index in range(160):
        trainer.step(stream(0, "reading", index), index)
    states, lengths, said = lessons.rows(torch.arange(len(SENTENCES)))
    is_right = reader.eval().says(states, lengths) == said.bool()
    assert is_right.flatten(1).all(dim=1).float().mean() > 0.9


def test_captions_are_among_the_sentences_and_no_two_seeds_write_the_same() -> None:
    texts = {one.text for one in SENTENCES}
    assert any(text.startswith(("The man ", "This man ", "She ", "He ")) for text in texts)
    others = {one.text for one in draw_sentences(GRAMMAR, num_sentences=48, seed=1)}
    assert len(texts & others) < 5


def test_wishes_are_few_and_strengths_are_allowed() -> None:
    wishes, strength = draw_wishes(400, 6, stream("wishes"))
    counts = wishes.abs().sum(dim=1)
    assert counts.min() == 1
    assert counts.max() == MAX_WISHES
    assert set(wishes.unique().tolist()) == {-1.0, 0.0, 1.0}
    assert strength.abs().max() <= 3
    assert 0.4 < (strength == 1).float().mean() < 0.6


def test_a_mover_comes_near_the_search() -> None:
    generator = tiny_generator()
    layers = torch.ones(len(NAMES), generator.num_ws, dtype=torch.bool)
    steering = Steering(generator, linear_tagger(generator), layers, brightness, SEARCH)
    mover = new_mover(steering, hidden_dim=48, seed=0)
    trainer = MoverTrainer(mover, steering, TrainingSettings(250, 128, 0.003))
    for index in range(250):
        trainer.step(stream(0, "moving", index), index)
    found = compare_with_search(mover, steering, num_codes=64, seed=0)
    assert found["objective_mover"] < 0.2 * found["objective_start"]
    assert found["objective_search"] <= found["objective_mover"]
    assert found["reached_start"] < 0.7 < 0.9 < found["reached_mover"]
