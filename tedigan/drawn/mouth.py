"""Mouth, lips, teeth and beards."""

from typing import Any

import numpy as np

from tedigan.drawn.colours import WHITE, Colour, darker, lighter, mix
from tedigan.drawn.curves import closed_path, joined_path, open_path
from tedigan.drawn.scene import MOUTH_Y, SIDES, Scene


def _mouth_curves(scene: Scene) -> dict[str, np.ndarray]:
    """The four edges of the lips from the left to the right corner."""
    person, look = scene.person, scene.look
    along = np.linspace(-1, 1, 11)
    arch = 1 - along**2
    x = along * person.mouth_width / 2 * (1 + 0.15 * max(look.smile, 0))
    corner = MOUTH_Y - (12 if look.smile > 0 else 11) * look.smile
    line = corner + (MOUTH_Y + 3 * max(look.smile, 0) - corner) * arch
    top = line - 0.35 * look.mouth_gap * arch**0.8
    low = line + 0.65 * look.mouth_gap * arch**0.8
    bow = arch**0.7 * (1 - 0.24 * np.exp(-((along / 0.15) ** 2)))
    edges = {
        "upper_edge": top - 0.44 * person.lip_height * bow,
        "upper_line": top,
        "lower_line": low,
        "lower_edge": low + 0.56 * person.lip_height * arch**0.72,
    }
    return {name: scene.front(np.stack([x, y], axis=1)) for name, y in edges.items()}


def lip_colour(scene: Scene) -> Colour:
    """Lipstick, or skin with a little more red."""
    if scene.look.lipstick is not None:
        return scene.look.lipstick
    return mix(darker(scene.skin, 0.1), (196, 84, 88), 0.46)


def draw_mouth(scene: Scene) -> None:
    """Lips, and what shows between them."""
    canvas, look = scene.canvas, scene.look
    curves = _mouth_curves(scene)
    colour = lip_colour(scene)
    middle = float(curves["lower_edge"][5, 0])
    low_y = float(curves["lower_edge"][5, 1])
    canvas.glow((middle, low_y + 8), (34, 12), scene.skin_shadow, 0.55)
    upper = joined_path(curves["upper_edge"], curves["upper_line"][::-1])
    lower = joined_path(curves["lower_line"], curves["lower_edge"][::-1])
    canvas.paint(upper, darker(colour, 0.16))
    shine = [(0, darker(colour, 0.08), 1.0), (0.45, lighter(colour, 0.22), 1.0), (1, colour, 1.0)]
    canvas.paint(
        lower, canvas.linear((0, low_y - 0.56 * scene.person.lip_height), (0, low_y), shine)
    )
    gloss = 0.5 if look.lipstick is not None else 0.25
    canvas.glow(
        (middle + 8 * look.light, low_y - 0.3 * scene.person.lip_height), (17, 5), WHITE, gloss
    )
    canvas.mark(upper, "u_lip")
    canvas.mark(lower, "l_lip")
    if look.is_mouth_open:
        _draw_inside(scene, curves)
    else:
        line = darker(mix(colour, scene.skin_line, 0.5), 0.25)
        canvas.paint(open_path(curves["upper_line"]), None, stroke=line, width=3)


def _draw_inside(scene: Scene, curves: dict[str, np.ndarray]) -> None:
    """The dark of the open mouth, teeth above, tongue below."""
    canvas = scene.canvas
    top, low = curves["upper_line"], curves["lower_line"]
    path = joined_path(top, low[::-1])
    canvas.paint(path, (70, 16, 22))
    share = 0.72 if scene.look.is_smiling else 0.34
    teeth = (top + (low - top) * share)[1:-1]
    canvas.paint(joined_path(top[1:-1], teeth[::-1]), (250, 247, 240))
    tongue = top + (low - top) * 0.74
    canvas.paint(joined_path(tongue[3:-3], low[3:-3][::-1]), (186, 80, 86), opacity=0.8)
    canvas.mark(path, "mouth")


def _beard_colour(scene: Scene) -> Colour:
    """The hair colour as it grows on the face: deeper, and browner where the hair is blond."""
    amount = {"black": 0.0, "gray": 0.16, "blond": 0.55}.get(scene.person.hair_family, 0.3)
    return mix(scene.person.hair, (92, 54, 30) if amount > 0.2 else (70, 70, 76), amount)


def draw_facial_hair(scene: Scene) -> None:
    """Stubble, mustache, goatee or beard; all of it is skin on the label map, as in CelebAMask-HQ."""
    kind = scene.look.facial_hair
    if kind == "stubble":
        _draw_stubble(scene)
    if kind == "beard":
        _draw_beard(scene)
    if kind in ("goatee", "goatee_mustache"):
        _draw_goatee(scene)
    if kind in ("mustache", "goatee_mustache", "beard"):
        _draw_mustache(scene)


