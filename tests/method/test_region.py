"""Where an edit shows, in plain pictures."""

import torch

from tedigan.method.region import Edited, composed

BEFORE, AFTER = torch.zeros(2, 3, 8, 8), torch.ones(2, 3, 8, 8)


def test_a_region_of_all_or_nothing_gives_the_one_picture_or_the_other() -> None:
    for share, expected in ((0.0, BEFORE), (1.0, AFTER)):
        for cells in (1, 4):
            assert torch.equal(
                composed(BEFORE, AFTER, torch.full((2, 1, cells, cells), share)), expected
            )


def test_outside_of_the_region_the_pixels_stay_and_its_edge_is_soft() -> None:
    region = torch.zeros(2, 1, 4, 4)
    region[0, :, :, 0] = 1
    shown = composed(BEFORE, AFTER, region)
    assert torch.equal(shown[1], BEFORE[1])
    row = shown[0, 0, 4]
    assert row[0] == 1
    assert (row[4:] == 0).all()
    assert (row[:4].diff() <= 0).all()
    assert ((row > 0) & (row < 1)).any()


def test_batches_of_edits_join_as_they_were_split() -> None:
    edited = Edited(torch.randn(5, 2, 3), torch.rand(5, 1, 4, 4))
    again = Edited.joined(edited.split(2))
    assert torch.equal(again.ws, edited.ws)
    assert torch.equal(again.region, edited.region)
