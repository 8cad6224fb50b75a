"""The head without its features: neck, ears, face and their light."""

import numpy as np

from tedigan.drawn.colours import WHITE, Colour, darker, mix
from tedigan.drawn.curves import closed_path, joined_path, open_path
from tedigan.drawn.scene import EYE_Y, SIDES, SKULL_TOP_Y, Scene

BLUSH: Colour = (226, 62, 84)


def draw_neck(scene: Scene) -> None:
    """Neck and shoulders' skin, with the shadow of the jaw on it."""
    canvas, person = scene.canvas, scene.person
    width = 0.62 + 0.08 * person.is_male + 0.05 * person.is_chubby
    half = [(width, 330), (width - 0.02, 420), (width + 0.06, 455), (1.25, 500), (1.3, 530)]
    points = scene.back([(-x, y) for x, y in half] + [(x, y) for x, y in reversed(half)])
    path = closed_path(points)
    side = scene.look.light
    fill = canvas.linear(
        (256 - side * -110, 0),
        (256 + side * -110, 0),
        [(0.0, scene.skin, 1), (0.5, scene.skin, 1), (1.0, scene.skin_shadow, 1)],
    )
    canvas.paint(path, fill)
    clip = canvas.clip(path)
    shadow = scene.face_outline() + np.array([0.0, 20.0])
    canvas.paint(closed_path(shadow), scene.skin_shadow, opacity=0.75, clip=clip)
    canvas.glow((256, person.chin_y + 6), (110, 60), scene.skin_line, 0.4, clip=clip)
    canvas.mark(path, "neck")


def draw_double_chin(scene: Scene) -> None:
    """A second fold of skin under the chin."""
    if not scene.person.has_double_chin:
        return
    canvas, person = scene.canvas, scene.person
    chin_y = person.chin_y + 0.3 * scene.look.mouth_gap
    width = person.jaw_width
    fold = [(-width, 366), (-0.84 * width, chin_y - 8), (-0.44, chin_y + 17), (0, chin_y + 24)]
    fold += [(-x, y) for x, y in reversed(fold[:-1])]
    points = scene.wide(fold)
    path = joined_path(points)
    fill = canvas.linear(
        (0, chin_y - 10),
        (0, chin_y + 32),
        [
            (at, mix(scene.skin, scene.skin_shadow, dim), 1)
            for at, dim in ((0, 1), (0.5, 0.2), (1, 0.55))
        ],
    )
    canvas.paint(path, fill, stroke=scene.skin_line, width=2.5)
    canvas.mark(path, "skin")


def draw_ears(scene: Scene) -> None:
    """Both ears; hair may cover them later."""
    for name, side in SIDES:
        shape = [(0.9, 232), (1.03, 219), (1.15, 224), (1.18, 248), (1.12, 282), (1.05, 307)]
        shape += [(0.97, 304), (0.9, 280)]
        points = scene.back([(side * x, y) for x, y in shape])
        path = closed_path(points)
        scene.canvas.paint(path, mix(scene.skin, scene.skin_shadow, 0.3))
        fold = scene.back(
            [(side * x, y) for x, y in [(1.0, 234), (1.1, 233), (1.12, 252), (1.05, 280)]]
        )
        scene.canvas.paint(open_path(fold), None, stroke=scene.skin_line, width=4, opacity=0.5)
        scene.canvas.mark(path, f"{name}_ear")


def draw_face_skin(scene: Scene) -> None:
    """The face from crown to chin, with light from one side."""
    canvas, path, clip = scene.canvas, scene.face_path, scene.face_clip
    side, strength = scene.look.light, scene.look.light_strength
    base = canvas.radial(
        (256 + side * 45, 215),
        265,
        [
            (0, mix(scene.skin, scene.skin_light, 0.55), 1),
            (0.5, scene.skin, 1),
            (1, mix(scene.skin, scene.skin_shadow, 0.75), 1),
        ],
    )
    canvas.paint(path, base)
    shade = scene.skin_shadow
    shadow = canvas.linear(
        (256 - side * 130, 0),
        (256 + side * 40, 0),
        [(0, shade, 0.95 * strength), (0.45, shade, 0.4 * strength), (1, shade, 0)],
    )
    canvas.paint(path, shadow)
    canvas.glow(scene.spot(side * 30, 130), (78, 60), WHITE, 0.24, clip=clip)
    canvas.glow(scene.spot(0, scene.person.chin_y - 14), (44, 22), WHITE, 0.14, clip=clip)
    canvas.glow((256, scene.person.chin_y + 16), (150, 44), shade, 0.5, clip=clip)
    canvas.mark(path, "skin")


