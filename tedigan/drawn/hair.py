"""Hair as sheets: surfaces spanned by guide strands, from which outline and strands are read."""

from typing import Any

import numpy as np

from tedigan.drawn.colours import Colour, Number, darker, lighter, mix
from tedigan.drawn.curls import draw_curl_sides, draw_curls
from tedigan.drawn.curves import (
    Points,
    ellipse_path,
    joined_path,
    open_path,
    resample,
    tapered_path,
)
from tedigan.drawn.scene import Scene

LONG_STYLES = ("long", "bob", "medium")


def _grid(scene: Scene, guides: np.ndarray, num_strands: int, wave: Number) -> np.ndarray:
    """Strands [num_strands, steps, 2] between the guides [k, n, 2], waved if asked."""
    steps = np.linspace(0, 1, 13 if wave else 6)
    across = np.linspace(0, 1, num_strands)
    grid = np.stack([resample(strand, steps) for strand in resample(guides, across)])
    if wave:
        tangent = np.gradient(grid, axis=1)
        normal = np.stack([-tangent[..., 1], tangent[..., 0]], axis=-1)
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-9
        length = np.linalg.norm(np.diff(grid, axis=1), axis=-1).sum(axis=1).mean()
        phase = scene.rng.uniform(0, 2 * np.pi)
        angle = 2 * np.pi * length / 95 * steps[None] + phase + 1.1 * across[:, None]
        grid = grid + (wave * np.minimum(1, 2 * steps)[None] * np.sin(angle))[..., None] * normal
    return grid


def _frayed(tips: np.ndarray, before: np.ndarray) -> np.ndarray:
    """A jagged edge through the tips."""
    notches = (tips[:-1] + tips[1:]) / 2
    notches = notches + 0.16 * ((before[:-1] + before[1:]) / 2 - notches)
    edge = np.empty((2 * len(tips) - 1, 2))
    edge[0::2], edge[1::2] = tips, notches
    return edge


def draw_sheet(
    scene: Scene,
    guides: np.ndarray,
    *,
    num_strands: int = 16,
    wave: Number = 0.0,
    is_frayed: bool = False,
    tone: Number = 0.0,
) -> None:
    """Draw one sheet of hair; `tone` below 0 darkens it, as for hair behind the neck."""
    canvas = scene.canvas
    colour = darker(scene.person.hair, -tone) if tone < 0 else scene.person.hair
    grid = _grid(scene, np.asarray(guides, dtype=float), num_strands, wave)
    if is_frayed:
        reach = scene.rng.uniform(-0.1, 0.12, (num_strands, 1))
        grid[:, -1] += reach * (grid[:, -1] - grid[:, -2])
    tips = _frayed(grid[:, -1], grid[:, -2]) if is_frayed else grid[:, -1]
    path = joined_path(grid[0], tips, grid[-1][::-1], grid[::-1, 0])
    if tone == 0:
        canvas.paint(
            path, None, stroke=scene.skin_line, width=20, opacity=0.2, clip=scene.face_clip
        )
    top, bottom = float(grid[..., 1].min()), float(grid[..., 1].max())
    stops = [
        (0, darker(colour, 0.12), 1.0),
        (0.3, lighter(colour, 0.07), 1.0),
        (1, darker(colour, 0.3), 1.0),
    ]
    canvas.paint(path, canvas.linear((0, top), (0, bottom), stops))
    canvas.mark(path, "hair")
    _draw_strands(scene, grid, colour, has_shine=tone == 0)


def _draw_strands(scene: Scene, grid: np.ndarray, colour: Colour, *, has_shine: bool) -> None:
    """Strand lines, and a band of light across them."""
    rng, canvas = scene.rng, scene.canvas
    order = rng.permutation(np.arange(1, len(grid) - 1))
    third = len(order) // 3
    for part, tone, width in (
        (order[:third], darker(colour, 0.42), 3.0),
        (order[third : 2 * third], darker(colour, 0.24), 5.0),
        (order[2 * third :], lighter(colour, 0.13), 4.5),
    ):
        strands = "".join(tapered_path(grid[index], width) for index in part)
        canvas.paint(strands, tone, opacity=0.6)
    if has_shine:
        _draw_shine(scene, grid, colour)


