"""How far drawings agree."""

import torch
from torch import Tensor

from tedigan.method.structure import edge_f1, label_iou


def line(column: int, *, width: int = 2) -> Tensor:
    sheet = torch.full((1, 1, 64, 64), 255, dtype=torch.uint8)
    sheet[..., column : column + width] = 0
    return sheet


def test_a_sketch_agrees_with_itself_and_with_one_a_pixel_aside() -> None:
    assert edge_f1(line(20), line(20)).item() == 1
    assert edge_f1(line(21), line(20)).item() == 1
    assert edge_f1(line(22), line(20)).item() == 0.5
    assert edge_f1(line(40), line(20)).item() == 0


def test_what_is_drawn_too_much_and_what_is_missing_count_alike() -> None:
    both = torch.minimum(line(20), line(40))
    expected = 2 * 0.5 / 1.5
    torch.testing.assert_close(edge_f1(both, line(20)), torch.tensor([expected]))
    torch.testing.assert_close(edge_f1(line(20), both), torch.tensor([expected]))


def test_an_empty_sheet_agrees_with_nothing() -> None:
    empty = torch.full((1, 1, 64, 64), 255, dtype=torch.uint8)
    assert edge_f1(empty, line(20)).item() == 0


def test_label_maps_are_compared_class_by_class_of_the_wanted_one() -> None:
    wanted = torch.zeros(1, 4, 4, dtype=torch.uint8)
    wanted[:, :, 2:] = 1
    drawn = wanted.clone()
    drawn[:, 0, 0] = 5  # is no class of the wanted map, but one pixel less of class 0
    assert label_iou(wanted, wanted).item() == 1
    torch.testing.assert_close(label_iou(drawn, wanted), torch.tensor([(7 / 8 + 1) / 2]))
