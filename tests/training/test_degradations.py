"""Blur, noise and rounding of pictures."""

import io

import torch
from PIL import Image

from tedigan.store import pictures
from tedigan.tensors import stream, to_images
from tedigan.training.degradations import SPARED, degrade, round_cosines


def smooth(count: int = 1) -> torch.Tensor:
    """Pictures without edges, -1..1."""
    waves = torch.rand(count, 3, 4, 4, generator=stream("waves")) * 2 - 1
    return torch.nn.functional.interpolate(waves, (32, 32), mode="bicubic").clamp(-1, 1)


def test_a_step_of_zero_changes_nothing_and_a_large_one_leaves_a_block_s_mean() -> None:
    images = smooth()
    torch.testing.assert_close(round_cosines(images, torch.zeros(1, 1, 1, 1)), images)
    spoilt = round_cosines(images, torch.full((1, 1, 1, 1), 0.5))
    blocks = torch.nn.functional.avg_pool2d(spoilt, 8)
    assert (torch.nn.functional.avg_pool2d(images, 8) - blocks).abs().max() <= 0.25 / 8 + 1e-5
    assert (spoilt - images).abs().mean() > 0.01


def test_rounding_errs_where_jpeg_errs() -> None:
    """Of a noisy grey picture, the fine coefficients go and the coarse ones stay."""
    grey = (torch.rand(1, 1, 32, 32, generator=stream("grey")) * 255).to(torch.uint8)
    pixels = grey.expand(1, 3, 32, 32)
    buffer = io.BytesIO()
    Image.fromarray(pixels[0].permute(1, 2, 0).numpy()).save(buffer, "jpeg", quality=30)
    theirs = pictures.decode(buffer.getvalue())[None]
    ours = round_cosines(to_images(pixels), torch.full((1, 1, 1, 1), 0.1))
    their_error = to_images(theirs) - to_images(pixels)
    our_error = ours - to_images(pixels)
    for error in (their_error, our_error):
        coarse = torch.nn.functional.avg_pool2d(error, 8).square().mean()
        assert coarse < 0.01 * error.square().mean()


def test_pictures_are_spoilt_apart_and_some_not_at_all() -> None:
    images = smooth().expand(200, -1, -1, -1)
    spoilt = degrade(images, stream("degrade"))
    assert torch.equal(spoilt, degrade(images, stream("degrade")))
    error = (spoilt - images).abs().amax(dim=[1, 2, 3])
    assert 0.2 * SPARED**3 < (error < 1e-5).float().mean() < 3 * SPARED**3
    assert error.max() < 1
    assert len(error.unique()) > 150
