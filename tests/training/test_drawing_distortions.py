"""Drawings as another hand would have made them."""

import torch
from torch import Tensor

from tedigan.tensors import stream
from tedigan.training.drawing_distortions import MERGERS, distort_labels, distort_sketches
from tedigan.vocabulary.labels import LABEL_NAMES

FACE = ("background", "skin", "nose", "l_eye", "r_eye", "u_lip", "l_lip", "hair")


def crosses(n: int = 64) -> Tensor:
    """A cross of black lines in the middle of each sheet of 64 px."""
    sheets = torch.ones(n, 1, 64, 64)
    sheets[:, :, 12:52, 31:33] = 0
    sheets[:, :, 31:33, 12:52] = 0
    return sheets


def stripes(n: int = 64) -> Tensor:
    """A stripe of 8 px for each class of FACE."""
    rows = torch.tensor([LABEL_NAMES.index(name) for name in FACE], dtype=torch.uint8)
    return rows.repeat_interleave(8)[None, :, None].expand(n, 64, 64).contiguous()


def test_an_empty_sheet_stays_empty() -> None:
    found = distort_sketches(torch.ones(16, 1, 64, 64), stream("hand"))
    assert torch.equal(found, torch.ones_like(found))


def test_strokes_move_and_change_but_stay_about_where_they_were() -> None:
    ink = 1 - distort_sketches(crosses(), stream("hand"))
    assert 0 <= ink.min() <= ink.max() <= 1
    assert not torch.equal(ink[0], ink[1])
    near = torch.nn.functional.max_pool2d(1 - crosses(), 15, stride=1, padding=7)
    assert (ink * near).sum() > 0.95 * ink.sum()
    amounts = ink.sum(dim=[1, 2, 3]) / (1 - crosses()).sum(dim=[1, 2, 3])
    assert amounts.min() < 0.6
    assert 1.3 < amounts.max() < 3


def test_a_hand_depends_on_the_stream_alone() -> None:
    once, again, other = (distort_sketches(crosses(4), stream(key)) for key in (1, 1, 2))
    assert torch.equal(once, again)
    assert not torch.equal(once, other)


def test_maps_lose_classes_and_merge_them_but_invent_none_but_what_lies_below() -> None:
    known = {LABEL_NAMES.index(name) for name in FACE}
    found = distort_labels(stripes(256), stream("hand"))
    assert found.dtype == torch.uint8
    assert set(found.unique().tolist()) <= known
    numbers = [len(one.unique()) for one in found]
    assert min(numbers) < len(FACE)
    assert max(numbers) == len(FACE)
    eyes = [LABEL_NAMES.index(name) for name in ("l_eye", "r_eye")]
    merged = [(one == eyes[0]).any() and not (one == eyes[1]).any() for one in found]
    assert 0.1 < sum(merged) / len(merged) < 0.5


def test_mergers_name_classes() -> None:
    assert {name for merger in MERGERS for pair in merger.items() for name in pair} <= {
        *LABEL_NAMES
    }
