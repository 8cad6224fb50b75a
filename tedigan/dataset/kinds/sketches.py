"""A pencil sketch of a photograph: dark strokes on white.

Edges are taken in both directions, thinned to their ridges, cleaned by hysteresis, and drawn again as
soft strokes; or they are handed to a network that simplifies rough drawings. A sketch is uint8
`[1, size, size]`, 255 = paper.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import UInt8
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

# A rough drawing 0..1, 1 = paper, -> the same with clean strokes.
Simplify = Callable[[Tensor], Tensor]

LOOK_PX = 512
FAINT = 0.15  # contrasts below this share of the range are not brought up

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def sketch_of(
    pixels: UInt8[Tensor, "3 h w"], size_px: int, *, simplify: Simplify | None = None
) -> UInt8[Tensor, "1 size size"]:
    """The sketch of a square photograph.

    Lines are found at up to four times `size_px`, and never at more than 512 px: finer ones are texture.
    """
    side = min(4 * size_px, LOOK_PX)
    luma = _even(_luma(pixels, side))
    strength, across, down = _edges(luma, blur_px=max(side / 215, 0.45 * side / size_px))
    if simplify is None:
        ridges = np.where(_beside_a_stronger(strength, across, down), 0, strength)
        width_px = max(side / 430, 0.28 * side / size_px)
        ink = torch.from_numpy(_strokes(_levelled(ridges), width_px=width_px))[None, None]
    else:
        ink = 1 - simplify(1 - torch.from_numpy(_levelled(strength))[None, None])
    mode = "area" if size_px < side else "bicubic"
    sized = functional.interpolate(ink, size=(size_px, size_px), mode=mode)[0]
    return ((1 - sized) * 255).round().clamp(0, 255).to(torch.uint8)


def _luma(pixels: UInt8[Tensor, "3 h w"], side: int) -> np.ndarray:
    """Brightness 0..1 at `side` px."""
    weights = torch.tensor(_LUMA)[:, None, None]
    luma = (pixels.to(torch.float32) * weights).sum(0)[None, None] / 255
    if luma.shape[-1] > side:
        luma = functional.interpolate(luma, size=(side, side), mode="area")
    elif luma.shape[-1] < side:
        luma = functional.interpolate(luma, size=(side, side), mode="bicubic", antialias=True)
    return luma[0, 0].numpy()


def _even(luma: np.ndarray) -> np.ndarray:
    """Divided by the contrast around each point, so that a nose in shade is drawn as well as a collar."""
    window = luma.shape[0] // 6
    mean, square = (ndimage.uniform_filter(x, window, mode="nearest") for x in (luma, luma**2))
    contrast = np.sqrt(np.maximum(square - mean**2, 0))
    return (luma - mean) / (contrast + FAINT)


def _edges(luma: np.ndarray, *, blur_px: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The Sobel gradient of the blurred brightness: its length, and its parts across and down."""
    smooth = ndimage.gaussian_filter(luma, blur_px, mode="nearest")
    across = ndimage.sobel(smooth, axis=1, mode="nearest")
    down = ndimage.sobel(smooth, axis=0, mode="nearest")
    return np.hypot(across, down), across, down


def _levelled(strength: np.ndarray) -> np.ndarray:
    """Strength 0..1; the strongest tenth of the lines is 1, unless all are faint."""
    lines = strength[strength > 0]
    strong = max(float(np.quantile(lines, 0.9)), 0.25) if lines.size else 1.0
    return np.clip(strength / strong, 0, 1)


def _beside_a_stronger(strength: np.ndarray, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    """True where one of the two neighbours along the gradient (of 4 directions) is stronger."""
    padded = np.pad(strength, 1)
    height, width = strength.shape
    steps = np.round(np.arctan2(down, across) / (np.pi / 4)).astype(int) % 4
    weaker = np.zeros(strength.shape, bool)
    for step, (dy, dx) in enumerate([(0, 1), (1, 1), (1, 0), (1, -1)]):
        ahead = padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        behind = padded[1 - dy : 1 - dy + height, 1 - dx : 1 - dx + width]
        weaker |= (steps == step) & ((strength < ahead) | (strength <= behind))
    return weaker


def _strokes(ridges: np.ndarray, *, width_px: float) -> np.ndarray:
    """Ink 0..1: faint lines stay only where they continue a clear one; short crumbs go."""
    candidates, num = ndimage.label(ridges > 0.15, np.ones((3, 3)))
    if num == 0:
        return ridges.astype(np.float32)
    kept = np.bincount(candidates.ravel()) >= ridges.shape[0] / 18
    is_clear = np.zeros(num + 1, bool)
    is_clear[candidates[ridges > 0.42]] = True
    kept &= is_clear
    ink = np.where(kept[candidates], 0.35 + 0.65 * ridges, 0)
    line = ndimage.gaussian_filter(ink, width_px) * (width_px * math.sqrt(2 * math.pi))
    return np.clip(1.4 * line, 0, 1).astype(np.float32)
