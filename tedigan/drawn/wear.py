"""What is worn on the head and the neck: glasses, hats, earrings, necklaces."""

import numpy as np

from tedigan.drawn.colours import WHITE, Number, darker, lighter
from tedigan.drawn.curves import (
    closed_path,
    ellipse_path,
    joined_path,
    open_path,
    polygon_path,
    resample,
)
from tedigan.drawn.scene import EYE_Y, SIDES, Scene


def _lens(scene: Scene, side: int) -> np.ndarray:
    """The rim of one lens."""
    half = {
        "round": [(-40, 2), (-30, -26), (0, -36), (30, -26), (40, 2), (30, 28), (0, 38), (-30, 28)],
        "square": [
            (-40, 0),
            (-40, -24),
            (-30, -30),
            (30, -31),
            (43, -24),
            (41, 12),
            (30, 30),
            (-24, 30),
        ],
        "cat": [
            (-38, 4),
            (-34, -22),
            (0, -29),
            (40, -42),
            (48, -34),
            (40, 10),
            (18, 29),
            (-22, 28),
        ],
    }[scene.look.glasses]
    middle = scene.person.eye_distance / 2 + 1
    return scene.front([(side * (middle + x), EYE_Y + 3 + y) for x, y in half])


def _glasses_arms(scene: Scene) -> list[np.ndarray]:
    """Bridge and temples."""
    middle = scene.person.eye_distance / 2
    reach = scene.person.half_width + 3
    bridge = [(-(middle - 38), EYE_Y - 4), (0, EYE_Y - 13), (middle - 38, EYE_Y - 4)]
    arms = [[(side * (middle + 40), EYE_Y - 12), (side * reach, EYE_Y - 7)] for _, side in SIDES]
    return [scene.front(line) for line in (bridge, *arms)]


def mark_glasses(scene: Scene) -> None:
    """Put the glasses on the label map; eyes and brows are marked over them, as officially."""
    if scene.look.glasses == "none":
        return
    for _, side in SIDES:
        scene.canvas.mark(closed_path(_lens(scene, side)), "eye_g", width=8)
    for line in _glasses_arms(scene):
        scene.canvas.mark(open_path(line), "eye_g", width=7, has_fill=False)


def draw_glasses(scene: Scene) -> None:
    """Paint frame, lenses and a reflection."""
    if scene.look.glasses == "none":
        return
    canvas, colour = scene.canvas, scene.look.glasses_colour
    for line in _glasses_arms(scene):
        canvas.paint(open_path(line), None, stroke=colour, width=7)
    for _, side in SIDES:
        rim = _lens(scene, side)
        path = closed_path(rim)
        canvas.paint(path, (214, 232, 246), opacity=0.16)
        x, y = rim[:, 0].mean(), rim[:, 1].mean()
        glare = [(x - 22, y + 22), (x - 8, y + 27), (x + 16, y - 26), (x + 2, y - 26)]
        canvas.paint(polygon_path(np.array(glare)), WHITE, opacity=0.16)
        canvas.paint(path, None, stroke=colour, width=8)
        canvas.paint(path, None, stroke=lighter(colour, 0.4), width=1.5, opacity=0.5)


def draw_hat(scene: Scene) -> None:
    """Draw the hat over the hair."""
    if scene.look.hat != "none":
        {"beanie": _draw_beanie, "cap": _draw_cap, "brim": _draw_brim}[scene.look.hat](scene)


