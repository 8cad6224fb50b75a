"""A head's features -> curves in units of the sheet's side: what a pen traces, and what a brush fills.

Eyes, mouth and chin lie where an aligned face has them; `turn` moves the features sideways as a turned head does.
"""

import math
from dataclasses import dataclass
from typing import Literal

Point = tuple[float, float]
Curve = list[Point]

CENTRE_X, EYES_Y, MOUTH_Y, CHIN_Y = 0.49, 0.47, 0.73, 0.89
OUTER = 49  # points of the hair's outer edge, with which its outline begins
Hair = Literal["bald", "short", "long", "wavy", "bangs", "bun", "curls", "receding"]
Mouth = Literal["closed", "smile", "open"]


@dataclass(frozen=True)
class Head:
    """turn: -1 = to the left of the sheet .. 1. width: of the face, in units of the sheet."""

    name: str
    says: str
    hair: Hair
    mouth: Mouth = "closed"
    turn: float = 0.0
    width: float = 0.52
    glasses: bool = False
    hat: bool = False
    beard: bool = False
    moustache: bool = False
    lines: bool = False
    earrings: bool = False


HEADS = (
    Head("long hair", "A woman with brown hair.", "long"),
    Head("waves, laughing", "She is smiling and has blond hair.", "wavy", "open"),
    Head("beard", "A man with a beard.", "short", beard=True, width=0.55),
    Head("bald, glasses", "A bald man with eyeglasses.", "bald", glasses=True, width=0.54),
    Head("bangs", "A young woman with bangs and black hair.", "bangs", "smile"),
    Head("hat", "A man wearing a hat.", "short", hat=True),
    Head("turned left", "A young man.", "short", turn=-0.8),
    Head("turned right", "A woman with wavy hair and lipstick.", "wavy", "smile", turn=0.8),
    Head("old, moustache", "An old man with gray hair and a mustache.", "receding", moustache=True, lines=True),
    Head("bun, earrings", "A woman with earrings and heavy makeup.", "bun", "smile", earrings=True, width=0.49),
    Head("curls", "A young man with curly hair.", "curls", "open", width=0.53),
    Head("round, glasses", "She wears eyeglasses.", "bangs", glasses=True, width=0.6),
)  # fmt: skip


def face(head: Head) -> Curve:
    """The outline of the face, from the left temple round the chin."""
    half, x = head.width / 2, CENTRE_X + 0.02 * head.turn
    jaw = 0.5 + 0.5 * min(1.0, head.width / 0.52)
    points = []
    for step in range(33):
        angle = math.pi * (1.05 - 1.1 * step / 32)
        wide = half * (1 + 0.1 * head.turn * math.cos(angle) * math.sin(angle))
        below = math.sin(angle) > 0
        deep = (CHIN_Y - EYES_Y) if below else 0.1
        pinch = 1 - 0.16 * jaw * max(0.0, math.sin(angle)) ** 3
        points.append((x + wide * pinch * math.cos(angle), EYES_Y + deep * math.sin(angle)))
    return points


def forehead(head: Head) -> Curve:
    """The hairline, from the left temple to the right one; with bangs it hangs to the brows."""
    half, x = head.width / 2, CENTRE_X + 0.02 * head.turn
    top = {"bald": 0.1, "receding": 0.13, "bangs": 0.36}.get(head.hair, 0.2)
    side = EYES_Y - 0.08
    bow = 0.35 if head.hair == "bangs" else 1.0
    return [
        (
            x - half * math.cos(math.pi * t / 16),
            side - (side - top) * math.sin(math.pi * t / 16) ** bow,
        )
        for t in range(17)
    ]