def _beard_area(scene: Scene, *, drop: float) -> np.ndarray:
    """Cheeks, lip and jaw, down to `drop` below the edge of the face."""
    person = scene.person
    chin_y = person.chin_y + 0.3 * scene.look.mouth_gap + drop
    jaw, chin = person.jaw_width, person.chin_width
    half = [(0.99, 262), (0.9, 300), (0.72, 334), (0.45, 342), (0.2, 338)]
    rim = [(0.99, 262), (0.985, 300), (jaw + 0.01, 358), ((jaw + chin) / 2 + 0.04, chin_y - 32)]
    rim += [(chin, chin_y - 8)]
    top = [(-x, y) for x, y in half] + list(reversed(half))
    bottom = [*rim, (0, chin_y), *[(-x, y) for x, y in reversed(rim)]]
    return scene.wide(top + bottom[1:-1])


def _draw_stubble(scene: Scene) -> None:
    path = closed_path(_beard_area(scene, drop=0.0))
    tone = mix(mix(_beard_colour(scene), (58, 66, 84), 0.5), scene.skin_shadow, 0.2)
    canvas = scene.canvas
    fill = canvas.linear((0, 268), (0, 372), [(0, tone, 0.0), (0.55, tone, 0.44), (1, tone, 0.56)])
    canvas.paint(path, fill, clip=scene.face_clip)


def _draw_beard(scene: Scene) -> None:
    canvas, rng, colour = scene.canvas, scene.rng, _beard_colour(scene)
    area = _beard_area(scene, drop=10.0)
    path = closed_path(area)
    canvas.paint(path, colour)
    canvas.mark(path, "skin")
    clip = canvas.clip(path)
    strokes: dict[bool, str] = {True: "", False: ""}
    for index in range(46):
        along = rng.uniform(-0.92, 0.92)
        y = rng.uniform(338, scene.person.chin_y) if abs(along) < 0.7 else rng.uniform(275, 370)
        hair = [(along, y), (along * 0.97, y + 10), (along * 0.9, y + 21)]
        strokes[index % 2 == 0] += open_path(scene.wide(hair))
    for is_light, path in strokes.items():
        tone = lighter(colour, 0.16) if is_light else darker(colour, 0.3)
        canvas.paint(path, None, stroke=tone, width=2, opacity=0.6, clip=clip)


def _draw_strokes(scene: Scene, strokes: list[np.ndarray]) -> None:
    """Fine hairs over a beard."""
    colour = _beard_colour(scene)
    for index, stroke in enumerate(strokes):
        tone = lighter(colour, 0.22) if index % 2 else darker(colour, 0.3)
        scene.canvas.paint(open_path(stroke), None, stroke=tone, width=1.8, opacity=0.6)


def _draw_goatee(scene: Scene) -> None:
    chin_y = scene.person.chin_y + 0.3 * scene.look.mouth_gap
    low = MOUTH_Y + 0.65 * scene.look.mouth_gap + 0.56 * scene.person.lip_height
    half = [(9, low + 1), (24, low + 8), (36, 0.5 * (low + chin_y)), (31, chin_y - 6)]
    area = [*half, (0, chin_y + 9), *[(-x, y) for x, y in reversed(half)]]
    path = closed_path(scene.front(area))
    scene.canvas.paint(path, _beard_colour(scene))
    scene.canvas.mark(path, "skin")
    strokes = [
        scene.front([(0.8 * x, low + 10), (0.85 * x, low + 22), (0.7 * x, chin_y + 2)])
        for x in np.linspace(-28, 28, 8)
    ]
    _draw_strokes(scene, strokes)
    if scene.look.facial_hair == "goatee_mustache":
        reach = scene.person.mouth_width / 2 + 9
        for _, side in SIDES:
            strip: list[Any] = [
                (side * (reach - 9), 346),
                (side * (reach + 2), 358),
                (side * reach, 384.0),
            ]
            strip += [(side * 34, chin_y - 14), (side * 24, chin_y - 16), (side * (reach - 9), 382)]
            scene.canvas.paint(closed_path(scene.front(strip)), _beard_colour(scene))


def _draw_mustache(scene: Scene) -> None:
    top = 240 + scene.person.nose_length + 9
    lip = MOUTH_Y - 0.35 * scene.look.mouth_gap - 0.44 * scene.person.lip_height
    reach = scene.person.mouth_width / 2 + 7
    low = max(lip + 3, top + 17)
    half = [(12, top), (reach * 0.66, top + 8), (reach, low + 7), (reach * 0.62, low + 3), (9, low)]
    area = [*half, (0, low - 4), *[(-x, y) for x, y in reversed(half)], (0, top + 4)]
    scene.canvas.paint(closed_path(scene.front(area)), _beard_colour(scene))
    strokes = [
        scene.front([(0.3 * x, top + 6), (0.7 * x, top + 11), (0.95 * x, low + 1)])
        for x in np.linspace(-reach, reach, 9)
    ]
    _draw_strokes(scene, strokes)