def _draw_dome(scene: Scene, *, width: Number, top: Number, bottom: Number) -> None:
    """The crown of any hat."""
    canvas, colour, side = scene.canvas, scene.look.hat_colour, scene.look.light
    half = [
        (width, bottom),
        (0.98 * width, bottom - 50),
        (0.74 * width, top + 18),
        (0.3 * width, top),
    ]
    dome = scene.wide([(-x, y) for x, y in half] + list(reversed(half)))
    brow = scene.wide(
        [(width, bottom), (0.5 * width, bottom - 14), (-0.5 * width, bottom - 14), (-width, bottom)]
    )
    path = joined_path(dome, brow)
    stops = [(0, lighter(colour, 0.22), 1.0), (0.5, colour, 1.0), (1, darker(colour, 0.45), 1.0)]
    canvas.paint(path, canvas.linear((256 + 150 * side, 0), (256 - 150 * side, 120), stops))
    canvas.mark(path, "hat")


def _draw_beanie(scene: Scene) -> None:
    canvas, colour = scene.canvas, scene.look.hat_colour
    _draw_dome(scene, width=1.26, top=-4, bottom=152)
    band = [(-1.29, 150), (-0.7, 122), (0, 114), (0.7, 122), (1.29, 150)]
    low = [(x, y + 44) if abs(x) < 1 else (x, y + 34) for x, y in band]
    path = joined_path(scene.wide(band), scene.wide(low)[::-1])
    canvas.paint(
        open_path(scene.wide(low) + np.array([0, 5])),
        None,
        stroke=scene.skin_line,
        width=12,
        opacity=0.3,
    )
    canvas.paint(path, darker(colour, 0.22))
    canvas.mark(path, "hat")
    for along in np.linspace(-1.2, 1.2, 23):
        rise = 36 * (abs(along) / 1.29) ** 2
        rib = scene.wide([(along, 116 + rise), (along, 154 + 0.8 * rise)])
        canvas.paint(open_path(rib), None, stroke=darker(colour, 0.45), width=2.5, opacity=0.6)
        if abs(along) < 1.1:
            knit = scene.wide(
                [(0.5 * along, 4 + 30 * along**2), (0.95 * along, 108 + 20 * along**2)]
            )
            canvas.paint(open_path(knit), None, stroke=darker(colour, 0.3), width=2, opacity=0.4)


def _draw_cap(scene: Scene) -> None:
    canvas, colour = scene.canvas, scene.look.hat_colour
    _draw_dome(scene, width=1.22, top=4, bottom=148)
    for along in (-0.5, 0.0, 0.5):
        seam = scene.wide([(0.3 * along, 6), (0.9 * along, 60), (1.25 * along, 130)])
        canvas.paint(open_path(seam), None, stroke=darker(colour, 0.4), width=2.5, opacity=0.6)
    upper = [(-1.02, 150), (-0.6, 122), (0, 113), (0.6, 122), (1.02, 150)]
    lower = [(1.02, 150), (0.72, 166), (0, 172), (-0.72, 166), (-1.02, 150)]
    path = joined_path(scene.wide(upper), scene.wide(lower))
    canvas.paint(
        open_path(scene.wide(lower) + np.array([0, 7])),
        None,
        stroke=scene.skin_line,
        width=14,
        opacity=0.35,
    )
    fill = [(0, darker(scene.look.hat_colour, 0.12), 1.0), (1, darker(colour, 0.5), 1.0)]
    canvas.paint(path, canvas.linear((0, 116), (0, 174), fill))
    canvas.mark(path, "hat")


def _draw_brim(scene: Scene) -> None:
    canvas, colour = scene.canvas, scene.look.hat_colour
    _draw_dome(scene, width=1.16, top=2, bottom=140)
    upper = [(-2.05, 138), (-1.2, 112), (0, 104), (1.2, 112), (2.05, 138)]
    lower = [(2.05, 138), (1.2, 158), (0, 164), (-1.2, 158), (-2.05, 138)]
    path = joined_path(scene.wide(upper), scene.wide(lower))
    shade = scene.wide(lower) + np.array([0, 8])
    canvas.paint(
        open_path(shade), None, stroke=scene.skin_line, width=20, opacity=0.4, clip=scene.face_clip
    )
    fill = [(0, lighter(colour, 0.1), 1.0), (1, darker(colour, 0.42), 1.0)]
    canvas.paint(path, canvas.linear((0, 106), (0, 166), fill))
    canvas.mark(path, "hat")
    ribbon = [(-1.15, 122), (-0.6, 104), (0, 98), (0.6, 104), (1.15, 122)]
    canvas.paint(open_path(scene.wide(ribbon)), None, stroke=scene.look.accent_colour, width=15)
    canvas.mark(open_path(scene.wide(ribbon)), "hat", width=15, has_fill=False)


