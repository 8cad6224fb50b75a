"""FFHQ alignment: the square of a face, and the picture that is read from it."""

import math

import numpy as np
import pytest
import torch

from tedigan.dataset.kinds.alignment import align, square_of
from tedigan.errors import ImageError


def face(x: float, y: float, *, eyes: float, drop: float, degrees: float = 0.0) -> np.ndarray:
    """Landmarks of a face whose eyes are `eyes` apart around (x, y), and `drop` above the mouth."""
    points = np.zeros((68, 2))
    points[36:42], points[42:48] = (-eyes / 2, 0), (eyes / 2, 0)
    points[48], points[54] = (-eyes / 3, drop), (eyes / 3, drop)
    turn = math.radians(degrees)
    rotation = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    return points @ rotation + (x, y)


def full_face(size: int) -> np.ndarray:
    """Landmarks whose square is a whole picture of `size` px, as in an aligned photograph."""
    eyes, drop = size / 4, 0.26 * size
    return face(size / 2 - 0.5, size / 2 - 0.5 - 0.1 * drop, eyes=eyes, drop=drop)


def waves(size: int) -> torch.Tensor:
    """A smooth picture without symmetry."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    planes = [torch.sin(x / 9 + y / 31), torch.sin(y / 11 - x / 40), torch.sin(x * y / size / 13)]
    return ((torch.stack(planes) + 1) * 127.5).to(torch.uint8)


def middle(pixels: torch.Tensor) -> torch.Tensor:
    """Without the outer quarter, where padding is blended in."""
    quarter = pixels.shape[1] // 4
    return pixels[:, quarter:-quarter, quarter:-quarter].float()


def test_eyes_far_apart_give_four_times_their_distance() -> None:
    square = square_of(face(100, 80, eyes=50, drop=40))
    assert square.side_px == pytest.approx(4 * 50)
    assert square.centre == pytest.approx((100.5, 80 + 0.1 * 40 + 0.5))
    assert square.across == pytest.approx((100, 0))


def test_a_long_face_gives_3_6_times_its_height() -> None:
    assert square_of(face(100, 80, eyes=30, drop=50)).side_px == pytest.approx(3.6 * 50)


@pytest.mark.parametrize("degrees", [-30.0, 90.0])
def test_the_square_turns_with_the_face(degrees: float) -> None:
    square = square_of(face(0, 0, eyes=50, drop=40, degrees=degrees))
    turn = math.radians(degrees)
    assert square.across == pytest.approx((100 * math.cos(turn), 100 * math.sin(turn)))


def test_an_aligned_photograph_stays_as_it_is() -> None:
    pixels = waves(128)
    square = square_of(full_face(128))
    assert square.side_px == pytest.approx(128)
    aligned = align(pixels, full_face(128), size_px=128)
    assert (middle(aligned) - middle(pixels)).abs().max() <= 1


@pytest.mark.parametrize("degrees", [0, 1, 2, 3])
def test_a_turned_photograph_is_turned_back(degrees: int) -> None:
    pixels = waves(128)
    turned = torch.rot90(pixels, degrees, dims=(2, 1))
    landmarks = full_face(128) - 63.5
    turn = math.radians(90 * degrees)
    rotation = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    aligned = align(turned, landmarks @ rotation + 63.5, size_px=128)
    assert (middle(aligned) - middle(pixels)).abs().max() <= 1


@pytest.mark.parametrize("times", [2, 3, 5, 9])
def test_a_large_face_is_averaged_down(times: int) -> None:
    checks = (torch.arange(32 * times) % 2).to(torch.uint8) * 255
    pixels = (checks[None] ^ checks[:, None]).expand(3, -1, -1).contiguous()
    aligned = align(pixels, full_face(32 * times), size_px=32)
    assert (middle(aligned) - 127.5).abs().max() < 30


def test_beyond_the_edge_there_is_a_blurred_mirror_image_and_no_black() -> None:
    stripes = 100 + 100 * (torch.arange(128) % 2)
    pixels = stripes[None, :, None].expand(3, 128, 128).to(torch.uint8)
    aligned = align(pixels, full_face(128) - (50, 0), size_px=128)[:, 24:-24].float()
    assert (aligned[:, :, 70:] - pixels[:, 24:-24, 20:78].float()).abs().max() <= 2
    assert (aligned[:, :, 40:48] - 150).abs().max() < 10


def test_a_face_at_the_edge_of_a_huge_photograph_costs_no_more_than_its_square() -> None:
    pixels = torch.full((3, 2000, 3000), 90, dtype=torch.uint8)
    aligned = align(pixels, face(2990, 10, eyes=40, drop=40), size_px=64)
    assert torch.equal(aligned, torch.full((3, 64, 64), 90, dtype=torch.uint8))


def test_a_face_that_is_too_small_is_refused_with_its_size() -> None:
    with pytest.raises(
        ImageError, match=r"fills 80 px.*256 px needs 128.*larger photograph"
    ) as raised:
        align(waves(128), face(64, 64, eyes=20, drop=20), size_px=256)
    assert raised.value.problem == "face too small"
