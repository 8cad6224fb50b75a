"""g of StyleGAN1 (arXiv:1812.04948): ws -> images. One layer per row of ws, styled by AdaIN.

Layer 0 is a learned constant at 4 px; each even layer after it doubles the size. Only the last layer's
features become RGB. Weights have unit variance and are scaled at run time, and have these names
(i = row of ws, c = channels at the layer's resolution r):

    const                        [c, 4, 4]
    conv{i}.weight               [c, c_in, 3, 3]     i >= 1
    epilogue{i}.noise_const      [r, r]
    epilogue{i}.noise_strength   [c]
    epilogue{i}.bias             [c]
    epilogue{i}.affine.weight    [2 c, w_dim]        its first half scales (0 = as it is), its second shifts
    epilogue{i}.affine.bias      [2 c]
    torgb.weight, torgb.bias     [3, c, 1, 1], [3]
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.generator.config import GeneratorConfig
from tedigan.generator.noise import NoiseMode, noise_maps
from tedigan.generator.ops import LRELU_GAIN, LRELU_SLOPE, Linear, normal


def upsampled_conv(
    x: Float[Tensor, "n c_in h w"], weight: Float[Tensor, "c_out c_in 3 3"]
) -> Float[Tensor, "n c_out h2 w2"]:
    """Each pixel four times, then the 3x3 convolution: in one step, with 4/9 of the multiplications.

    Two neighbouring taps that meet copies of one pixel act as their sum, so four 2x2 sums of the kernel
    stand for nine taps: a transposed convolution with a 4x4 kernel.
    """
    kernel = F.avg_pool2d(weight.flip([2, 3]), 2, stride=1, padding=1, divisor_override=1)
    return F.conv_transpose2d(x, kernel.transpose(0, 1), stride=2, padding=1)


def adaptive_instance_norm(
    x: Float[Tensor, "n c h w"],
    scale: Float[Tensor, "n c 1 1"],
    shift: Float[Tensor, "n c 1 1"],
) -> Float[Tensor, "n c h w"]:
    """Give each channel of each image the deviation `scale` and the mean `shift` (AdaIN).

    y = scale (x - mean(x)) / sqrt(var(x) + 1e-8) + shift
    """
    x = x - x.mean(dim=[2, 3], keepdim=True)
    variance = x.square().mean(dim=[2, 3], keepdim=True)
    return torch.addcmul(shift, x, scale * (variance + 1e-8).rsqrt())


class ScaledConv(nn.Module):
    """Convolution without bias; `up` doubles the size and blurs (1-2-1 each way)."""

    blur: Tensor

    def __init__(self, in_channels: int, out_channels: int, *, up: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(normal(out_channels, in_channels, 3, 3))
        self.weight_gain = LRELU_GAIN / math.sqrt(in_channels * 9)
        taps = torch.tensor(
            [0.25, 0.5, 0.25], device="cpu"
        )  # in no file: its values are needed at once
        self.register_buffer("blur", taps[:, None] * taps[None, :], persistent=False)
        self.up = up

    def forward(self, x: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c_out h2 w2"]:
        """`[n, c_in, h, w]` -> `[n, c_out, h, w]`, or twice the size."""
        weight = self.weight * self.weight_gain
        if not self.up:
            return F.conv2d(x, weight, padding=1)
        x = upsampled_conv(x, weight)
        channels = x.shape[1]
        return F.conv2d(x, self.blur.expand(channels, 1, -1, -1), padding=1, groups=channels)


class Epilogue(nn.Module):
    """What ends a layer: noise, bias, leaky ReLU, style."""

    noise_const: Tensor

    def __init__(self, channels: int, resolution: int, w_dim: int) -> None:
        super().__init__()
        self.register_buffer("noise_const", normal(resolution, resolution))
        self.noise_strength = nn.Parameter(torch.zeros(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.affine = Linear(w_dim, 2 * channels)

    def forward(
        self,
        x: Float[Tensor, "n c r r"],
        w: Float[Tensor, "n w_dim"],
        noise: Float[Tensor, "m 1 r r"] | None,
    ) -> Float[Tensor, "n c r r"]:
        """w styles this layer alone; noise is one map for all images (m = 1) or one for each."""
        if noise is not None:
            x = x + noise * self.noise_strength[:, None, None]
        x = F.leaky_relu(x + self.bias[:, None, None], LRELU_SLOPE)
        scale, shift = self.affine(w)[:, :, None, None].chunk(2, dim=1)
        return adaptive_instance_norm(x, 1 + scale, shift)


class ToRGB(nn.Module):
    """1x1 convolution of the last features to RGB."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(normal(3, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.weight_gain = 1 / math.sqrt(in_channels)

    def forward(self, x: Float[Tensor, "n c r r"]) -> Float[Tensor, "n 3 r r"]:
        """Features -> images."""
        return F.conv2d(x, self.weight * self.weight_gain, self.bias)


class StyleGAN1Synthesis(nn.Module):
    """ws `[n, num_ws, w_dim]` -> images `[n, 3, r, r]`, about -1..1 (within them after a final tanh)."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        below = config.channels(4)
        self.const = nn.Parameter(torch.ones(below, 4, 4))
        for i in range(config.num_ws):
            resolution = 4 * 2 ** (i // 2)
            channels = config.channels(resolution)
            if i > 0:
                conv = ScaledConv(below, channels, up=i % 2 == 0)
                self.add_module(f"conv{i}", conv)
            self.add_module(f"epilogue{i}", Epilogue(channels, resolution, config.w_dim))
            below = channels
        self.torgb = ToRGB(below)

    def forward(
        self,
        ws: Float[Tensor, "n num_ws w_dim"],
        *,
        noise_mode: NoiseMode | Sequence[NoiseMode] = "const",
        generator: torch.Generator | None = None,
        noise: Sequence[Float[Tensor, "_ 1 _ _"] | None] | None = None,
    ) -> Float[Tensor, "n 3 r r"]:
        """noise_mode: const = the stored maps, random = drawn from `generator` (CPU), none = off; one
        for all layers or one for each. noise: maps to use in place of the stored ones (None keeps one).
        """
        self.config.check_ws(ws)
        num_ws, n = self.config.num_ws, ws.shape[0]
        stored = [self.get_buffer(f"epilogue{i}.noise_const") for i in range(num_ws)]
        maps = noise_maps(stored, n, noise_mode=noise_mode, generator=generator, noise=noise)
        x = self.const.expand(n, -1, -1, -1)
        for i in range(num_ws):
            if i > 0:
                x = self.get_submodule(f"conv{i}")(x)
            x = self.get_submodule(f"epilogue{i}")(x, ws[:, i], maps[i])
        images: Tensor = self.torgb(x)
        return images.tanh() if self.config.final_tanh else images
