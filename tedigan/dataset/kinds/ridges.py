"""Where a picture shows lines: dark strokes, and the edges of what differs in brightness.

A bank of long filters in NUM_ANGLES directions looks at the picture; a pixel lies on a line where the strongest of
them is stronger than beside it. A dark band gives one line along its middle rather than two along its rims, and a
highlight gives none. Lengths are in 256ths of the picture's side.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Bool, Complex64, Float32, Int8
from scipy import fft, ndimage

NUM_ANGLES = 8
# Of filters, the standard deviations across and along their line, and what they count beside others.
NARROW, BROAD, EDGE = (1.3, 4.5, 1.3), (2.8, 7.0, 0.75), (1.4, 6.0, 1.0)
MARGIN = 16  # pixels by which the picture is continued
# How much stronger a bright line may be, beside a dark one and beside an edge, before they are its rims.
HIGHLIGHT, HIGHLIGHT_EDGE = 1.7, 1.2

Plane = Float32[np.ndarray, "h w"]
Spectrum = Complex64[np.ndarray, "p q"]


@dataclass(frozen=True)
class Lines:
    """strength: 0 where there is no line. angle: of the line, in steps of pi / NUM_ANGLES.

    is_broad: whether the BROAD filter saw it best.
    """

    strength: Plane
    angle: Int8[np.ndarray, "h w"]
    is_broad: Bool[np.ndarray, "h w"]


def find_lines(luma: Plane) -> Lines:
    """What the filters see in a square picture."""
    side = luma.shape[0]
    spectrum = fft.rfft2(np.pad(luma, MARGIN, mode="edge"))
    narrow, narrow_angle, bright = _strongest(_answers(spectrum, side, *NARROW[:2]))
    broad, broad_angle, broad_bright = _strongest(_answers(spectrum, side, *BROAD[:2]))
    edge, edge_angle, _ = _strongest(map(np.abs, _answers(spectrum, side, *EDGE[:2], is_edge=True)))
    edge = _without_highlights(edge, bright, side, reach=2, limit=HIGHLIGHT_EDGE)
    edge = _without_highlights(edge, broad_bright, side, reach=4, limit=HIGHLIGHT_EDGE)
    narrow = _without_highlights(narrow, bright, side, reach=3, limit=HIGHLIGHT)
    broad = _without_highlights(broad, broad_bright, side, reach=6, limit=HIGHLIGHT)
    strength, angle = narrow * NARROW[2], narrow_angle
    is_edge = (edge := edge * EDGE[2]) > strength
    strength, angle = np.where(is_edge, edge, strength), np.where(is_edge, edge_angle, angle)
    is_broad = (broad := broad * BROAD[2]) > strength
    return Lines(
        np.where(is_broad, broad, strength), np.where(is_broad, broad_angle, angle), is_broad
    )


def ridges(lines: Lines) -> Bool[np.ndarray, "h w"]:
    """The pixels that are stronger than both neighbours across their line."""
    strength = lines.strength
    around = np.pad(strength, 1)
    height, width = strength.shape

    def beside(dy: int, dx: int) -> Plane:
        return around[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]

    steps = [(1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0)]  # across lines of 0, 45, ... 180 degrees
    is_ridge = np.zeros(strength.shape, bool)
    for number in range(NUM_ANGLES):
        one, other = steps[number // 2], steps[(number + 1) // 2]
        ahead = (beside(*one) + beside(*other)) / 2
        behind = (beside(-one[0], -one[1]) + beside(-other[0], -other[1])) / 2
        is_ridge |= (lines.angle == number) & (strength >= ahead) & (strength > behind)
    return is_ridge


def _answers(
    spectrum: Spectrum, side: int, across: float, along: float, *, is_edge: bool = False
) -> Iterator[Plane]:
    """Of the filter of each angle."""
    size = spectrum.shape[0]
    inner = slice(MARGIN, MARGIN + side)
    for one in _bank(size, across * side / 256, along * side / 256, is_edge):
        yield fft.irfft2(spectrum * one, s=(size, size))[inner, inner]


def _strongest(answers: Iterator[Plane]) -> tuple[Plane, Int8[np.ndarray, "h w"], Plane]:
    """The strongest answer at each pixel, its angle, and the strongest of what is as bright as that is dark."""
    best = next(answers).copy()
    bright = -best
    angle = np.zeros(best.shape, np.int8)
    for number, answer in enumerate(answers, start=1):
        is_best = answer > best
        np.copyto(best, answer, where=is_best)
        angle[is_best] = number
        np.maximum(bright, -answer, out=bright)
    return best, angle, bright


def _without_highlights(
    strength: Plane, bright: Plane, side: int, *, reach: int, limit: float
) -> Plane:
    """0 at the rims of bright lines, which are within `reach`."""
    near = ndimage.maximum_filter(bright, 2 * round(reach * side / 256) + 1)
    return np.where(near > limit * strength, 0, np.maximum(strength, 0))


@cache
def _bank(
    size: int, across: float, along: float, is_edge: bool
) -> Complex64[np.ndarray, "k p q"] | Float32[np.ndarray, "k p q"]:
    """Filters in the domain of frequencies: across, a derivative of a Gaussian; along, a longer Gaussian.

    It is the first derivative for edges and the second for lines.
    """
    down = 2 * np.pi * fft.fftfreq(size)[:, None]
    right = 2 * np.pi * fft.rfftfreq(size)[None]
    bank = []
    for number in range(NUM_ANGLES):
        angle = np.pi * number / NUM_ANGLES
        with_line = along * (right * np.cos(angle) + down * np.sin(angle))
        off_line = across * (down * np.cos(angle) - right * np.sin(angle))
        derivative = 1j * off_line if is_edge else -(off_line**2)
        bank.append(derivative * np.exp(-0.5 * (off_line**2 + with_line**2)))
    return np.stack(bank).astype(np.complex64 if is_edge else np.float32)
