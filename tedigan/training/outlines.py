"""Outlines of a label map's parts, as a pen draws them: dark lines of one width on white paper.

Our sketcher traces what is dark in a photograph; a person draws the contours of parts that have a name, whether
there is a shade or not. An encoder that has seen the first kind alone reads a hand's drawing as a faint one.
"""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from tedigan.vocabulary.labels import LABEL_NAMES, one_hot

SHEET_PX = 256  # the least side of the sheet that they are drawn on
SMOOTH = 5 / 256  # of the side: steps of a small map's borders, which no hand draws
WIDTHS = (2, 3, 4, 5)  # px of a sheet of 256, one after the other
INK = 0.9  # 1 = black
UNDRAWN = {"mouth": "l_lip", "neck_l": "neck", "ear_r": "hair"}  # what a pen makes no line around


def outlines_of(labels: UInt8[Tensor, "n h w"]) -> UInt8[Tensor, "n 1 h w"]:
    """Class indices -> drawings of their borders, 255 = paper; the i-th is drawn by pen i of `WIDTHS`."""
    drawn = torch.empty_like(labels[:, None])
    for pen, width_px in enumerate(WIDTHS[: len(labels)]):
        drawn[pen :: len(WIDTHS)] = _outlined(labels[pen :: len(WIDTHS)], width_px)
    return drawn


def _outlined(labels: UInt8[Tensor, "n h w"], width_px: int) -> UInt8[Tensor, "n 1 h w"]:
    side = labels.shape[-1]
    parts = _smooth(one_hot(_merged(labels)), max(SHEET_PX, side)).argmax(dim=1, keepdim=True)
    sheet = parts.shape[-1]
    line = torch.zeros_like(parts, dtype=torch.float32)
    line[:, :, 1:] += parts[:, :, 1:] != parts[:, :, :-1]
    line[:, :, :, 1:] += parts[:, :, :, 1:] != parts[:, :, :, :-1]
    pen = max(1, round(width_px * sheet / SHEET_PX))
    padded = functional.pad(line.clamp(max=1), [pen // 2, (pen - 1) // 2] * 2)
    ink = functional.max_pool2d(padded, pen, stride=1)
    ink = functional.interpolate(ink, (side, side), mode="area")
    return (255 * (1 - INK * ink)).round().to(torch.uint8)


def _merged(labels: UInt8[Tensor, "n h w"]) -> UInt8[Tensor, "n h w"]:
    merged = labels.clone()
    for name, other in UNDRAWN.items():
        merged[labels == LABEL_NAMES.index(name)] = LABEL_NAMES.index(other)
    return merged


def _smooth(
    planes: Float[Tensor, "n k h w"], sheet_px: int
) -> Float[Tensor, "n k sheet_px sheet_px"]:
    """At the sheet's size, without the steps of pixels."""
    large = functional.interpolate(planes, (sheet_px, sheet_px), mode="bilinear", antialias=False)
    reach = max(1, round(SMOOTH * sheet_px)) // 2
    for _ in range(2):
        large = functional.avg_pool2d(
            large, 2 * reach + 1, stride=1, padding=reach, count_include_pad=False
        )
    return large
