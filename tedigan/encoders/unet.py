"""A small U-Net (arXiv:1505.04597): pictures -> planes of logits of the same size."""

import itertools

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

NUM_LEVELS = 4


class UNet(nn.Module):
    """Four levels with group normalisation. input_px: the side in which it looks at pictures, a multiple of 8."""

    def __init__(self, input_px: int, base_channels: int, num_outputs: int) -> None:
        super().__init__()
        self.input_px = input_px
        widths = [base_channels * 2**level for level in range(NUM_LEVELS)]
        self.down = nn.ModuleList(_layers(a, b) for a, b in itertools.pairwise([3, *widths]))
        self.up = nn.ModuleList(_layers(a + b, a) for a, b in itertools.pairwise(widths))
        self.head = nn.Conv2d(widths[0], num_outputs, 1)

    def forward(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n k h w"]:
        """Logits at the images' own size. images: in -1..1."""
        return F.interpolate(
            self.small(images), images.shape[2:], mode="bilinear", align_corners=False
        )

    def small(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n k p p"]:
        """Logits in the side in which it looks, p = input_px."""
        side = (self.input_px, self.input_px)
        x = F.interpolate(images, side, mode="bilinear", antialias=True, align_corners=False)
        seen = []
        for level, layers in enumerate(self.down):
            x = layers(F.avg_pool2d(x, 2) if level else x)
            seen.append(x)
        for layers, beside in zip(reversed(self.up), reversed(seen[:-1]), strict=True):
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = layers(torch.cat([beside, x], dim=1))
        logits: Tensor = self.head(x)
        return logits


def _layers(in_channels: int, out_channels: int) -> nn.Sequential:
    """Two normalised 3x3 convolutions."""
    parts: list[nn.Module] = []
    for channels in (in_channels, out_channels):
        parts += [
            nn.Conv2d(channels, out_channels, 3, padding=1, bias=False),
            nn.GroupNorm(_groups(out_channels), out_channels),
            nn.ReLU(),
        ]
    return nn.Sequential(*parts)


def _groups(channels: int) -> int:
    """The largest number of groups, 8 at most, that divides the channels."""
    return next(groups for groups in range(min(8, channels), 0, -1) if channels % groups == 0)
