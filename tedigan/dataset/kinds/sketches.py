"""A pencil sketch of a photograph: some thirty dark strokes on white.

Lines are found in the brightness, made into strokes (see tedigan.dataset.kinds.strokes), and drawn; or a rough
drawing of all edges is handed to a network that simplifies it. A sketch is uint8 `[1, size, size]`, 255 = paper.
"""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float64, UInt8
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from tedigan.dataset.kinds.irises import irises
from tedigan.dataset.kinds.ridges import Plane, find_lines
from tedigan.dataset.kinds.strokes import Stroke, strokes_of

# A rough drawing 0..1, 1 = paper, -> the same with clean strokes.
Simplify = Callable[[Tensor], Tensor]

LOOK_PX, LOOK_SMALL_PX = 192, 128  # the side in which lines are looked for: finer ones are texture
SMALL_PX = 96  # sketches up to this side are small
ROUGH_PX, MAX_DRAWN_PX = 512, 512
FAINT = 0.15  # contrasts below this share of the range are not brought up
WIDTH, PRESSURE = (
    1 / 413,
    1.5,
)  # of a stroke: its standard deviation as a share of the side; 1 = black at its middle

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def sketch_of(
    pixels: UInt8[Tensor, "3 h w"], size_px: int, *, simplify: Simplify | None = None
) -> UInt8[Tensor, "1 size size"]:
    """The sketch of a square photograph; a face should stand in it as StyleGAN's do."""
    if simplify is None:
        side = LOOK_SMALL_PX if size_px <= SMALL_PX else LOOK_PX
        luma = _even(ndimage.grey_opening(_luma(pixels, side), size=(3, 3)))
        strokes = [*strokes_of(find_lines(luma)), *irises(luma)]
        ink = torch.from_numpy(_drawn(strokes, side, size_px))[None, None]
    else:
        rough = _rough(pixels, size_px)
        ink = 1 - simplify(1 - torch.from_numpy(rough)[None, None])
    mode = "area" if size_px < ink.shape[2] else "bicubic"
    sized = functional.interpolate(ink, size=(size_px, size_px), mode=mode)[0]
    return ((1 - sized) * 255).round().clamp(0, 255).to(torch.uint8)


def _luma(pixels: UInt8[Tensor, "3 h2 w2"], side: int) -> Plane:
    """Brightness 0..1 at the size `side`."""
    weights = torch.tensor(_LUMA)[:, None, None]
    luma = (pixels.to(torch.float32) * weights).sum(0)[None, None] / 255
    if luma.shape[-1] > side:
        luma = functional.interpolate(luma, size=(side, side), mode="area")
    elif luma.shape[-1] < side:
        luma = functional.interpolate(luma, size=(side, side), mode="bicubic", antialias=True)
    return luma[0, 0].numpy()


def _even(luma: Plane) -> Plane:
    """Divided by the contrast around each point, so that a nose in shade is drawn as well as a collar."""
    window = luma.shape[0] // 6
    mean, square = (ndimage.uniform_filter(x, window, mode="nearest") for x in (luma, luma**2))
    contrast = np.sqrt(np.maximum(square - mean**2, 0))
    return (luma - mean) / (contrast + FAINT)


def _rough(pixels: UInt8[Tensor, "3 h2 w2"], size_px: int) -> Plane:
    """All edges 0..1, which a network that simplifies drawings is made for; the strongest tenth is 1."""
    side = min(4 * size_px, ROUGH_PX)
    blur_px = max(side / 215, 0.45 * side / size_px)
    smooth = ndimage.gaussian_filter(_even(_luma(pixels, side)), blur_px, mode="nearest")
    strength = np.hypot(*(ndimage.sobel(smooth, axis=axis, mode="nearest") for axis in (1, 0)))
    edges = strength[strength > 0]
    strong = max(float(np.quantile(edges, 0.9)), 0.25) if edges.size else 1.0
    return np.clip(strength / strong, 0, 1)


def _drawn(strokes: Sequence[Stroke], side: int, size_px: int) -> Plane:
    """Ink 0..1 on a sheet of at least `side` and at most MAX_DRAWN_PX: strokes of one width with thin ends.

    A broad stroke holds more ink.
    """
    sheet = min(max(side, size_px), MAX_DRAWN_PX)
    ink = np.zeros(sheet * sheet)
    if strokes:
        place, weight = _samples(strokes, sheet / side)
        place = place.clip(0, sheet - 1.001)
        corner = place.astype(int)
        within = place - corner
        for down, right in itertools.product((0, 1), (0, 1)):
            part = np.abs(1 - down - within[:, 0]) * np.abs(1 - right - within[:, 1])
            pixel = (corner[:, 0] + down) * sheet + corner[:, 1] + right
            ink += np.bincount(pixel, weight * part, minlength=ink.size)
    width_px = max(WIDTH * sheet, 0.3 * sheet / size_px)
    line = ndimage.gaussian_filter(ink.reshape(sheet, sheet).astype(np.float32), width_px)
    return np.clip(PRESSURE * width_px * math.sqrt(2 * math.pi) * line, 0, 1)


def _samples(
    strokes: Sequence[Stroke], scale: float
) -> tuple[Float64[np.ndarray, "n 2"], Float64[np.ndarray, " n"]]:
    """Points on all strokes, half a pixel of the sheet apart, and the ink that each of them gets."""
    lengths = [len(stroke) for stroke in strokes]
    counts = [2 * math.ceil(scale * length) for length in lengths]
    at = np.concatenate(
        [np.linspace(0, length - 1, count) for length, count in zip(lengths, counts, strict=True)]
    )
    length, first = np.repeat(lengths, counts), np.repeat(np.cumsum([0, *lengths[:-1]]), counts)
    before = first + np.minimum(at.astype(int), length - 2)
    share = (at - before + first)[:, None]
    points = np.concatenate(strokes)
    points = (1 - share) * points[before] + share * points[before + 1]
    taper = np.minimum(1, 0.35 + np.minimum(at, length - 1 - at) / 6)
    pressure = np.minimum(1, 0.45 + 2 * points[:, 2]) * (1 + points[:, 3])
    step = (length - 1) / (np.repeat(counts, counts) - 1)
    return (points[:, :2] + 0.5) * scale - 0.5, taper * pressure * step * scale
