"""Background and clothes."""

import numpy as np

from tedigan.drawn.canvas import SIZE
from tedigan.drawn.colours import WHITE, Colour, Number, darker, lighter
from tedigan.drawn.curves import (
    closed_path,
    ellipse_path,
    joined_path,
    open_path,
    polygon_path,
)
from tedigan.drawn.scene import Scene

SHIRT_WHITE: Colour = (240, 240, 245)
WHOLE = np.array([(-40, -40), (SIZE + 40, -40), (SIZE + 40, SIZE + 40), (-40, SIZE + 40)])


def draw_ground(scene: Scene) -> None:
    """The background: a gradient, at times with soft lights, stripes or a horizon."""
    canvas, look, rng = scene.canvas, scene.look, scene.rng
    bright, dim = look.ground_colours
    centre = (256 + 150 * look.light, 150)
    canvas.paint(polygon_path(WHOLE), canvas.radial(centre, 480, [(0, bright, 1), (1, dim, 1)]))
    if look.ground == "bokeh":
        for _ in range(11):
            place = (rng.uniform(0, SIZE), rng.uniform(0, 420))
            radius = rng.uniform(22, 66)
            tone = lighter(bright, rng.uniform(0.2, 0.7))
            canvas.paint(ellipse_path(*place, radius, radius), tone, opacity=rng.uniform(0.15, 0.4))
    if look.ground == "stripes":
        for x in range(-300, 560, 86):
            stripe = [(x, -10), (x + 40, -10), (x + 300, 530), (x + 260, 530)]
            canvas.paint(polygon_path(np.array(stripe)), lighter(bright, 0.25), opacity=0.35)
    if look.ground == "horizon":
        level = rng.uniform(250, 400)
        hills = [
            (-20, level),
            (130, level - 30),
            (300, level + 14),
            (430, level - 24),
            (540, level),
        ]
        low = darker(dim, 0.28)
        canvas.paint(
            joined_path(np.array(hills), np.array([(540, 540), (-20, 540)])), low, opacity=0.7
        )


def _body(neck: list[tuple[Number, Number]]) -> str:
    """The outline of a garment whose neckline is given from left to middle, as (x, y) offsets."""
    left = [(-300.0, 540.0), (-262.0, 506.0), (-150.0, 468.0), *neck]
    right = [(-x, y) for x, y in reversed(left) if x != 0]
    shift = np.array([256.0, 0.0])
    shoulders = np.array(left) + shift
    return joined_path(
        shoulders[:4], shoulders[3:], np.array(right)[:-3] + shift, np.array(right)[-4:] + shift
    )


def draw_clothes(scene: Scene) -> None:
    """Draw the garment, its collar and the tie."""
    look, wide = scene.look, 0.66 * scene.person.half_width
    necklines: dict[str, list[tuple[Number, Number]]] = {
        "crew": [(-wide - 8, 452), (-0.7 * wide, 476), (0, 488)],
        "vneck": [(-wide - 8, 450), (-0.55 * wide, 478), (0, 530)],
        "scoop": [(-wide - 44, 460), (-0.95 * wide, 500), (-0.4 * wide, 524), (0, 528)],
        "shirt": [(-wide - 4, 448), (-0.5 * wide, 470), (0, 502)],
        "suit": [(-wide - 4, 448), (-0.5 * wide, 470), (0, 502)],
        "turtleneck": [(-wide - 6, 424), (-0.6 * wide, 446), (0, 456)],
    }
    is_suit = look.clothes == "suit"
    colour = darker(look.cloth_colour, 0.4) if is_suit else look.cloth_colour
    path = _body(necklines[look.clothes])
    _paint_cloth(scene, path, colour)
    neckline = np.array(necklines[look.clothes]) + np.array([256.0, 0.0])
    rim = np.concatenate([neckline, (np.array([512.0, 0.0]) - neckline * [1, -1])[::-1][1:]])
    if look.clothes in ("crew", "scoop", "turtleneck"):
        scene.canvas.paint(open_path(rim), None, stroke=darker(colour, 0.28), width=7, opacity=0.8)
        scene.canvas.mark(open_path(rim), "cloth", width=7, has_fill=False)
    if look.clothes in ("shirt", "suit"):
        _draw_collar(scene, SHIRT_WHITE if is_suit else colour, wide)


def _paint_cloth(scene: Scene, path: str, colour: Colour) -> None:
    """A garment lit from one side."""
    canvas, side = scene.canvas, scene.look.light
    stops = [(0, lighter(colour, 0.16), 1.0), (0.5, colour, 1.0), (1, darker(colour, 0.42), 1.0)]
    canvas.paint(path, canvas.linear((256 + 240 * side, 440), (256 - 240 * side, 530), stops))
    canvas.mark(path, "cloth")


def _draw_collar(scene: Scene, colour: Colour, wide: float) -> None:
    """Collar leaves, and where worn the tie and the jacket."""
    canvas, look = scene.canvas, scene.look
    if look.clothes == "suit":
        for side in (-1, 1):
            front = [
                (wide + 4, 446),
                (wide + 8, 462),
                (36, 545),
                (0, 545),
                (0, 501),
                (0.5 * wide, 470),
            ]
            points = np.array([(256 + side * x, y) for x, y in front])
            canvas.paint(polygon_path(points), colour)
            canvas.mark(polygon_path(points), "cloth")
            edge = open_path(points[1:3])
            canvas.paint(edge, None, stroke=darker(look.cloth_colour, 0.7), width=4)
    if look.has_tie:
        _draw_tie(scene)
    for side in (-1, 1):
        leaf = [
            (wide + 2, 436),
            (wide + 10, 456),
            (0.66 * wide, 506),
            (0.05 * wide, 484),
            (0.5 * wide, 468),
        ]
        points = np.array([(256 + side * x, y) for x, y in leaf])
        path = polygon_path(points)
        canvas.paint(path, lighter(colour, 0.15), stroke=darker(colour, 0.35), width=2)
        canvas.mark(path, "cloth", width=2)


def _draw_tie(scene: Scene) -> None:
    """Knot and blade of a necktie."""
    canvas, colour = scene.canvas, scene.look.accent_colour
    blade = np.array([(240, 496), (272, 496), (286, 545), (226, 545)])
    knot = np.array([(232, 472), (280, 472), (272, 502), (240, 502)])
    for path, tone in ((polygon_path(blade), colour), (closed_path(knot), darker(colour, 0.18))):
        canvas.paint(path, tone, stroke=darker(colour, 0.5), width=2)
        canvas.mark(path, "cloth", width=2)
    stripe = open_path(np.array([(236, 522), (272, 508)]))
    canvas.paint(stripe, None, stroke=WHITE, width=4, opacity=0.5)
