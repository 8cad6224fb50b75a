"""What generators, cameras and compression do to a picture: blur, noise, and the rounding of JPEG's cosines."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

BLOCK_PX = 8
# The strongest of each, and the share of pictures that is left without it.
MAX_NOISE, MAX_ROUNDING = 0.08, 0.05
SPARED = 0.4


def degrade(images: Float[Tensor, "n 3 h w"], rng: torch.Generator) -> Float[Tensor, "n 3 h w"]:
    """Blur, noise and rounding of strengths that are drawn for each image on its own, on the CPU.

    images: -1..1, of sides that are multiples of 8 px. Of each kind `SPARED` of the images get nothing.
    """
    dice = torch.rand(len(images), 3, generator=rng).to(images.device)
    blur, noise, rounding = ((dice - SPARED) / (1 - SPARED)).clamp(min=0).T[..., None, None, None]
    images = torch.lerp(images, _blurred(images), blur)
    grain = torch.randn(images.shape, generator=rng).to(images.device)
    return round_cosines(images + MAX_NOISE * noise * grain, MAX_ROUNDING * rounding)


def round_cosines(
    images: Float[Tensor, "n 3 h w"], step: Float[Tensor, "n 1 1 1"]
) -> Float[Tensor, "n 3 h w"]:
    """Round the cosine coefficients of each 8 x 8 block to multiples of step (1 + fx + fy); 0 changes nothing.

    JPEG's way (ITU-T T.81, A.3.3), with a plain ramp for its table and no subsampling of colour.
    """
    basis, frequencies = _cosines(images.device), torch.arange(BLOCK_PX, device=images.device)
    blocks = images.unflatten(3, (-1, BLOCK_PX)).unflatten(2, (-1, BLOCK_PX)).transpose(3, 4)
    coefficients = basis @ blocks @ basis.T
    steps = step[..., None, None] * (1 + frequencies[:, None] + frequencies)
    rounded = (coefficients / steps.clamp(min=1e-6)).round() * steps
    blocks = basis.T @ torch.where(steps > 0, rounded, coefficients) @ basis
    return blocks.transpose(3, 4).flatten(4, 5).flatten(2, 3)


def _cosines(device: torch.device) -> Float[Tensor, "8 8"]:
    """The orthonormal DCT-II, a frequency a row."""
    places = torch.arange(BLOCK_PX, device=device)
    basis = torch.cos((2 * places + 1) * places[:, None] * math.pi / (2 * BLOCK_PX)) / 2
    basis[0] /= math.sqrt(2)
    return basis


def _blurred(images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """Seen in half of the size."""
    size = images.shape[-2:]
    half = F.avg_pool2d(images, 2)
    return F.interpolate(half, size, mode="bilinear", align_corners=False)
