"""Eyes, brows and nose."""

import numpy as np

from tedigan.drawn.colours import BLACK, WHITE, Colour, darker, lighter, mix
from tedigan.drawn.curves import closed_path, ellipse_path, joined_path, open_path
from tedigan.drawn.scene import EYE_Y, SIDES, Scene


def _eye_lids(scene: Scene, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower lid from the inner to the outer corner."""
    person = scene.person
    half = person.eye_width / 2
    height = person.eye_height * (1 - 0.12 * max(scene.look.smile, 0))
    middle = person.eye_distance / 2
    inner, outer = EYE_Y + 2.5, EYE_Y + 1.5 - person.eye_tilt
    rise, fall = 0.64 * height, 0.36 * height
    upper = [(-half, inner), (-0.5 * half, EYE_Y - 0.72 * rise), (0.08 * half, EYE_Y - rise)]
    upper += [(0.62 * half, EYE_Y - 0.7 * rise - 0.4 * person.eye_tilt), (half, outer)]
    lower = [(-half, inner), (-0.5 * half, EYE_Y + 0.8 * fall), (0.15 * half, EYE_Y + fall)]
    lower += [(0.65 * half, EYE_Y + 0.65 * fall - 0.4 * person.eye_tilt), (half, outer)]
    place = [np.array([(side * (middle + x), y) for x, y in lid]) for lid in (upper, lower)]
    return scene.front(place[0]), scene.front(place[1])


def draw_eyes(scene: Scene) -> None:
    """Both eyes with their sockets, lids and lashes."""
    for name, side in SIDES:
        upper, lower = _eye_lids(scene, side)
        _draw_socket(scene, side, upper)
        path = joined_path(upper, lower[::-1])
        _draw_eyeball(scene, side, path)
        _draw_lids(scene, side, upper, lower)
        scene.canvas.mark(path, f"{name}_eye", width=3.0)


def _draw_socket(scene: Scene, side: int, upper: np.ndarray) -> None:
    """Shading around the eye, eye shadow and bags."""
    canvas, look = scene.canvas, scene.look
    x, y = scene.spot(side * scene.person.eye_distance / 2, EYE_Y)
    canvas.glow((x - side * 5, y - 7), (50, 32), scene.skin_shadow, 0.5)
    crease = upper + np.array([0.0, -9.0])
    crease[0] += [side * 3, 5.0]
    if look.has_heavy_makeup:
        lid = upper + np.array([0.0, -17.0])
        lid[-1] += [side * 12, 4.0]
        lid[0] += [0.0, 12.0]
        canvas.paint(joined_path(upper, lid[::-1]), look.eye_shadow, opacity=0.78)
    else:
        canvas.paint(open_path(crease), None, stroke=scene.skin_line, width=2.6, opacity=0.5)
    if look.has_bags:
        bag = [(-29, 11), (-12, 21), (8, 23), (29, 11), (22, 27), (2, 35), (-20, 27)]
        points = [(side * (scene.person.eye_distance / 2 + dx), EYE_Y + dy) for dx, dy in bag]
        tone = mix(scene.skin_shadow, (84, 44, 96), 0.42)
        canvas.paint(closed_path(scene.front(points)), tone, opacity=0.5)


def _draw_eyeball(scene: Scene, side: int, path: str) -> None:
    """White, iris, pupil and catch light."""
    canvas, look, iris = scene.canvas, scene.look, scene.person.iris
    x, y = scene.spot(side * scene.person.eye_distance / 2 + look.gaze, EYE_Y - 3)
    clip = canvas.clip(path)
    shade = mix((226, 222, 224), scene.skin_shadow, 0.18)
    white = canvas.linear((0, EYE_Y - 14), (0, EYE_Y + 4), [(0, shade, 1), (1, (250, 248, 246), 1)])
    canvas.paint(path, white)
    ring = [(0, lighter(iris, 0.3), 1.0), (0.55, iris, 1.0), (1, darker(iris, 0.6), 1.0)]
    canvas.paint(ellipse_path(x, y, 15, 15), canvas.radial((x, y + 4), 17, ring), clip=clip)
    canvas.paint(ellipse_path(x, y, 6.5, 6.5), (12, 8, 10), clip=clip)
    canvas.paint(ellipse_path(x + 4.5 * look.light, y - 4.5, 3.6, 3.6), WHITE, clip=clip)


def _draw_lids(scene: Scene, side: int, upper: np.ndarray, lower: np.ndarray) -> None:
    """Lash line above, a thin rim below."""
    canvas, look = scene.canvas, scene.look
    lash = mix(BLACK, scene.person.hair, 0.2)
    width = 6.5 if look.has_heavy_makeup else 3.4 if scene.person.is_male else 4.8
    line = upper
    if not scene.person.is_male:
        wing = 9 if look.has_heavy_makeup else 4
        line = np.concatenate([upper, upper[-1:] + np.array([side * wing, -0.7 * wing])])
    canvas.paint(open_path(line), None, stroke=lash, width=width, opacity=0.95)
    tone = lash if look.has_heavy_makeup else scene.skin_line
    canvas.paint(open_path(lower), None, stroke=tone, width=2, opacity=0.55)


def brow_colour(scene: Scene) -> Colour:
    """The natural hair colour, darkened so that it shows on the skin."""
    amount = {"blond": 0.6, "gray": 0.5, "red": 0.4}.get(scene.person.hair_family, 0.3)
    return mix(scene.person.hair, (78, 72, 72) if amount == 0.5 else (84, 48, 26), amount)


def draw_brows(scene: Scene) -> None:
    """Both brows, straight or arched, slender or bushy."""
    person, rng = scene.person, scene.rng
    thick = person.brow_thickness
    middle = person.eye_distance / 2
    peak = -16.0 if person.has_arched_brows else -3.0
    base = 206.0 - 0.3 * (person.eye_height - 20) + 3 * person.has_arched_brows
    spine = [(-27, base), (-8, base + 0.62 * peak), (12, base + peak)]
    spine += [(28, base + 0.62 * peak), (40, base + (2 if person.has_arched_brows else 3))]
    half = [0.42 * thick, 0.52 * thick, 0.5 * thick, 0.34 * thick, 0.8]
    for name, side in SIDES:
        top = scene.front(
            [(side * (middle + x), y - h) for (x, y), h in zip(spine, half, strict=True)]
        )
        low = scene.front(
            [(side * (middle + x), y + h) for (x, y), h in zip(spine, half, strict=True)]
        )
        path = joined_path(top, low[::-1])
        colour = brow_colour(scene)
        scene.canvas.paint(path, colour, opacity=0.95)
        for position in np.linspace(0.3, 3.4, 7 if person.has_bushy_brows else 4):
            index = int(position)
            start = low[index] + (low[index + 1] - low[index]) * (position - index)
            end = start + np.array([side * rng.uniform(3, 7), -0.75 * thick])
            scene.canvas.paint(
                open_path([start, end]), None, stroke=darker(colour, 0.3), width=1.4, opacity=0.6
            )
        scene.canvas.mark(path, f"{name}_brow")


def _nose_half(scene: Scene) -> list[tuple[float, float]]:
    """One side of the nose from the bridge to the tip, as offsets to the right."""
    person = scene.person
    wide, base = person.nose_width, EYE_Y + person.nose_length
    bridge = {"normal": 8.5, "big": 12.0, "pointy": 6.0}[person.nose_kind]
    return [
        (bridge + 2, EYE_Y - 10),
        (bridge, EYE_Y + 12),
        (bridge + 0.22 * wide, base - 32),
        (0.94 * wide, base - 17),
        (wide, base - 6),
        (0.74 * wide, base + 2),
        (0.4 * wide, base + (0 if person.nose_kind == "pointy" else 1)),
    ]


def draw_nose(scene: Scene) -> None:
    """The nose: a lit ridge, a shaded side, nostrils and tip."""
    canvas, person, look = scene.canvas, scene.person, scene.look
    half = _nose_half(scene)
    base = EYE_Y + person.nose_length
    tip_y = base + {"normal": 5, "big": 7, "pointy": 12}[person.nose_kind]
    shift = [0.35 * look.yaw, 0.0]
    left = scene.front([(-x, y) for x, y in half]) + shift
    right = scene.front(half) + shift
    tip = scene.front([(0, tip_y)]) + shift
    outline = np.concatenate([left, tip, right[::-1]])
    path = joined_path(outline)
    side = right if look.light < 0 else left
    ridge = scene.front([(0, half[0][1]), (0, EYE_Y + 20), (0, base - 20), (0, tip_y)]) + shift
    canvas.glow((tip[0, 0], base + 9), (1.25 * person.nose_width, 15), scene.skin_line, 0.42)
    canvas.paint(joined_path(side, tip, ridge[::-1]), scene.skin_shadow, opacity=0.42)
    _draw_nose_tip(scene, (float(tip[0, 0]), base), left, right)
    canvas.mark(path, "nose")


def _draw_nose_tip(
    scene: Scene, tip: tuple[float, float], left: np.ndarray, right: np.ndarray
) -> None:
    """Wings, nostrils and highlights around the tip."""
    canvas, person = scene.canvas, scene.person
    x, base = tip
    lit = 3 * scene.look.light
    is_pointy = person.nose_kind == "pointy"
    for wing in (left, right):
        canvas.paint(open_path(wing[3:]), None, stroke=scene.skin_line, width=3, opacity=0.62)
    width = 0.3 * person.nose_width
    for side in (-1, 1):
        nostril = ellipse_path(x + side * 0.46 * person.nose_width, base - 1, width * 0.75, 3.4)
        canvas.paint(nostril, darker(scene.skin_line, 0.35), opacity=0.8)
    if is_pointy:
        point = [(x - 9, base + 1), (x, base + 11), (x + 9, base + 1)]
        canvas.paint(open_path(point), None, stroke=scene.skin_line, width=3, opacity=0.45)
    canvas.glow((x + lit, base - 44), (6, 36), WHITE, 0.42)
    radius = 8 if is_pointy else 0.45 * person.nose_width
    canvas.glow((x + lit, base - 12), (radius, radius * 0.85), WHITE, 0.5)
