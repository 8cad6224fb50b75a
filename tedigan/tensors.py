"""Axis names, image ranges and random streams that every room shares.

`pixels` are uint8 0..255, `images` are float32 -1..1, both `[n, 3, h, w]` RGB.
`z` is `[n, z_dim]`, `w` is `[n, w_dim]`, `ws` (W+) is `[n, num_ws, w_dim]`.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.errors import NumbersError, ShapeError

MAX_STRENGTH = 3.0  # of a text, on either side of nothing


def choose_device(name: str) -> torch.device:
    """cpu, cuda or another of torch's; auto takes a GPU if there is one.

    From then on fp32 means fp32 there: GPUs would round what a convolution reads to TF32's 10 bits, which is
    6e-3 off in a picture (H200, 64 px) where the gate of an fp32 engine lets 1e-3 pass.
    """
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def num_ws_of(resolution: int) -> int:
    """Number of W+ codes of a StyleGAN2 at `resolution` px: 10 at 64, 14 at 256, 18 at 1024."""
    levels = math.log2(resolution)
    if resolution < 4 or levels != int(levels):
        raise ShapeError(
            f"resolution is {resolution} px; a StyleGAN takes a power of two from 4 up. "
            "Set dataset.resolution to 64, 128, 256, 512 or 1024."
        )
    return 2 * int(levels) - 2


def to_images(pixels: UInt8[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """uint8 0..255 -> float32 -1..1."""
    return pixels.to(torch.float32) / 127.5 - 1


def to_pixels(images: Float[Tensor, "n 3 h w"]) -> UInt8[Tensor, "n 3 h w"]:
    """float32 -1..1 -> uint8 0..255, rounded to nearest; `to_pixels(to_images(p)) == p`.

    Raises NumbersError for NaN and infinity, which would be black.
    """
    if not torch.isfinite(images).all():
        raise NumbersError(
            "a picture holds NaN or infinity, expected finite numbers; its code lies where the generator "
            "draws nothing. Lower the strength or the learning rate, or verify the model."
        )
    return ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def stream(*key: int | str) -> torch.Generator:
    """A CPU random stream of its own for each key, such as `(seed, "z", image_index)`.

    The key alone decides it: not the batch, the shard, the order or the process.
    """
    digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def sample_z(seed: int, indices: list[int], z_dim: int) -> Float[Tensor, "n z_dim"]:
    """Gaussian latents, one stream per image: z of image i depends on `(seed, i)` alone."""
    rows = [torch.randn(z_dim, generator=stream(seed, "z", index)) for index in indices]
    return torch.stack(rows) if rows else torch.empty(0, z_dim)


def sample_noise(
    seed: int, indices: Sequence[int], sizes_px: Sequence[int]
) -> list[Float[Tensor, "n 1 r r"]]:
    """A noise map for each layer (of `sizes_px`) and image: each depends on `(seed, i, layer)` alone."""
    return [
        torch.stack(
            [
                torch.randn(1, size, size, generator=stream(seed, "noise", index, layer))
                for index in indices
            ]
        )
        for layer, size in enumerate(sizes_px)
    ]


def is_finite(tensor: Tensor) -> bool:
    """Whether no value is NaN or infinite; in one pass without a copy. Whole numbers always are."""
    if not tensor.is_floating_point() or not tensor.numel():
        return True
    return all(bool(extreme.isfinite()) for extreme in tensor.aminmax())


def first_not_finite(values: Mapping[Any, Any]) -> str | None:
    """The path of the first tensor in nested mappings that holds NaN or infinity, such as `G/w_avg`."""
    for name, value in values.items():
        if isinstance(value, Mapping) and (below := first_not_finite(value)):
            return f"{name}/{below}"
        if isinstance(value, Tensor) and not is_finite(value):
            return str(name)
    return None
