"""Curls: hair as a cloud of round locks."""

import numpy as np

from tedigan.drawn.colours import BLACK, Number, darker, lighter, mix
from tedigan.drawn.curves import ellipse_path
from tedigan.drawn.scene import Scene


def draw_curls(scene: Scene, *, top: Number, bottom: Number, reach: Number, count: int) -> None:
    """A crown of curls above the hairline, from temple to temple."""
    for angle in np.linspace(0.02, 0.98, count) * np.pi:
        height = bottom - (bottom - top) * np.sin(angle) ** 0.8
        along = -reach * np.cos(angle)
        for depth in (0.0, 1.0):
            point = (along * (1 - 0.1 * depth), height + 34 * depth * np.sin(angle))
            _draw_curl(scene, point, radius=scene.rng.uniform(17, 25), tone=0.0)


def draw_curl_sides(
    scene: Scene, *, columns: tuple[Number, ...], bottom: Number, tone: Number
) -> None:
    """Curls that hang down beside the face."""
    for side in (-1, 1):
        for y in np.linspace(128, bottom, 10):
            for column in columns:
                bulge = column + 0.12 * np.sin(np.pi * (y - 128) / (bottom - 128))
                shaken = side * bulge + scene.rng.uniform(-0.07, 0.07)
                _draw_curl(scene, (shaken, y), radius=scene.rng.uniform(15, 29), tone=tone)


def _draw_curl(scene: Scene, point: tuple[Number, Number], *, radius: Number, tone: Number) -> None:
    """One round curl; `tone` below 0 darkens it, for the hair behind."""
    canvas, rng = scene.canvas, scene.rng
    colour = mix(scene.person.hair, BLACK, -tone)
    stops = [(0, lighter(colour, 0.2), 1.0), (0.55, colour, 1.0), (1, darker(colour, 0.42), 1.0)]
    place = scene.back if tone else scene.wide
    shaken = (point[0] + rng.uniform(-0.04, 0.04), point[1] + rng.uniform(-6, 6))
    x, y = (float(value) for value in place([shaken])[0])
    path = ellipse_path(x, y, radius, radius)
    light = (x + 6 * scene.look.light, y - 6)
    canvas.paint(path, canvas.radial(light, 1.25 * radius, stops))
    canvas.mark(path, "hair")
