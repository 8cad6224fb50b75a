"""Pictures at the size in which a network looks at them."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def resize(images: Float[Tensor, "n 3 h w"], size_px: int) -> Float[Tensor, "n 3 s s"]:
    """Bilinear with anti-aliasing to a square; an image of that size is returned as it is."""
    if images.shape[-2:] == (size_px, size_px):
        return images
    return F.interpolate(
        images, (size_px, size_px), mode="bilinear", antialias=True, align_corners=False
    )
