"""Smooth curves as SVG path text; `points` are float arrays [n, 2] of x, y in the 512-unit frame."""

from typing import Any

import numpy as np

from tedigan.drawn.colours import Number

Points = np.ndarray | list[Any]


def _text(point: np.ndarray) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"


def _bezier(points: Points, *, is_closed: bool) -> str:
    """Catmull-Rom through `points` as cubic Bezier commands, without the opening move."""
    if is_closed:
        padded = np.concatenate([points[-1:], points, points[:2]])
    else:
        padded = np.concatenate([points[:1], points, points[-1:]])
    before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    leave, arrive = start + (end - before) / 6, end - (after - start) / 6
    numbers = np.concatenate([leave, arrive, end], axis=1).ravel().tolist()
    return "C%.1f %.1f %.1f %.1f %.1f %.1f" * len(end) % tuple(numbers)


def open_path(points: Points) -> str:
    """A smooth curve through `points`, for strokes."""
    points = np.asarray(points, dtype=float)
    return f"M{_text(points[0])}{_bezier(points, is_closed=False)}"


def tapered_path(points: Points, width: Number) -> str:
    """A curve through `points` as a shape that swells to `width` and ends in points.

    It looks like a hair and, being filled, rasterises faster than a stroke.
    """
    points = np.asarray(points, dtype=float)
    along = points[1:] - points[:-1]
    tangent = (along[:-1] + along[1:]) / 2
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    normal /= np.hypot(normal[:, 0], normal[:, 1])[:, None] + 1e-9
    back = points.copy()
    back[1:-1] += width * normal
    return f"M{_text(points[0])}{_bezier(points, is_closed=False)}{_bezier(back[::-1], is_closed=False)}Z"


def closed_path(points: Points) -> str:
    """A smooth closed outline through `points`."""
    points = np.asarray(points, dtype=float)
    return f"M{_text(points[0])}{_bezier(points, is_closed=True)}Z"


def joined_path(*curves: Points) -> str:
    """A closed outline of smooth curves that meet in corners, in the order given."""
    arrays = [np.asarray(curve, dtype=float) for curve in curves]
    parts = [f"M{_text(arrays[0][0])}"]
    for curve in arrays:
        parts.append(f"L{_text(curve[0])}{_bezier(curve, is_closed=False)}")
    return "".join(parts) + "Z"


def polygon_path(points: Points) -> str:
    """A closed outline with straight sides."""
    return "M" + "L".join(_text(point) for point in np.asarray(points, dtype=float)) + "Z"


def ellipse_path(x: Number, y: Number, radius_x: Number, radius_y: Number) -> str:
    """A full ellipse."""
    arc = f"A{radius_x:.1f} {radius_y:.1f} 0 1 0"
    return f"M{x - radius_x:.1f} {y:.1f}{arc} {x + radius_x:.1f} {y:.1f}{arc} {x - radius_x:.1f} {y:.1f}Z"


def resample(knots: Points, positions: np.ndarray) -> np.ndarray:
    """Catmull-Rom values at `positions` (0..1 along the first axis) of `knots` [k, ...]."""
    knots = np.asarray(knots, dtype=float)
    scaled = np.clip(np.asarray(positions, dtype=float), 0.0, 1.0) * (len(knots) - 1)
    index = np.minimum(scaled.astype(int), len(knots) - 2)
    fraction = (scaled - index).reshape(-1, *([1] * (knots.ndim - 1)))
    start, end = knots[index], knots[index + 1]
    before = knots[np.maximum(index - 1, 0)]
    after = knots[np.minimum(index + 2, len(knots) - 1)]
    leave, arrive = (end - before) / 2, (after - start) / 2
    square, cube = fraction**2, fraction**3
    return (
        (2 * cube - 3 * square + 1) * start
        + (cube - 2 * square + fraction) * leave
        + (3 * square - 2 * cube) * end
        + (cube - square) * arrive
    )
