"""The inversion table, with contestants whose numbers are known."""

import pytest
import torch
from torch import Tensor

from tedigan.evaluation.inversions import (
    Contestant,
    EditAndBack,
    InversionJudges,
    score_inversions,
)

W_STD = torch.tensor([0.5, 2.0])
SHIFT = torch.tensor([1.0, 2.0])
EDIT = EditAndBack(lambda ws: ws + SHIFT, lambda ws: ws - SHIFT)


def draw(ws: Tensor) -> Tensor:
    """A grey picture: a tenth of the code's first number."""
    return (ws[:, 0, 0] / 10)[:, None, None, None].expand(-1, 3, 2, 2)


def perfect(images: Tensor) -> Tensor:
    return torch.stack([10 * images[:, 0, 0, 0], torch.zeros(len(images))], dim=1)[:, None]


def mean_face(images: Tensor) -> Tensor:
    return torch.zeros(len(images), 1, 2)


CONTESTANTS = [Contestant("mean face", mean_face), Contestant("perfect", perfect)]
PHOTOGRAPHS = draw(torch.tensor([1.0, 2.0, -4.0])[:, None, None])
JUDGES = InversionJudges(
    draw,
    W_STD,
    lambda one, other: (one - other).abs().amax(dim=[1, 2, 3]),
    lambda images: images[:, :, 0, 0],
)


def test_a_row_has_each_distance_of_each_photograph() -> None:
    floor, perfect = score_inversions(CONTESTANTS, PHOTOGRAPHS, JUDGES, batch_size=2)
    torch.testing.assert_close(floor.pixel_mse, torch.tensor([0.01, 0.04, 0.16]))
    torch.testing.assert_close(floor.perceptual_distance, torch.tensor([0.1, 0.2, 0.4]))
    assert floor.descriptor_distance is not None
    torch.testing.assert_close(floor.descriptor_distance, torch.tensor([0.1, 0.2, 0.4]) * 3**0.5)
    assert perfect.pixel_mse.max() < 1e-12
    assert (floor.edit_return_ws, floor.edit_return_mse) == (None, None)


def test_an_edit_is_taken_back_where_it_is_found_again() -> None:
    floor, perfect = score_inversions(CONTESTANTS, PHOTOGRAPHS, JUDGES, edit=EDIT, batch_size=2)
    # the perfect one does not see the second number, which comes back 2 too low: one deviation, of two numbers
    assert perfect.edit_return_ws.tolist() == pytest.approx([0.5] * 3, abs=1e-5)
    assert perfect.edit_return_mse.max() < 1e-9
    # the mean face answers 0 to the edit, which is then taken off
    assert floor.edit_return_ws.tolist() == pytest.approx([(4 + 1) / 2] * 3)
    assert floor.edit_return_mse.tolist() == pytest.approx([0.01] * 3)


def test_without_a_descriptor_its_column_is_null() -> None:
    judges = InversionJudges(draw, W_STD, JUDGES.perceptual)
    floor, _ = score_inversions(CONTESTANTS, PHOTOGRAPHS, judges, batch_size=3)
    row = floor.means()
    assert row["name"] == "mean face"
    assert row["descriptor_distance"] is None
    assert row["pixel_mse"] == pytest.approx(0.07)


def test_pictures_are_no_brighter_than_white() -> None:
    bright = Contestant("bright", lambda images: torch.full((len(images), 1, 2), 30.0))
    white = torch.ones(1, 3, 2, 2)
    (row,) = score_inversions([bright], white, JUDGES, batch_size=1)
    assert row.pixel_mse.item() == 0.0