def _draw_shine(scene: Scene, grid: np.ndarray, colour: Colour) -> None:
    """A band of light across the strands, dimmer on dark hair."""
    steps = grid.shape[1]
    start, stop = round(0.18 * steps), max(round(0.55 * steps), 3)
    shine = mix(lighter(colour, 0.24 + 0.2 * colour[0] / 255), (255, 240, 220), 0.1)
    ends = stop + scene.rng.integers(1, 3, len(grid))
    bands = [
        tapered_path(grid[index, start : ends[index]], 6) for index in range(1, len(grid) - 1, 2)
    ]
    scene.canvas.paint("".join(bands), shine, opacity=0.38)


def _wave(scene: Scene, strength: Number) -> Number:
    return strength if scene.person.is_wavy else 0.0


def draw_back_hair(scene: Scene) -> None:
    """What hangs behind neck and shoulders."""
    style, volume = scene.look.hair_style, scene.look.hair_volume
    if style == "curls":
        draw_curl_sides(scene, columns=(0.62, 0.9, 1.28), bottom=440, tone=-0.25)
        return
    if style == "updo":
        _draw_bun(scene)
    if style not in LONG_STYLES:
        return
    bottom = {"long": 540, "bob": 402, "medium": 462}[style]
    flare = {"long": 1.42, "bob": 1.12, "medium": 1.24}[style] + 0.08 * volume
    outer = 1.16 + 0.1 * volume
    guides = []
    for share in (-1, -0.5, 0, 0.5, 1):
        middle = (share * (outer + 0.04), 300)
        guides.append([(share * 0.7, 110), (share * outer, 190), middle, (share * flare, bottom)])
    placed = np.stack([scene.back(guide) for guide in guides])
    draw_sheet(scene, placed, num_strands=12, wave=_wave(scene, 9), tone=-0.32, is_frayed=True)


def _draw_bun(scene: Scene) -> None:
    """A knot on top of the head."""
    x = float(scene.back([(0.15 * scene.look.part, 0)])[0, 0])
    colour = scene.person.hair
    stops = [(0, lighter(colour, 0.12), 1.0), (1, darker(colour, 0.4), 1.0)]
    path = ellipse_path(x, 26, 58, 40)
    scene.canvas.paint(path, scene.canvas.radial((x + 14 * scene.look.light, 14), 62, stops))
    scene.canvas.mark(path, "hair")
    for turn in np.linspace(-38, 38, 7):
        line = [(x + turn, 60), (x + 1.15 * turn, 26), (x + 0.5 * turn, -10)]
        scene.canvas.paint(open_path(line), None, stroke=darker(colour, 0.35), width=2, opacity=0.5)


def draw_front_hair(scene: Scene) -> None:
    """What frames the face and lies over ears and shoulders."""
    style = scene.look.hair_style
    if style == "bald":
        return
    if style in LONG_STYLES:
        _draw_curtains(scene)
    elif style == "curls":
        draw_curl_sides(scene, columns=(1.22, 1.04), bottom=420, tone=0.0)
        draw_curls(scene, top=30, bottom=150, reach=1.16, count=36)
    elif style in ("curls_short", "pixie", "side") and scene.look.has_bangs:
        _draw_sides(scene)
        _draw_crop(scene)
    elif style == "curls_short":
        _draw_sides(scene)
        draw_curls(scene, top=42, bottom=146, reach=1.04, count=36)
    elif style in ("side", "pixie"):
        _draw_sides(scene)
        _draw_short_part(scene)
    else:
        _draw_sides(scene)
        _draw_crop(scene)
    if scene.look.has_bangs:
        _draw_bangs(scene)


def _crown(volume: Number) -> Number:
    """Height of the hair above the middle of the head."""
    return 44 - 16 * volume


def _both(
    scene: Scene, inner: Points, outer: Points, middle: Points | None = None
) -> list[np.ndarray]:
    """Guides of a sheet from its inner to its outer strand."""
    return [scene.wide(strand) for strand in (inner, middle, outer) if strand is not None]


