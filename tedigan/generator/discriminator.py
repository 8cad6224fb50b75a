"""D: images -> logits (StyleGAN2's residual discriminator), also the source of our perceptual features."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.errors import ShapeError
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.ops import Conv, Linear, resample_filter


def minibatch_std(x: Float[Tensor, "n c h w"], group_size: int | None) -> Float[Tensor, "n c1 h w"]:
    """Append one channel: the standard deviation over a group of images, averaged over the rest.

    Image i is grouped with i + n/group, ... as in stylegan2-ada-pytorch. The largest divisor of n up to
    `group_size` is taken, or n where that is None.
    """
    n, c, h, w = x.shape
    most = n if group_size is None else min(group_size, n)
    group = next(size for size in range(most, 0, -1) if n % size == 0)
    grouped = x.reshape(group, -1, c, h, w)
    std = (grouped.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=[1, 2, 3])
    return torch.cat([x, std.reshape(-1, 1, 1, 1).repeat(group, 1, h, w)], dim=1)


class DiscriminatorBlock(nn.Module):
    """Two convolutions and a shortcut; halves the size."""

    def __init__(self, resolution: int, config: GeneratorConfig) -> None:
        super().__init__()
        channels, below = config.channels(resolution), config.channels(resolution // 2)
        clamp = config.clamp_of_d
        self.register_buffer("resample_filter", resample_filter())  # in NVIDIA's files; not used
        if resolution == config.img_resolution:
            self.fromrgb = Conv(3, channels, 1, conv_clamp=clamp)
        self.conv0 = Conv(channels, channels, 3, conv_clamp=clamp)
        self.conv1 = Conv(channels, below, 3, down=True, conv_clamp=clamp)
        self.skip = Conv(channels, below, 1, down=True, bias=False, activate=False)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c2 h2 w2"]:
        """x: features, or images at the top block."""
        if hasattr(self, "fromrgb"):
            x = self.fromrgb(x)
        gain = math.sqrt(0.5)
        shortcut: Tensor = self.skip(x, gain=gain)
        return shortcut + self.conv1(self.conv0(x), gain=gain)


class DiscriminatorEpilogue(nn.Module):
    """4 px features -> one logit."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        channels = config.channels(4)
        self.group_size = config.mbstd_group_size
        self.conv = Conv(channels + 1, channels, 3, conv_clamp=config.clamp_of_d)
        self.fc = Linear(channels * 16, channels, activate=True)
        self.out = Linear(channels, 1)

    def forward(self, x: Float[Tensor, "n c 4 4"]) -> Float[Tensor, " n"]:
        """Logits; > 0 means photograph."""
        x = self.conv(minibatch_std(self.conv.cast(x), self.group_size))
        logits: Tensor = self.out(self.fc(x.flatten(1)))
        return logits.squeeze(1)


class Discriminator(nn.Module):
    """images `[n, 3, r, r]` -> logits `[n]`."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.resolutions = config.block_resolutions[:0:-1]
        for resolution in self.resolutions:
            self.add_module(f"b{resolution}", DiscriminatorBlock(resolution, config))
        self.b4 = DiscriminatorEpilogue(config)

    def features(self, images: Float[Tensor, "n 3 r r"]) -> list[Tensor]:
        """Each block's output, from fine (r/2 px) to coarse (4 px)."""
        if images.shape[-1] != self.config.img_resolution:
            raise ShapeError(
                f"images are {list(images.shape)}, but this discriminator takes "
                f"{self.config.img_resolution} px. Resize them first."
            )
        features, x = [], images
        for resolution in self.resolutions:
            x = self.get_submodule(f"b{resolution}")(x)
            features.append(x)
        return features

    def forward(self, images: Float[Tensor, "n 3 r r"]) -> Float[Tensor, " n"]:
        """Logits; > 0 means photograph."""
        logits: Tensor = self.b4(self.features(images)[-1])
        return logits
