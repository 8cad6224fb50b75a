"""IR-SE-50: the residual network of ArcFace (arXiv:1801.07698) with squeeze-and-excitation, as a backbone.

Tensor names are those of the official files.
"""

from itertools import accumulate

import torch
from jaxtyping import Float
from torch import Tensor, nn

STAGES = (
    (64, 3),
    (128, 4),
    (256, 14),
    (512, 3),
)  # channels, blocks; the first block halves the size
REDUCTION = 16


class SqueezeExcitation(nn.Module):
    """Scale each channel by a number in 0..1 that depends on all channels' means (arXiv:1709.01507)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // REDUCTION, 1, bias=False)
        self.fc2 = nn.Conv2d(channels // REDUCTION, channels, 1, bias=False)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """The same size."""
        means = x.mean(dim=[2, 3], keepdim=True)
        return x * torch.sigmoid(self.fc2(torch.relu(self.fc1(means))))


class Bottleneck(nn.Module):
    """Two convolutions between batch normalisations. The shortcut takes every stride-th pixel.

    A change of channels gives the shortcut a 1x1 convolution.
    """

    def __init__(self, in_channels: int, channels: int, *, stride: int) -> None:
        super().__init__()
        self.stride, self.shortcut_layer = stride, None
        if in_channels != channels:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(in_channels),
            nn.Conv2d(in_channels, channels, 3, padding=1, bias=False),
            nn.PReLU(channels),
            nn.Conv2d(channels, channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            SqueezeExcitation(channels),
        )

    def forward(self, x: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c h2 w2"]:
        """`[n, in_channels, h, w]` -> `[n, channels, h / stride, w / stride]`."""
        if self.shortcut_layer is None:
            shortcut = x[:, :, :: self.stride, :: self.stride]
        else:
            shortcut = self.shortcut_layer(x)
        return shortcut + self.res_layer(x)


class IRSE50(nn.Module):
    """images `[n, input_channels, h, w]` -> features at a quarter, an eighth and a sixteenth of the size."""

    def __init__(self, input_channels: int) -> None:
        super().__init__()
        width = STAGES[0][0]
        self.input_layer = nn.Sequential(
            nn.Conv2d(input_channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.PReLU(width),
        )
        blocks = []
        for channels, num_blocks in STAGES:
            for index in range(num_blocks):
                blocks.append(Bottleneck(width, channels, stride=1 if index else 2))
                width = channels
        self.body = nn.Sequential(*blocks)
        self.ends = list(accumulate(num_blocks for _, num_blocks in STAGES))

    def forward(self, images: Float[Tensor, "n c h w"]) -> list[Tensor]:
        """From fine to coarse: `[n, 128, h/4, w/4]`, `[n, 256, h/8, w/8]`, `[n, 512, h/16, w/16]`."""
        x, features = self.input_layer(images), []
        for number, block in enumerate(self.body, 1):
            x = block(x)
            if number in self.ends[1:]:
                features.append(x)
        return features