def draw_earrings(scene: Scene) -> None:
    """A pair of studs, hoops or drops below the ear lobes."""
    kind, canvas = scene.look.earrings, scene.canvas
    if kind == "none":
        return
    metal, gem = scene.look.metal, scene.look.gem
    for _, side in SIDES:
        x, y = (float(value) for value in scene.back([(1.09 * side, 308)])[0])
        if kind == "hoop":
            ring = ellipse_path(x, y + 20, 14, 20)
            canvas.paint(ring, None, stroke=darker(metal, 0.45), width=10)
            canvas.paint(ring, None, stroke=metal, width=7)
            canvas.mark(ring, "ear_r", width=10, has_fill=False)
            continue
        radius, drop = (10.0, 4.0) if kind == "stud" else (13.0, 32.0)
        stops = [(0, lighter(gem, 0.75), 1.0), (0.4, gem, 1.0), (1, darker(gem, 0.45), 1.0)]
        ball = ellipse_path(x, y + drop, radius, radius * (1.0 if kind == "stud" else 1.35))
        if kind == "drop":
            canvas.paint(open_path([(x, y), (x, y + 20)]), None, stroke=metal, width=5)
            canvas.mark(open_path([(x, y), (x, y + 20)]), "ear_r", width=5, has_fill=False)
        canvas.paint(
            ball, canvas.radial((x - 4, y + drop - 5), 1.4 * radius, stops), stroke=metal, width=3
        )
        canvas.mark(ball, "ear_r", width=3)


def draw_necklace(scene: Scene) -> None:
    """A chain, beads or a pendant around the neck."""
    kind, canvas, person = scene.look.necklace, scene.canvas, scene.person
    if kind == "none":
        return
    low = max(484.0, person.chin_y + 46)
    curve = scene.back(
        [
            (-0.68, 442),
            (-0.5, low - 14),
            (-0.22, low - 2),
            (0, low),
            (0.22, low - 2),
            (0.5, low - 14),
            (0.68, 442),
        ]
    )
    metal = scene.look.metal
    path = open_path(curve)
    canvas.paint(path, None, stroke=darker(metal, 0.5), width=9 if kind != "beads" else 3)
    canvas.paint(path, None, stroke=metal, width=6 if kind != "beads" else 2)
    canvas.mark(path, "neck_l", width=9, has_fill=False)
    if kind == "beads":
        _draw_beads(scene, curve)
    if kind == "pendant":
        x, y = float(curve[3, 0]), low + 8
        canvas.paint(ellipse_path(x, y, 13, 15), scene.look.gem, stroke=metal, width=4)
        canvas.glow((x - 3, y - 4), (7, 7), WHITE, 0.8)
        canvas.mark(ellipse_path(x, y, 13, 15), "neck_l", width=4)


def _draw_beads(scene: Scene, curve: np.ndarray) -> None:
    gem = scene.look.gem if scene.look.gem[0] > 150 else (246, 240, 232)
    for x, y in resample(curve, np.linspace(0.02, 0.98, 19)):
        ball = ellipse_path(float(x), float(y), 7.5, 7.5)
        stops = [(0, lighter(gem, 0.7), 1.0), (1, darker(gem, 0.35), 1.0)]
        scene.canvas.paint(ball, scene.canvas.radial((float(x) - 2, float(y) - 2), 10, stops))
        scene.canvas.mark(ball, "neck_l")