def draw_cheeks(scene: Scene) -> None:
    """Blush, cheekbones and the roundness of full cheeks."""
    canvas, person, look = scene.canvas, scene.person, scene.look
    for _, side in SIDES:
        lift = 8 * max(look.smile, 0)
        centre = scene.spot(side * 68, 308 - lift)
        blush = 0.55 if look.has_rosy_cheeks else 0.17
        radii = (50, 38) if look.has_rosy_cheeks else (46, 36)
        canvas.glow(centre, radii, BLUSH, blush, clip=scene.face_clip)
        if person.has_high_cheekbones:
            for x, y, radius in ((96, 318, 34), (76, 342, 30), (106, 338, 34)):
                hollow = scene.spot(side * x, y)
                canvas.glow(hollow, (radius, radius), scene.skin_shadow, 0.5, clip=scene.face_clip)
            bone = scene.spot(side * 74, 286)
            canvas.glow(bone, (40, 24), scene.skin_light, 0.95, clip=scene.face_clip)
        if person.is_chubby:
            canvas.glow(scene.spot(side * 74, 330), (46, 42), scene.skin_light, 0.5)


def draw_age(scene: Scene) -> None:
    """Lines of age on forehead, cheeks and eye corners; none on the young."""
    if scene.person.is_young:
        return
    canvas, colour = scene.canvas, scene.skin_line
    for y, width in ((134, 44), (152, 54), (170, 46)):
        line = scene.front(
            [(-width, y + 3), (-width / 2, y - 2), (0, y), (width / 2, y - 2), (width, y + 3)]
        )
        canvas.paint(open_path(line), None, stroke=colour, width=2.6, opacity=0.28)
    for _, side in SIDES:
        for end_y in (-10, 3, 15):
            crow = [(side * 86, EYE_Y + 3 + 0.3 * end_y), (side * 100, EYE_Y + 2 + end_y)]
            canvas.paint(open_path(scene.front(crow)), None, stroke=colour, width=2.4, opacity=0.4)
        fold = [(side * 33, 304), (side * 50, 330), (side * 58, 352), (side * 56, 376)]
        canvas.paint(open_path(scene.front(fold)), None, stroke=colour, width=4, opacity=0.34)
        droop = [(side * 52, 386), (side * 57, 402), (side * 54, 414)]
        canvas.paint(open_path(scene.front(droop)), None, stroke=colour, width=3.5, opacity=0.24)


def draw_smile_folds(scene: Scene) -> None:
    """The soft folds that a smile draws beside the mouth."""
    if not scene.look.is_smiling:
        return
    reach = scene.person.mouth_width / 2 + 17
    for _, side in SIDES:
        fold = [
            (side * 36, 306),
            (side * (reach - 5), 328),
            (side * reach, 346),
            (side * (reach - 3), 362),
        ]
        scene.canvas.paint(
            open_path(scene.front(fold)), None, stroke=scene.skin_shadow, width=4, opacity=0.36
        )


def draw_bald_crown(scene: Scene) -> None:
    """The shine of a bald head."""
    if scene.person.hairline != "bald":
        return
    canvas, side = scene.canvas, scene.look.light
    canvas.glow(
        scene.spot(side * 32, SKULL_TOP_Y + 42), (58, 30), WHITE, 0.55, clip=scene.face_clip
    )
    rim = np.array(
        [(-0.9, 140), (-0.74, 95), (-0.4, 66), (0, 60), (0.4, 66), (0.74, 95), (0.9, 140)]
    )
    colour = darker(scene.skin_shadow, 0.1)
    canvas.paint(open_path(scene.wide(rim)), None, stroke=colour, width=6, opacity=0.22)
