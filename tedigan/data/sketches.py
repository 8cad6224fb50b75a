"""A pencil sketch of a photograph: dark strokes on white.

Edges are taken in both directions, thinned to their ridges, cleaned by hysteresis, and drawn again as
soft strokes. A sketch is uint8 `[1, size, size]`, 255 = paper.
"""

import math

import numpy as np
import torch
from jaxtyping import UInt8
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def sketch_of(pixels: UInt8[Tensor, "3 h w"], size_px: int) -> UInt8[Tensor, "1 size size"]:
    """The sketch of a square photograph.

    Lines are found at 2 to 4 times `size_px` (1 to 2 times from 512 px on) and averaged down to it.
    """
    side = max(size_px, min(max(pixels.shape[1], 2 * size_px), 4 * size_px, 512))
    luma = _luma(pixels, side)
    strokes = _strokes(_ridges(luma, blur_px=max(0.8, side / 140)), width_px=max(0.7, side / 260))
    ink = torch.from_numpy(strokes)[None, None]
    small = functional.interpolate(ink, size=(size_px, size_px), mode="area")[0]
    return ((1 - small) * 255).round().to(torch.uint8)


def _luma(pixels: UInt8[Tensor, "3 h w"], side: int) -> np.ndarray:
    """Brightness 0..1 at `side` px."""
    weights = torch.tensor(_LUMA)[:, None, None]
    luma = (pixels.to(torch.float32) * weights).sum(0)[None, None] / 255
    if luma.shape[-1] > side:
        luma = functional.interpolate(luma, size=(side, side), mode="area")
    elif luma.shape[-1] < side:
        luma = functional.interpolate(luma, size=(side, side), mode="bicubic", antialias=True)
    return luma[0, 0].numpy()


def _ridges(luma: np.ndarray, *, blur_px: float) -> np.ndarray:
    """Strength 0..1 on the thin lines where the Sobel gradient is largest across the edge, else 0."""
    smooth = ndimage.gaussian_filter(luma, blur_px, mode="nearest")
    across = ndimage.sobel(smooth, axis=1, mode="nearest")
    down = ndimage.sobel(smooth, axis=0, mode="nearest")
    strength = np.hypot(across, down)
    strength[_beside_a_stronger(strength, across, down)] = 0
    lines = strength[strength > 0]
    if not lines.size:
        return strength
    strong = max(float(np.quantile(lines, 0.9)), 0.05)
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
    candidates, num = ndimage.label(ridges > 0.18, np.ones((3, 3)))
    if num == 0:
        return ridges.astype(np.float32)
    index = np.arange(1, num + 1)
    peaks = ndimage.maximum(ridges, candidates, index)
    lengths = ndimage.sum_labels(np.ones_like(ridges), candidates, index)
    kept = np.concatenate([[False], (peaks > 0.45) & (lengths >= ridges.shape[0] / 18)])
    ink = np.where(kept[candidates], 0.35 + 0.65 * ridges, 0)
    line = ndimage.gaussian_filter(ink, width_px) * (width_px * math.sqrt(2 * math.pi))
    return np.clip(1.4 * line, 0, 1).astype(np.float32)
