"""Who it is: what differs between people and not within one person's pictures counts, and nothing else."""

import pytest
import torch
from torch import Tensor

from tedigan.annotators.identity_axes import IdentityAxes, find_identity_axes
from tedigan.tensors import stream
from tedigan.training.learn_people import auroc_of_pairs

PEOPLE = torch.arange(40).repeat_interleave(4)


def features(seed: str) -> Tensor:
    """Two numbers that are a person's own, among ten that change five times as much from picture to picture."""
    own = torch.randn(40, 2, generator=stream(seed))[PEOPLE]
    moods = 5 * torch.randn(len(PEOPLE), 10, generator=stream(seed, "moods"))
    return torch.cat([own + 0.2 * torch.randn(own.shape, generator=stream(seed, "n")), moods], 1)


def found(seen: Tensor, people: Tensor) -> IdentityAxes:
    axes = find_identity_axes(seen, people)
    assert axes is not None
    return axes


def test_people_are_told_apart_whatever_else_their_pictures_show() -> None:
    strangers = features("strangers")
    axes = found(features("taught"), PEOPLE)
    told = auroc_of_pairs(axes(strangers), PEOPLE)
    raw = auroc_of_pairs(torch.nn.functional.normalize(strangers, dim=1), PEOPLE)
    assert told is not None
    assert raw is not None
    assert told > 0.75
    assert raw < 0.6
    torch.testing.assert_close(axes(strangers).norm(dim=1), torch.ones(len(PEOPLE)))


def test_the_strongest_axis_lies_where_people_differ_and_comes_last() -> None:
    strongest = found(features("taught"), PEOPLE).axes[:, -2:].abs()
    assert strongest[:2].sum() > 5 * strongest[2:].sum()


def test_who_is_shown_once_or_known_to_nobody_changes_nothing() -> None:
    seen, axes = features("taught"), found(features("taught"), PEOPLE)
    others = 9 * torch.randn(6, 12, generator=stream("others"))
    people = torch.cat([PEOPLE, torch.tensor([100, 101, 102, -1, -1, -1])])
    again = found(torch.cat([seen, others]), people)
    torch.testing.assert_close(again.state_dict(), axes.state_dict())


@pytest.mark.parametrize("people", [[0, 1, 2, 3], [0, 0, 1, 2], [-1, -1, -2, -2]])
def test_where_fewer_than_two_people_come_again_there_are_no_axes(people: list[int]) -> None:
    assert find_identity_axes(features("few")[:4], torch.tensor(people)) is None


def test_pictures_of_one_person_that_never_differ_teach_nothing() -> None:
    assert find_identity_axes(torch.ones(4, 12), torch.tensor([0, 0, 1, 1])) is None


def test_pairs_are_counted_only_where_someone_is_known() -> None:
    who = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    assert auroc_of_pairs(who, torch.tensor([0, 0, 1, 1])) == 1
    assert auroc_of_pairs(who, torch.tensor([0, 1, 0, 1])) == pytest.approx(0.25)
    assert auroc_of_pairs(who, torch.tensor([0, 1, 2, 3])) is None
    assert auroc_of_pairs(who, torch.tensor([-1, -1, -1, -1])) is None


def test_a_feature_that_never_moves_tells_nobody_apart() -> None:
    seen = torch.cat([features("taught"), torch.zeros(len(PEOPLE), 1)], dim=1)
    axes = found(seen, PEOPLE)
    assert axes.axes.isfinite().all()
    told = auroc_of_pairs(axes(seen), PEOPLE)
    assert told == pytest.approx(
        auroc_of_pairs(found(features("taught"), PEOPLE)(seen[:, :-1]), PEOPLE), abs=0.05
    )
