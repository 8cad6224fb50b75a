"""A head, drawn: strokes of a pen that shakes, or classes filled by a brush."""

from collections.abc import Iterator

import torch
from jaxtyping import UInt8
from PIL import Image, ImageDraw
from torch import Tensor

from benchmarks.hand.heads import (
    CENTRE_X,
    CHIN_Y,
    MOUTH_Y,
    OUTER,
    Curve,
    Head,
    brow,
    eyes,
    face,
    forehead,
    hair,
    lids,
    lips,
    nose,
    oval,
)
from tedigan.tensors import stream
from tedigan.vocabulary.labels import LABEL_NAMES

SIDE_PX, SCALE = 256, 4  # drawn larger and shrunk
SHAKE = 0.004  # of the side, that a hand misses a curve by
WIDTH = 0.011  # of the side


def sketch(head: Head, *, seed: int) -> Image.Image:
    """Strokes on white paper, grey, 256 px."""
    side, rng = SIDE_PX * SCALE, stream(seed, head.name)
    sheet = Image.new("L", (side, side), 255)
    pen = ImageDraw.Draw(sheet)
    for curve in strokes(head):
        points = torch.tensor(_smooth(curve)) + SHAKE * _wobble(len(curve) * 6 - 5, rng)
        pen.line(
            [(a * side, b * side) for a, b in points.tolist()], 30, round(WIDTH * side), "curve"
        )
    return sheet.resize((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)


def painted(head: Head) -> UInt8[Tensor, "256 256"]:
    """Class indices, as a person fills them: eyes, nose and lips as plain shapes."""
    sheet = Image.new("L", (SIDE_PX, SIDE_PX), 0)
    brush = ImageDraw.Draw(sheet)
    for name, curve in fills(head):
        brush.polygon([(a * SIDE_PX, b * SIDE_PX) for a, b in curve], LABEL_NAMES.index(name))
    return torch.frombuffer(bytearray(sheet.tobytes()), dtype=torch.uint8).view(SIDE_PX, SIDE_PX)


def strokes(head: Head) -> Iterator[Curve]:
    """What a person draws, one stroke after another."""
    yield face(head)
    yield forehead(head)
    yield from hair(head)
    for centre in eyes(head).values():
        upper, lower = lids(centre)
        yield upper
        yield lower
        yield oval(centre, 0.014, 0.016)
        yield brow(centre)
        if head.glasses:
            yield oval((centre[0], centre[1] + 0.01), 0.105, 0.075)
        if head.lines:
            yield [
                (centre[0] - 0.05, centre[1] + 0.06),
                (centre[0], centre[1] + 0.07),
                (centre[0] + 0.05, centre[1] + 0.055),
            ]
    yield nose(head)
    yield from lips(head)
    yield from _extras(head)


def _extras(head: Head) -> Iterator[Curve]:
    x, half = CENTRE_X + 0.05 * head.turn, head.width / 2
    if head.hat:
        yield [
            (x - half - 0.15, 0.27),
            (x, 0.22),
            (x + half + 0.15, 0.27),
            (x, 0.31),
            (x - half - 0.15, 0.27),
        ]
        yield [(x - half, 0.25), (x - half + 0.02, 0.03), (x + half - 0.02, 0.03), (x + half, 0.25)]
    if head.beard:
        yield [
            (x - half + 0.02, 0.6),
            (x - 0.13, 0.68),
            (x, 0.685),
            (x + 0.13, 0.68),
            (x + half - 0.02, 0.6),
        ]
        for step in range(9):
            a = x + (step - 4) * 0.045
            yield [(a, 0.8), (a + 0.005, 0.84), (a, CHIN_Y - 0.02 - 0.01 * abs(step - 4))]
    if head.moustache:
        for step in range(7):
            a = x + (step - 3) * 0.03
            yield [(a, 0.665), (a + 0.004 * (step - 3), 0.705)]
    if head.lines:
        for y in (0.25, 0.3):
            yield [(x - 0.12, y), (x, y - 0.01), (x + 0.12, y)]
    if head.earrings:
        for side in (-1, 1):
            yield oval((CENTRE_X + side * (half + 0.01), 0.66), 0.018, 0.03)
    yield [(CENTRE_X - 0.16, 0.84), (CENTRE_X - 0.17, 0.92), (CENTRE_X - 0.3, 1.0)]
    yield [(CENTRE_X + 0.16, 0.84), (CENTRE_X + 0.17, 0.92), (CENTRE_X + 0.3, 1.0)]


def fills(head: Head) -> Iterator[tuple[str, Curve]]:
    """Classes and their outlines, in the order in which they are painted."""
    half, x = head.width / 2, CENTRE_X + 0.02 * head.turn
    shapes = hair(head)
    if head.hair in ("long", "wavy", "bangs", "curls"):
        yield "hair", shapes[0][:OUTER]  # what falls behind the face
    yield "cloth", [(0.05, 1.0), (0.2, 0.93), (0.8, 0.93), (0.95, 1.0)]
    yield (
        "neck",
        [
            (CENTRE_X - 0.17, 0.8),
            (CENTRE_X + 0.17, 0.8),
            (CENTRE_X + 0.2, 1.0),
            (CENTRE_X - 0.2, 1.0),
        ],
    )
    if head.hair in ("bald", "short", "receding", "bun", "curls"):
        for name, side in (("r_ear", -1), ("l_ear", 1)):
            if side * head.turn <= 0.3:
                yield name, oval((x + side * (half + 0.015), 0.53), 0.03, 0.08)
    yield "skin", [*face(head), *reversed(forehead(head))]
    yield from [("hair", shape) for shape in shapes]
    for name, centre in eyes(head).items():
        arch = brow(centre)
        yield name.replace("eye", "brow"), arch + [(a, b + 0.025) for a, b in reversed(arch)]
        if head.glasses:
            yield "eye_g", oval((centre[0], centre[1] + 0.01), 0.105, 0.075)
            yield "eye_g", [(CENTRE_X - 0.06, 0.465), (CENTRE_X + 0.06, 0.465), (CENTRE_X, 0.485)]
        else:
            upper, lower = lids(centre)
            yield name, [*upper, *reversed(lower)]
    middle = CENTRE_X + 0.09 * head.turn
    yield (
        "nose",
        [
            (middle - 0.02, 0.48),
            (middle + 0.02, 0.48),
            (middle + 0.075, 0.63),
            (middle, 0.66),
            (middle - 0.075, 0.63),
        ],
    )
    upper_edge, meets, opens, lower_edge = lips(head)
    yield "u_lip", [*upper_edge, *reversed(meets)]
    if head.mouth == "open":
        yield "mouth", [*meets, *reversed(opens)]
    yield "l_lip", [*opens, *reversed(lower_edge)]
    yield from _worn(head, x, half)


def _worn(head: Head, x: float, half: float) -> Iterator[tuple[str, Curve]]:
    if head.moustache:
        yield "hair", [(x - 0.1, 0.695), (x, 0.665), (x + 0.1, 0.695), (x, 0.7)]
    if head.beard:
        outline = [point for point in face(head) if point[1] > 0.62]
        yield "hair", [*outline, (x + 0.13, 0.83), (x, 0.81), (x - 0.13, 0.83)]
    if head.hat:
        yield (
            "hat",
            [
                (x - half - 0.12, 0.28),
                (x - half, 0.03),
                (x + half, 0.03),
                (x + half + 0.12, 0.28),
                (x, 0.24),
            ],
        )
    if head.earrings:
        for side in (-1, 1):
            yield "ear_r", oval((CENTRE_X + side * (half + 0.01), MOUTH_Y - 0.07), 0.018, 0.03)


def _smooth(curve: Curve) -> list[list[float]]:
    """Six points for each one, on a Catmull-Rom spline."""
    points = torch.tensor([curve[0], *curve, curve[-1]])
    before, start, end, after = (points[i : len(points) - 3 + i] for i in range(4))
    found = []
    for t in torch.arange(6) / 6:
        found.append(
            0.5 * (2 * start + (end - before) * t + (2 * before - 5 * start + 4 * end - after) * t**2
                   + (3 * start - before - 3 * end + after) * t**3)
        )  # fmt: skip
    along = torch.stack(found, dim=1).flatten(0, 1)
    return [*along.tolist(), list(curve[-1])]


def _wobble(count: int, rng: torch.Generator) -> Tensor:
    """Slow and quick unrest, `[count, 2]`."""
    steps = torch.randn(count // 8 + 3, 2, generator=rng)
    slow = torch.nn.functional.interpolate(
        steps.T[None], size=count, mode="linear", align_corners=True
    )[0].T
    return slow + 0.2 * torch.randn(count, 2, generator=rng)
