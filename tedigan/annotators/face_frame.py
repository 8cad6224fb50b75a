"""The coordinates of a face, from its 68 landmarks: from between the eyes to the chin is 1."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64

Points = Float64[np.ndarray, "*n 2"]


@dataclass(frozen=True)
class Frame:
    """The face's own coordinates: x along the eyes to the picture's right, y down to the chin.

    landmarks: in pixels, as 300-W orders them.
    """

    landmarks: Float64[np.ndarray, "68 2"]

    @cached_property
    def origin(self) -> Float64[np.ndarray, " 2"]:
        """Between the eyes, in pixels."""
        return self.landmarks[36:48].mean(0)

    @cached_property
    def right(self) -> Float64[np.ndarray, " 2"]:
        """From eye to eye, of length 1."""
        along = self.landmarks[42:48].mean(0) - self.landmarks[36:42].mean(0)
        return along / np.linalg.norm(along)

    @property
    def down(self) -> Float64[np.ndarray, " 2"]:
        """Towards the chin."""
        return np.array([-self.right[1], self.right[0]])

    @cached_property
    def unit_px(self) -> float:
        """From the eyes to the chin."""
        return float(abs((self.landmarks[8] - self.origin) @ self.down))

    @cached_property
    def temples(self) -> Float64[np.ndarray, "2 2"]:
        """Where the jaw begins, on the picture's left and right."""
        return self.place(self.landmarks[[0, 16]])

    @property
    def middle(self) -> float:
        """Of the face's width."""
        return float(self.temples[:, 0].mean())

    @property
    def half(self) -> float:
        """Of the face's width."""
        return float(self.temples[1, 0] - self.temples[0, 0]) / 2

    @cached_property
    def brows(self) -> float:
        """How high they are."""
        return float(self.place(self.landmarks[[19, 24]])[:, 1].min())

    def place(self, points: Points) -> Points:
        """Pixels -> the face's coordinates."""
        away = (points - self.origin) / self.unit_px
        return np.stack([away @ self.right, away @ self.down], axis=-1)

    def moved(self, points: Points, x: float, y: float) -> Points:
        """Points in pixels, moved by so many units."""
        return points + self.unit_px * (x * self.right + y * self.down)
