"""How far two drawings agree: strokes of sketches within a tolerance, classes of label maps by their overlap."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from tedigan.vocabulary.labels import one_hot

TOLERANCE = 0.02  # of the side, by which a stroke may lie aside; 1 px at 64
DARK = 128  # of 0..255; what is darker is stroke


def edge_f1(
    drawn: UInt8[Tensor, "n 1 h w"], wanted: UInt8[Tensor, "n 1 h w"]
) -> Float[Tensor, " n"]:
    """Harmonic mean of precision and recall of stroke pixels within `TOLERANCE`; 0 where either has none.

    wanted: 255 = paper.
    """
    ours, theirs = drawn < DARK, wanted < DARK
    precision, recall = _share_near(ours, theirs), _share_near(theirs, ours)
    return 2 * precision * recall / (precision + recall).clamp(min=1e-9)


def label_iou(drawn: UInt8[Tensor, "n h w"], wanted: UInt8[Tensor, "n h w"]) -> Float[Tensor, " n"]:
    """Intersection over union, a mean over the classes that the wanted map has."""
    ours, theirs = one_hot(drawn).flatten(2), one_hot(wanted).flatten(2)
    both, either = (ours * theirs).sum(dim=2), torch.maximum(ours, theirs).sum(dim=2)
    is_there = theirs.any(dim=2)
    return (both / either.clamp(min=1) * is_there).sum(dim=1) / is_there.sum(dim=1)


def _share_near(strokes: Bool[Tensor, "n 1 h w"], others: Bool[Tensor, "n 1 h w"]) -> Tensor:
    """Of each sketch: how many of its stroke pixels lie near to one of the other's."""
    reach = max(1, round(TOLERANCE * strokes.shape[-1]))
    near = F.max_pool2d(others.float(), 2 * reach + 1, stride=1, padding=reach)
    return (strokes * near).sum(dim=[1, 2, 3]) / strokes.sum(dim=[1, 2, 3]).clamp(min=1)
