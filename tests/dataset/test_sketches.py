"""Sketches: dark strokes on white, along every edge."""

import pytest
import torch

from tedigan.dataset.kinds.sketches import sketch_of
from tedigan.drawn import draw_face
from tedigan.store.pictures import rasterise


def step(*, is_vertical: bool, size: int = 128) -> torch.Tensor:
    pixels = torch.zeros(3, size, size, dtype=torch.uint8)
    pixels[:, :, size // 2 :] = 200
    return pixels if is_vertical else pixels.transpose(1, 2).contiguous()


@pytest.mark.parametrize("is_vertical", [True, False])
def test_edges_of_both_directions_are_drawn(is_vertical: bool) -> None:
    sketch = sketch_of(step(is_vertical=is_vertical), 64)[0].float()
    profile = sketch.mean(0 if is_vertical else 1)
    assert profile[30:34].min() < 140
    assert profile[:28].min() == 255
    assert profile[36:].min() == 255


def test_turning_the_picture_turns_its_sketch() -> None:
    upright = sketch_of(step(is_vertical=True), 64)
    turned = sketch_of(step(is_vertical=False), 64)
    assert torch.equal(upright.transpose(1, 2), turned)


def test_a_flat_picture_gives_white_paper() -> None:
    assert sketch_of(torch.full((3, 64, 64), 90, dtype=torch.uint8), 64).min() == 255


@pytest.mark.parametrize("size_px", [64, 128, 256])
def test_a_face_gives_few_dark_strokes_on_white(size_px: int) -> None:
    sketch = sketch_of(rasterise(draw_face(0, 3).svg, 128), size_px)
    assert sketch.shape == (1, size_px, size_px)
    assert 0.03 < (sketch < 128).float().mean() < 0.3
    assert (sketch == 255).float().mean() > 0.5


@pytest.mark.parametrize("size_px", [128, 1024])
def test_faint_edges_in_the_dark_are_drawn_like_strong_ones(size_px: int) -> None:
    pixels = torch.full((3, 512, 512), 250, dtype=torch.uint8)
    pixels[:, :, 80:] = 12
    pixels[:, 200:300, 300:400] = 52
    sketch = sketch_of(pixels, size_px)[0]
    inside = sketch[
        size_px // 2 - 10 : size_px // 2 + 10, int(0.55 * size_px) : int(0.62 * size_px)
    ]
    assert inside.min() < 160


def test_a_larger_sketch_shows_the_same_lines() -> None:
    pixels = rasterise(draw_face(0, 3).svg, 512)
    small = sketch_of(pixels, 256).float()
    large = torch.nn.functional.avg_pool2d(sketch_of(pixels, 1024).float(), 4)
    assert (small - large).abs().mean() < 20
