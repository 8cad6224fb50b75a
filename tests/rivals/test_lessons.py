"""Which caption is true of which picture, what a wrong one is, and what an average follows."""

import copy

import pytest
import torch
from torch import nn

from tedigan.errors import DataError
from tedigan.rivals.lessons import Lessons, is_true_of
from tedigan.rivals.rival import average_decay, follow
from tedigan.rivals.vocabulary import Vocabulary
from tests.rivals.toy_lessons import ATTRIBUTES, CAPTIONS, MENTIONS, toy_batch, toy_lessons


def test_a_caption_is_true_of_whoever_shows_all_that_it_says() -> None:
    shown = torch.where(ATTRIBUTES, 1, -1).to(torch.int8)
    assert is_true_of(MENTIONS, shown).tolist() == [
        [True, True, False, False, True, False],
        [False, False, True, True, True, False],
        [False, False, True, True, True, True],
    ]


def test_a_batch_pairs_each_picture_with_a_caption_of_its_own() -> None:
    lessons = toy_lessons()
    lesson = lessons.draw(64, torch.Generator().manual_seed(3))
    is_red = lesson.photographs[:, 0].amax(dim=(1, 2)) == 1
    number = Vocabulary.of(CAPTIONS).words.index("red")
    assert torch.equal((lesson.numbers == number).any(dim=1), is_red)
    assert lesson.contains.diagonal().all()
    is_mirrored = lesson.photographs[:, 1, 0, 0] < lesson.photographs[:, 1, 0, -1]
    assert 16 < int(is_mirrored[is_red | ~is_red].sum()) < 48
    assert not lesson.contains[is_red][:, ~is_red].all()


def test_the_same_stream_gives_the_same_batch() -> None:
    one, other = (toy_lessons().draw(8, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one.photographs, other.photographs)
    assert torch.equal(one.numbers, other.numbers)


def test_lessons_without_a_row_for_each_caption_are_refused() -> None:
    with pytest.raises(DataError, match="a row of each"):
        Lessons.of(
            toy_lessons().pixels, CAPTIONS, MENTIONS[:5], ATTRIBUTES, vocabulary=Vocabulary.of(CAPTIONS)
        )  # fmt: skip


def test_a_wrong_caption_is_the_next_that_is_false_of_the_photograph() -> None:
    contains = torch.eye(4).bool()
    contains[0, 1] = True
    contains[2] = True
    wrong, is_wrong = toy_batch(4, contains).wrong()
    assert is_wrong.tolist() == [True, True, False, True]
    assert (wrong.sentence[:, 0] * 4).tolist() == [2, 2, 3, 0]


def test_the_average_follows_the_running_statistics_too() -> None:
    live = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    average = copy.deepcopy(live)
    before = {name: value.clone() for name, value in average.state_dict().items()}
    live(torch.randn(5, 3, generator=torch.Generator().manual_seed(0)) + 7)
    with torch.no_grad():
        live[0].weight.add_(1)
    follow(average, live, decay=0.75)
    for name, value in average.state_dict().items():
        moved = live.state_dict()[name]
        expected = before[name].lerp(moved, 0.25) if value.is_floating_point() else moved
        torch.testing.assert_close(value, expected)
    assert not torch.equal(average[1].running_mean, before["1.running_mean"])


def test_an_average_forgets_how_a_short_training_began() -> None:
    kept = 1.0
    for step in range(1, 121):
        kept *= average_decay(step)
    assert kept < 1e-6
    assert average_decay(1) == 2 / 11
    assert average_decay(20_000) == 0.999