def _draw_curtains(scene: Scene) -> None:
    """Long hair that falls from the part to both sides."""
    look = scene.look
    volume, top = look.hair_volume, _crown(look.hair_volume)
    end = {"long": 545.0, "bob": 398.0, "medium": 455.0}[look.hair_style]
    far = 1.14 + 0.12 * volume
    tip_in, tip_out = {"long": (0.98, 1.5), "bob": (0.78, 1.12), "medium": (0.92, 1.3)}[
        look.hair_style
    ]
    for side in (1, -1) if look.part < 0 else (-1, 1):
        part = look.part
        inner = [
            (part, 112),
            (part + 0.42 * (side - part), 124),
            (0.86 * side, 178),
            (0.95 * side, 262),
        ]
        inner += [(0.97 * side, 345), (tip_in * side, round(end))]
        outer = [
            (part, top),
            (part + 0.55 * (side - part), top + 8),
            (1.06 * side, 108),
            (far * side, 205),
        ]
        outer += [((far + 0.05) * side, 320), (tip_out * side, end)]
        draw_sheet(
            scene,
            np.stack(_both(scene, inner, outer)),
            num_strands=14,
            wave=_wave(scene, 8),
            is_frayed=True,
        )


def _hairline(scene: Scene) -> list[Any]:
    """Root points of short hair from the left to the right temple."""
    if scene.person.hairline == "receding":
        half = [(0.95, 178), (0.78, 112), (0.5, 72), (0.22, 88)]
        middle = (0.0, 100)
    else:
        half = [(0.93, 180), (0.8, 136), (0.5, 121), (0.22, 116)]
        middle = (0.0, 115)
    return [(-x, y) for x, y in half] + [middle] + list(reversed(half))


def _draw_crop(scene: Scene) -> None:
    """Short hair brushed back from the hairline."""
    volume = scene.look.hair_volume
    is_receding = scene.person.hairline == "receding"
    top = 46 - 8 * volume if is_receding else _crown(volume)
    edge = [(1.1, 148), (1.02, 92), (0.72, top + 19), (0.34, top + 3)]
    edge_all = [(-x, y) for x, y in edge] + [(0.0, top)] + list(reversed(edge))
    lean = 0.12 * scene.look.part
    guides = []
    for (root_x, root_y), (tip_x, tip_y) in zip(_hairline(scene), edge_all, strict=True):
        middle = (0.5 * (root_x + tip_x) + lean, 0.5 * (root_y + tip_y) - 4)
        guides.append(scene.wide([(root_x, root_y), middle, (tip_x + 0.5 * lean, tip_y)]))
    draw_sheet(scene, np.stack(guides), num_strands=19, wave=_wave(scene, 5))


def _draw_short_part(scene: Scene) -> None:
    """Short hair combed from a part to both temples."""
    look = scene.look
    top = _crown(look.hair_volume)
    for side in (1, -1) if look.part < 0 else (-1, 1):
        part = look.part
        inner = [
            (part, 116),
            (part + 0.45 * (side - part), 122),
            (0.8 * side, 140),
            (0.93 * side, 186),
        ]
        outer = [
            (part, top),
            (part + 0.55 * (side - part), top + 4),
            (1.0 * side, 84),
            (1.12 * side, 162),
        ]
        draw_sheet(
            scene, np.stack(_both(scene, inner, outer)), num_strands=14, wave=_wave(scene, 5)
        )


def _draw_sides(scene: Scene) -> None:
    """Short hair at the temples, with sideburns if they are worn."""
    end = 308 if scene.look.has_sideburns else 224
    width = 0.84 if scene.look.has_sideburns else 0.93
    for side in (-1, 1):
        inner = [(0.9 * side, 170), (0.93 * side, 200), (width * side, end)]
        if scene.look.has_sideburns:
            inner = [(0.9 * side, 170), (0.88 * side, 235), (width * side, end)]
        outer = [(1.07 * side, 118), (1.09 * side, 175), (1.0 * side, end)]
        draw_sheet(scene, np.stack(_both(scene, inner, outer)), num_strands=6)


def _draw_bangs(scene: Scene) -> None:
    """A fringe over the forehead."""
    top = _crown(scene.look.hair_volume) + 6
    guides = []
    for along in np.linspace(-1, 1, 7):
        tip_y = 187 + 10 * along**2 + scene.rng.uniform(-3, 3)
        root = (0.5 * along, top + 22 * along**2)
        guides.append(scene.wide([root, (0.86 * along, 100), (0.96 * along, tip_y)]))
    draw_sheet(scene, np.stack(guides), num_strands=15, wave=_wave(scene, 4), is_frayed=True)