def hair(head: Head) -> list[Curve]:
    """Outlines of the hair, closed; none of a bald head."""
    half, x = head.width / 2, CENTRE_X + 0.02 * head.turn
    if head.hair == "bald":
        return []
    reach = {"short": 0.55, "receding": 0.55, "bun": 0.5, "curls": 0.62}.get(head.hair, 1.0)
    wide = {"short": 0.035, "receding": 0.03, "bun": 0.02, "curls": 0.09}.get(head.hair, 0.1)
    top = {"short": 0.07, "receding": 0.08, "curls": 0.01}.get(head.hair, 0.04)
    swing = {"wavy": 0.03, "curls": 0.025}.get(head.hair, 0.0)
    outer: Curve = []
    for step in range(OUTER):
        t = step / (OUTER - 1)
        if t < 0.3:
            y = reach + (0.36 - reach) * (t / 0.3)
            outer.append((x - half - wide * (0.6 + y), y))
        elif t > 0.7:
            y = 0.36 + (reach - 0.36) * ((t - 0.7) / 0.3)
            outer.append((x + half + wide * (0.6 + y), y))
        else:
            angle = math.pi * (t - 0.3) / 0.4
            outer.append(
                (x - (half + wide) * math.cos(angle), 0.36 - (0.36 - top) * math.sin(angle))
            )
    outer = [
        (a + swing * math.sin(9 * math.pi * b), b + swing * math.cos(11 * math.pi * a))
        for a, b in outer
    ]
    inner = [*reversed(forehead(head))]
    if reach > 0.9:
        inner = [(x + half * 0.93, 0.8), *inner, (x - half * 0.93, 0.8)]
    shapes = [outer + inner]
    if head.hair == "bun":
        shapes.append(oval((x, 0.04), 0.13, 0.07))
    return shapes


def oval(centre: Point, wide: float, high: float, turns: float = 1.0) -> Curve:
    """An ellipse of these half axes, begun on its right."""
    count = 25
    angles = [2 * math.pi * turns * step / (count - 1) for step in range(count)]
    return [(centre[0] + wide * math.cos(a), centre[1] + high * math.sin(a)) for a in angles]


def eyes(head: Head) -> dict[str, Point]:
    """Centres, by class; r_eye lies on the left of the sheet."""
    shift, apart = 0.07 * head.turn, 0.13 * (1 - 0.12 * abs(head.turn))
    return {
        "r_eye": (CENTRE_X - apart + shift, EYES_Y),
        "l_eye": (CENTRE_X + apart + shift, EYES_Y),
    }


def lids(centre: Point) -> tuple[Curve, Curve]:
    """Upper and lower lid."""
    xs = [centre[0] + 0.05 * (step / 4 - 1) for step in range(9)]
    bows = [1 - ((a - centre[0]) / 0.05) ** 2 for a in xs]
    upper = [(a, centre[1] - 0.028 * bow) for a, bow in zip(xs, bows, strict=True)]
    lower = [(a, centre[1] + 0.018 * bow) for a, bow in zip(xs, bows, strict=True)]
    return upper, lower


def brow(centre: Point) -> Curve:
    """Above an eye."""
    return [
        (centre[0] + 0.07 * (s / 3 - 1), centre[1] - 0.075 - 0.02 * math.sin(math.pi * s / 6))
        for s in range(7)
    ]


def nose(head: Head) -> Curve:
    """From the bridge round the tip."""
    x = CENTRE_X + 0.09 * head.turn
    tip = 0.06 * (1 if head.turn >= 0 else -1)
    bridge = [(x - tip * 0.2, 0.5), (x - tip * 0.3, 0.57), (x - tip, 0.62)]
    return [*bridge, (x - tip * 0.6, 0.65), (x, 0.655), (x + tip, 0.64)]


def lips(head: Head) -> tuple[Curve, Curve, Curve, Curve]:
    """Both edges of the upper lip, both of the lower one; those in the middle meet where the mouth is closed."""
    x, half = CENTRE_X + 0.07 * head.turn, 0.1 + 0.025 * (head.mouth != "closed")
    curl = {"closed": 0.0, "smile": 0.022, "open": 0.03}[head.mouth]
    gap = 0.035 if head.mouth == "open" else 0.0
    xs = [half * (step / 5 - 1) for step in range(11)]
    bows = [1 - (a / half) ** 2 for a in xs]

    def edge(lift: float) -> Curve:
        return [
            (x + a, MOUTH_Y - curl * (1 - bow) + lift * bow)
            for a, bow in zip(xs, bows, strict=True)
        ]

    return edge(-0.022), edge(0.0), edge(gap), edge(gap + 0.03)
