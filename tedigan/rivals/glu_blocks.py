"""What the generators of AttnGAN, ControlGAN, DM-GAN and ManiGAN are made of: gated blocks and conditioning.

A gated linear unit halves the channels: the first half, each number times the sigmoid of its fellow in the second.
`z` holds the noise and, behind it, what the conditioning is drawn by, so that equal z give equal pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.rivals.rival import TEXT_DIM

NOISE_DIM = CONDITION_DIM = 100
Z_DIM = NOISE_DIM + CONDITION_DIM
STAGES_PX = (16, 32, 64)
FIRST_PX = 4

Norm = Callable[[int], nn.Module]


def conv3(c_in: int, c_out: int) -> nn.Conv2d:
    """3 x 3 of equal size, without a bias, as everywhere in these generators."""
    return nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)


def orthogonal_start(network: nn.Module) -> None:
    """AttnGAN's first weights: orthogonal convolutions and linear layers, norms around 1 by 0.02."""
    for part in network.modules():
        if isinstance(part, nn.Conv1d | nn.Conv2d | nn.Linear):
            nn.init.orthogonal_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(part.weight, 1.0, 0.02)


class GatedConv(nn.Sequential):
    """3 x 3, norm, gate."""

    def __init__(self, c_in: int, c_out: int, norm: Norm) -> None:
        super().__init__(conv3(c_in, 2 * c_out), norm(2 * c_out), nn.GLU(dim=1))


class UpBlock(nn.Module):
    """Twice the size by repetition, then a gated convolution."""

    def __init__(self, c_in: int, c_out: int, norm: Norm) -> None:
        super().__init__()
        self.conv = GatedConv(c_in, c_out, norm)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h2 w2"]:
        """Features at twice the size."""
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class GatedResidual(nn.Module):
    """x + norm(3 x 3(gated convolution(x)))."""

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        self.conv0 = GatedConv(channels, channels, norm)
        self.conv1, self.norm1 = conv3(channels, channels), norm(channels)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Features of the same size."""
        return x + self.norm1(self.conv1(self.conv0(x)))


class Refinement(nn.Sequential):
    """Residual blocks at one size, then an up-block to the next."""

    def __init__(self, c_in: int, c_out: int, norm: Norm, *, num_residual: int) -> None:
        blocks = [GatedResidual(c_in, norm) for _ in range(num_residual)]
        super().__init__(*blocks, UpBlock(c_in, c_out, norm))


class ImageHead(nn.Sequential):
    """Features -> picture in -1..1."""

    def __init__(self, channels: int) -> None:
        super().__init__(conv3(channels, 3), nn.Tanh())


class FirstStage(nn.Module):
    """A vector -> features at 16 px: a linear layer to 4 x 4, and two up-blocks that halve the channels."""

    def __init__(self, dim: int, gf: int, norm: Norm) -> None:
        super().__init__()
        widest = 4 * gf
        self.fc = nn.Linear(dim, 2 * widest * FIRST_PX**2, bias=False)
        self.norm = nn.BatchNorm1d(2 * widest * FIRST_PX**2)
        self.ups = nn.Sequential(UpBlock(widest, 2 * gf, norm), UpBlock(2 * gf, gf, norm))

    def forward(self, vector: Float[Tensor, "n dim"]) -> Float[Tensor, "n gf 16 16"]:
        """vector: the condition and the noise, and what else there is."""
        x = F.glu(self.norm(self.fc(vector)), dim=1).unflatten(1, (-1, FIRST_PX, FIRST_PX))
        return self.ups(x.contiguous(memory_format=torch.channels_last))


@dataclass(frozen=True)
class Condition:
    """c = mu + exp(logvar / 2) eps, a Gaussian around what the sentence says."""

    c: Float[Tensor, "n 100"]
    mu: Float[Tensor, "n 100"]
    logvar: Float[Tensor, "n 100"]

    def divergence(self) -> Float[Tensor, ""]:
        """From the standard Gaussian, a mean over all elements as in AttnGAN's code, which the papers sum."""
        return -0.5 * (1 + self.logvar - self.mu.square() - self.logvar.exp()).mean()


class ConditioningAugmentation(nn.Module):
    """Sentence -> condition (StackGAN, arXiv:1612.03242, section 3.2)."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(TEXT_DIM, 4 * CONDITION_DIM)

    def forward(self, sentence: Float[Tensor, "n 256"], eps: Float[Tensor, "n 100"]) -> Condition:
        """eps: standard Gaussian."""
        mu, logvar = F.glu(self.fc(sentence), dim=1).float().chunk(2, dim=1)
        return Condition(mu + (logvar / 2).exp() * eps, mu, logvar)


@dataclass(frozen=True)
class Drawn:
    """pictures: in -1..1, of 16, 32 and 64 px. hidden: the features that the last is read from."""

    pictures: list[Tensor]
    condition: Condition
    hidden: Float[Tensor, "n gf 64 64"]
