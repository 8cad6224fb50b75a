"""DiffAugment (arXiv:2006.10738): the same kind of random change for photographs and generated images."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from tedigan.draws import integers, uniform


def diff_augment(
    images: Float[Tensor, "n 3 h w"], generator: torch.Generator, *, policy: str
) -> Float[Tensor, "n 3 h w"]:
    """policy: comma-separated `color` and `translation`, or `none`. Differentiable in `images`."""
    steps = {"color": _colour, "translation": _translation}
    for name in policy.split(","):
        if name != "none":
            images = steps[name](images, generator)
    return images


def _uniform(n: int, generator: torch.Generator, like: Tensor) -> Float[Tensor, "n 1 1 1"]:
    return uniform(generator, n, 1, 1, 1).to(like)


def _colour(images: Tensor, generator: torch.Generator) -> Tensor:
    """Brightness +-0.5, saturation 0..2, contrast 0.5..1.5."""
    n = len(images)
    images = images + _uniform(n, generator, images) - 0.5
    grey = images.mean(dim=1, keepdim=True)
    images = grey + (images - grey) * (_uniform(n, generator, images) * 2)
    mean = images.mean(dim=[1, 2, 3], keepdim=True)
    return mean + (images - mean) * (_uniform(n, generator, images) + 0.5)


def _translation(images: Tensor, generator: torch.Generator) -> Tensor:
    """Shift by up to an eighth of the size, filled with zeros."""
    n, _, h, w = images.shape
    reach = h // 8
    padded = F.pad(images, [reach] * 4)
    shifts = integers(generator, 0, 2 * reach + 1, n, 2)
    rows = [padded[i, :, dy : dy + h, dx : dx + w] for i, (dy, dx) in enumerate(shifts.tolist())]
    return torch.stack(rows)
