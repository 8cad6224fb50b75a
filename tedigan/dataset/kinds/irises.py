"""Irises: rings around the darkest round spots where an aligned face has its eyes.

They are drawn because lids alone do not say where somebody looks. Lengths are in 256ths of the picture's side.
"""

import numpy as np
from scipy import ndimage

from tedigan.dataset.kinds.ridges import Plane
from tedigan.dataset.kinds.strokes import CLEAR, Stroke

RADIUS, DARK = 3.3, 0.1  # how much darker it is than all around
EYES_Y, EYES_X = (0.41, 0.54), ((0.31, 0.46), (0.54, 0.69))  # shares of the side


def irises(luma: Plane) -> list[Stroke]:
    """At most two strokes."""
    side = luma.shape[0]
    radius = RADIUS * side / 256
    dark = _darkness(luma, radius)
    top, bottom = (round(share * side) for share in EYES_Y)
    turn = np.linspace(0, 2 * np.pi, max(8, round(6 * radius)))
    rings = []
    for left, right in EYES_X:
        eye = dark[top:bottom, round(left * side) : round(right * side)]
        y, x = np.unravel_index(int(eye.argmax()), eye.shape)
        if eye[y, x] > DARK:
            down, across = (
                y + top + radius * np.sin(turn),
                x + round(left * side) + radius * np.cos(turn),
            )
            strength, breadth = np.full(len(turn), 2 * CLEAR), np.zeros(len(turn))
            rings.append(np.stack([down, across, strength, breadth], axis=1))
    return rings


def _darkness(luma: Plane, deviation: float) -> Plane:
    """Of each point against all sides: the smaller curvature of the blurred brightness."""
    smooth = ndimage.gaussian_filter(luma, deviation)
    down, right = np.gradient(smooth)
    (yy, yx), xx = np.gradient(down), np.gradient(right, axis=1)
    return deviation**2 * ((yy + xx) / 2 - np.hypot((yy - xx) / 2, yx))
