"""A scene is one person with one look on one canvas; it knows where things lie on the posed head."""

import numpy as np

from tedigan.drawn.canvas import Canvas
from tedigan.drawn.colours import Colour, Number, darker, lighter, mix
from tedigan.drawn.curves import Points, closed_path
from tedigan.drawn.look import Look
from tedigan.drawn.person import Person

CENTRE_X = 256.0
EYE_Y = 240.0
MOUTH_Y = 365.0
SKULL_TOP_Y = 56.0
PIVOT = (256.0, 330.0)  # the head rolls around this point
SIDES = (("r", -1), ("l", 1))  # of the person, as CelebAMask-HQ names them: right stands left


class Scene:
    """Shared state of the drawing functions."""

    def __init__(self, person: Person, look: Look) -> None:
        """Prepare colours and the outline of the face; draw nothing."""
        self.canvas = Canvas()
        self.person = person
        self.look = look
        self.rng = np.random.default_rng(look.texture_seed)
        self.skin: Colour = person.skin
        self.skin_light = lighter(person.skin, 0.3)
        self.skin_shadow = mix(darker(person.skin, 0.34), (120, 40, 20), 0.16)
        self.skin_line = mix(darker(person.skin, 0.55), (90, 30, 16), 0.3)
        self.face_path = closed_path(self.face_outline())
        self.face_clip = self.canvas.clip(self.face_path)

    def front(self, points: Points) -> np.ndarray:
        """Frame coordinates of points on the face, given as offsets from its middle line.

        The turn of the head moves the middle of the face farthest and its edges half as far.
        """
        array = np.asarray(points, dtype=float)
        depth = 1 - 0.5 * np.clip((array[:, 0] / self.person.half_width) ** 2, 0, 1.2)
        x = CENTRE_X + array[:, 0] + self.look.yaw * depth
        return np.stack([x, array[:, 1] + self.look.pitch * depth], axis=1)

    def wide(self, points: Points) -> np.ndarray:
        """Like `front`, with x in half-widths of the face."""
        return self.front(np.asarray(points, dtype=float) * [self.person.half_width, 1.0])

    def back(self, points: Points) -> np.ndarray:
        """Like `wide`, for what lies behind the face and so moves against the turn."""
        array = np.asarray(points, dtype=float) * [self.person.half_width, 1.0]
        return array + np.array([CENTRE_X - 0.15 * self.look.yaw, 0.0])

    def spot(self, x: Number, y: Number) -> tuple[float, float]:
        """`front` for a single point."""
        point = self.front([(x, y)])[0]
        return (float(point[0]), float(point[1]))

    def face_outline(self) -> np.ndarray:
        """The edge of skull and jaw, clockwise from the crown."""
        person = self.person
        chin_y = person.chin_y + 0.3 * self.look.mouth_gap
        chin, jaw = person.chin_width, person.jaw_width
        half = [
            (0.4, SKULL_TOP_Y + 5),
            (0.76, 92.0),
            (0.95, 155.0),
            (1.0, 228.0),
            (0.97 + 0.02 * person.is_chubby, 290.0),
            (jaw, 358.0),
            ((jaw + chin) / 2 + 0.03, chin_y - 36),
            (chin, chin_y - 11),
        ]
        other = [(-x, y) for x, y in reversed(half)]
        return self.wide([(0.0, SKULL_TOP_Y), *half, (0.0, chin_y), *other])
