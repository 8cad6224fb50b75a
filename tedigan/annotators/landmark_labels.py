"""Label maps without a mask to learn from: of 68 landmarks, a matte, and the photograph's own colours.

Brows, eyes, nose and lips are drawn along the landmarks. The rest of what the matte calls a person is skin,
hair, ear, neck or clothes, by where it lies and by colours that are learnt from this photograph alone. Glasses,
hats and jewellery are not seen. Rough as it is, a parser can be trained on many such maps.

Lengths are in units of the face: from between the eyes to the chin is 1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, UInt8
from scipy import ndimage
from torch import Tensor

from tedigan.annotators.face_frame import Frame, Points
from tedigan.errors import LabelError
from tedigan.vocabulary.labels import LABEL_NAMES

REGIONS = ("skin", "hair", "neck", "cloth", "ear")
MIN_SHARE = 1.35  # of the person, in areas of the face: less is a matte without hair and neck
OPEN = 0.03  # between the lips of an open mouth: passes 97 % of those, and 13 % of what CelebA calls closed
_NEVER, _ROUNDS = 1e-4, 3
_TRUST = 0.7  # in a colour's log likelihood: neighbours are no independent witnesses
_UNLIKELY = -25.0  # no colour speaks more against a region
_NO_SAMPLE = -20.0  # a region that nothing is known of
_ANY_CLOTH = -12.0  # clothes may have any colour
# Colours are counted in steps of 1/32 of the range. Variance that every model of them has at least: of
# brightness, of red against green, of yellow against blue.
_STEPS, _SPREAD = 32, (3.0, 0.6, 0.6)

Mask = Bool[np.ndarray, "h w"]
Plane = Float64[np.ndarray, "h w"]


def labels_of_landmarks(
    pixels: UInt8[Tensor, "3 h w"],
    landmarks: Float64[np.ndarray, "68 2"],
    alpha: Float[Tensor, "h w"],
) -> UInt8[Tensor, "h w"]:
    """Class indices. landmarks: x, y in pixels, as 300-W orders them. alpha: 0..1, how much is the person.

    A matte that shows hardly more than the face is a LabelError.
    """
    person, shape = alpha.numpy() > 0.5, (alpha.shape[0], alpha.shape[1])
    frame = Frame(landmarks)
    face = _face(frame, shape)
    share = person.sum() / max(1, face.sum())
    if share < MIN_SHARE:
        raise LabelError(
            f"the matte calls {share:.2f} times the face's area a person; expected {MIN_SHARE} times and more, "
            "as hair and neck are part of one. Give another matting model, or leave this photograph out.",
            problem="no hair or neck",
        )
    parts = _parts(frame, shape)
    ground = _Ground.of(frame, face)
    free = ~np.any(list(parts.values()), axis=0)
    regions = _regions(_colours(pixels), ground, person, free)
    labels = np.zeros(shape, dtype=np.uint8)
    for number, name in enumerate(REGIONS):
        here = person & (regions == number)
        if name == "ear":
            labels[here & (ground.x < frame.middle)] = LABEL_NAMES.index("r_ear")
            labels[here & (ground.x >= frame.middle)] = LABEL_NAMES.index("l_ear")
        else:
            labels[here] = LABEL_NAMES.index(name)
    for name, mask in parts.items():
        labels[mask] = LABEL_NAMES.index(name)
    return torch.from_numpy(labels)


def _polygon(points: Sequence[np.ndarray], shape: tuple[int, int]) -> Mask:
    """The pixels whose centres lie within points, given in pieces of one or more."""
    corners = np.concatenate([np.atleast_2d(part) for part in points])
    y, x = np.mgrid[: shape[0], : shape[1]]
    inside = np.zeros(shape, dtype=bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 != y1:  # a ray to the right leaves by an odd number of edges
            is_beside = (y >= min(y0, y1)) & (y < max(y0, y1))
            inside ^= is_beside & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside


def _parts(frame: Frame, shape: tuple[int, int]) -> dict[str, Mask]:
    """What is drawn along the landmarks. A person's right is the picture's left."""
    landmarks = frame.landmarks

    def brow(points: Points) -> Mask:
        above, below = frame.moved(points, 0.0, -0.03), frame.moved(points, 0.0, 0.055)
        return _polygon([above, below[::-1]], shape)

    def eye(points: Points) -> Mask:
        return _polygon([points.mean(0) + 1.12 * (points - points.mean(0))], shape)

    def side_of_nose(side: int, wing: int) -> list[Points]:
        """Downwards, from between the eyes to the wing."""
        places = [
            (27, 0.05, 0.0),
            (28, 0.06, 0.0),
            (29, 0.09, 0.0),
            (wing, 0.07, -0.07),
            (wing, 0.06, 0.0),
        ]
        return [frame.moved(landmarks[point], side * x, y) for point, x, y in places]

    below = frame.moved(landmarks[32:35], 0.0, 0.04)
    nose = [*side_of_nose(-1, 31), below, *side_of_nose(1, 35)[::-1]]
    upper = _polygon([landmarks[48:55], landmarks[60:65][::-1]], shape)
    inner, lips = _polygon([landmarks[60:68]], shape), _polygon([landmarks[48:60]], shape)
    if _gap_of_lips(frame) < OPEN:
        inner = np.zeros_like(inner)
    return {
        "nose": _polygon(nose, shape),
        "r_eye": eye(landmarks[36:42]),
        "l_eye": eye(landmarks[42:48]),
        "r_brow": brow(landmarks[17:22]),
        "l_brow": brow(landmarks[22:27]),
        "u_lip": upper,
        "l_lip": lips & ~upper & ~inner,
        "mouth": inner & ~upper,
    }


def _gap_of_lips(frame: Frame) -> float:
    """How far the lips are apart; landmarks of closed ones are seldom quite together."""
    above, below = frame.landmarks[61:64], frame.landmarks[65:68][::-1]
    return float(np.hypot(*(above - below).T).mean()) / frame.unit_px


def _face(frame: Frame, shape: tuple[int, int]) -> Mask:
    """From the chin to the hairline, which lies as far above the brows as half of brows to chin."""
    base = float(frame.temples[:, 1].mean())
    height = base - frame.brows + 0.46 * (1 - frame.brows)
    places = [(math.cos(a), math.sin(a) ** 0.8) for a in np.linspace(0, math.pi, 24)[1:-1]]
    arc = [
        frame.moved(frame.origin, frame.middle + frame.half * x, base - height * y)
        for x, y in places
    ]
    return _polygon([frame.landmarks[:17], *arc], shape)


@dataclass(frozen=True)
class _Ground:
    """Where each pixel lies. aside: from the face's middle line, in halves of its width.

    outside: distance to the face.
    """

    frame: Frame
    face: Mask
    x: Plane
    y: Plane
    aside: Plane
    outside: Plane

    @classmethod
    def of(cls, frame: Frame, face: Mask) -> "_Ground":
        height, width = face.shape
        grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(float)
        x, y = np.moveaxis(frame.place(grid), -1, 0)
        outside = ndimage.distance_transform_edt(~face) / frame.unit_px
        return cls(frame, face, x, y, np.abs(x - frame.middle) / frame.half, outside)

    def priors(self) -> Float64[np.ndarray, "5 h w"]:
        """How likely each of REGIONS is here, before anybody looks at colours."""
        y, aside, face = self.y, self.aside, self.face
        forehead = y < self.frame.brows
        beside = np.where(aside > 0.75, 1, 0.02) * np.clip(0.5 - 0.25 * (y - 0.9), 0.1, 1)
        shoulder = np.where((y > 1.1) & (aside < 1.6), 0.05, _NEVER)
        throat = np.where(aside < 1.05, np.clip(0.9 - np.maximum(y - 1.2, 0), 0.03, 1), shoulder)
        collar = np.clip(0.1 + 1.2 * (y - 1) + 0.3 * np.maximum(aside - 1, 0), 0.02, 0.9)
        is_ear = (np.abs(y - 0.12) < 0.28) & (aside > 0.85) & (aside < 1.3)
        inside = [np.where(forehead, 0.6, 0.97), np.where(forehead, 0.4, 0.03)]
        return np.stack(
            [
                np.where(face, inside[0], np.where(self.outside < 0.04, 0.3, _NEVER)),
                np.where(face, inside[1], np.where(y < 0.9, 0.8, beside)),
                np.where(~face & (y > 0.45), throat, _NEVER),
                np.where(~face & (y > 0.75), collar, _NEVER),
                np.where(~face & is_ear, 0.6, _NEVER),
            ]
        )


def _regions(
    colours: Float64[np.ndarray, "h w 3"], ground: _Ground, person: Mask, free: Mask
) -> np.ndarray:
    """The index of the likeliest of REGIONS at each pixel.

    Colours of skin are learnt within the face. Hair begins with what is not skin above the cheeks, clothes with
    what is not skin below the chin; each round learns their colours anew from the surest pixels.
    """
    size = ground.face.shape[0]
    inner = ndimage.binary_erosion(ground.face, iterations=max(1, size // 64))
    cheeks = inner & person & free & (ground.y > 0.02)
    skin = _log_likelihood(colours, colours[cheeks], 2)
    is_skin = skin >= np.quantile(skin[cheeks], 0.03) if cheeks.any() else np.zeros_like(person)
    apart = ground.outside > 1 / 40
    seeds = {
        "hair": person & apart & (ground.y < 0.45) & ~is_skin,
        "cloth": person & apart & (ground.y > 1.12) & ~is_skin,
    }
    priors = np.log(ground.priors())
    for _ in range(_ROUNDS):
        hair = _log_likelihood(colours, colours[seeds["hair"]], 2)
        cloth = np.logaddexp(_log_likelihood(colours, colours[seeds["cloth"]], 3), _ANY_CLOTH)
        seen = np.stack([skin, hair, skin - 0.3, cloth, skin - 0.5])
        chances = _softmax(priors + _TRUST * np.maximum(seen, _UNLIKELY))
        smooth = ndimage.gaussian_filter(chances, (0, *[max(0.7, size / 170)] * 2))
        likeliest = smooth.argmax(0)
        for name in seeds:
            number = REGIONS.index(name)
            seeds[name] = person & (likeliest == number) & (smooth[number] > 0.7)
    return likeliest


def _colours(pixels: UInt8[Tensor, "3 h w"]) -> Float64[np.ndarray, "h w 3"]:
    """Brightness, red against green, yellow against blue, in steps; smoothed a little."""
    red, green, blue = pixels.numpy().astype(np.float64) / 255 * _STEPS
    planes = [(red + green + blue) / 3, red - green, (red + green) / 2 - blue]
    width = max(0.6, pixels.shape[1] / 400)
    return np.stack([ndimage.gaussian_filter(plane, width) for plane in planes], axis=-1)


def _log_likelihood(
    colours: Float64[np.ndarray, "h w 3"], sample: Float64[np.ndarray, "n 3"], num: int
) -> Plane:
    """Of each pixel's colour, under `num` Gaussians that fit the sample; very small if it is of a few pixels."""
    if len(sample) < 30:
        return np.full(colours.shape[:2], _NO_SAMPLE)
    found = []
    for group in _groups(sample, num):
        covariance = np.cov(group.T) + np.diag(_SPREAD)
        away = colours - group.mean(0)
        distance = np.einsum("hwi,ij,hwj->hw", away, np.linalg.inv(covariance), away)
        share = len(group) / len(sample)
        found.append(math.log(share) - 0.5 * (distance + np.log(np.linalg.det(covariance))))
    return np.logaddexp.reduce(found, axis=0)


def _groups(sample: Float64[np.ndarray, "n 3"], num: int) -> list[Float64[np.ndarray, "m 3"]]:
    """`num` groups of alike colours, or fewer, by k-means that begins with equal shares from dark to bright."""
    parts = np.array_split(sample[np.argsort(sample[:, 0], kind="stable")], num)
    for _ in range(_ROUNDS):
        centres = np.stack([part.mean(0) for part in parts])
        whose = np.square(sample[:, None] - centres).sum(2).argmin(1)
        parts = [part for i in range(len(centres)) if len(part := sample[whose == i]) >= 10]
    return parts


def _softmax(logits: Float64[np.ndarray, "k h w"]) -> Float64[np.ndarray, "k h w"]:
    return np.exp(logits - np.logaddexp.reduce(logits, axis=0))
