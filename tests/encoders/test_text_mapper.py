"""The text mapper's networks: sentences do not mix, and an untaught mover moves nothing."""

import pytest
import torch
from torch import Tensor

from tedigan.encoders.text_mapper import (
    NEIGHBOURS,
    Mover,
    MoverConfig,
    TextReader,
    TextReaderConfig,
    _beside,
)
from tedigan.errors import WeightsError

READER = TextReaderConfig("all-MiniLM-L6-v2", 3, 8, 16, 0.5, ("Smiling", "Bald", "Young"))
MOVER = MoverConfig(6, 5, 16, ("Smiling", "Bald"))


@pytest.fixture
def reader() -> TextReader:
    torch.manual_seed(0)
    return TextReader(READER).eval().requires_grad_(False)


def near_sum(states: Tensor) -> Tensor:
    """What each token is heard with: the sum of its neighbours."""
    owner = torch.zeros(len(states), dtype=torch.int64)
    return torch.stack([_beside(states, owner, step) for step in NEIGHBOURS]).sum(dim=0)


def heard(reader: TextReader, *sentences: Tensor) -> Tensor:
    return reader(torch.cat(sentences), torch.tensor([len(one) for one in sentences]))


def test_a_sentence_is_heard_as_if_it_were_alone(reader: TextReader) -> None:
    sentences = [torch.randn(length, 8) for length in (4, 1, 7)]
    together = heard(reader, *sentences)
    alone = torch.cat([heard(reader, one) for one in sentences])
    torch.testing.assert_close(together, alone)


@pytest.mark.parametrize(("place", "is_heard"), [(2, True), (3, True), (4, False), (8, False)])
def test_a_token_is_heard_two_places_away_and_no_further(place: int, is_heard: bool) -> None:
    states = torch.randn(9, 8, requires_grad=True)
    near_sum(states)[1].sum().backward()
    assert states.grad is not None
    assert bool(states.grad[place].any()) is is_heard


def test_a_sentence_says_what_any_of_its_tokens_says(reader: TextReader) -> None:
    for layer in reader.near:
        torch.nn.init.zeros_(layer.weight)
    states = torch.randn(5, 8)
    tokens = torch.cat([heard(reader, states[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(heard(reader, states)[0], tokens.logsumexp(dim=0))


def test_a_reader_says_what_lies_above_its_threshold(reader: TextReader) -> None:
    states, lengths = torch.randn(6, 8), torch.tensor([2, 4])
    torch.nn.init.normal_(reader.out.bias, std=2.0)
    chances = reader(states, lengths).sigmoid()
    assert torch.equal(reader.says(states, lengths), chances > 0.5)
    assert 0 < int(reader.says(states, lengths).sum()) < 12


def test_configs_come_back_and_others_are_refused() -> None:
    assert TextReaderConfig.from_json(READER.to_json()) == READER
    assert MoverConfig.from_json(MOVER.to_json()) == MOVER
    with pytest.raises(WeightsError, match="stage train_text_mapper"):
        TextReaderConfig.from_json(MOVER.to_json())


def test_an_untaught_mover_moves_nothing() -> None:
    present, goal = torch.randn(2, 3, 2)
    shift = Mover(MOVER)(torch.randn(3, 6, 5), present, goal, torch.ones(3, 2), torch.ones(3, 6, 1))
    assert shift.shape == (3, 1, 5)
    assert not shift.any()
