"""g: ws -> images. One block per resolution, each layer styled by its own row of ws."""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.errors import ShapeError
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.ops import Linear, leaky, modulated_conv, resample_filter, upsample

NoiseMode = Literal["const", "random", "none"]


class SynthesisLayer(nn.Module):
    """Modulated 3x3 convolution, noise, bias, leaky ReLU."""

    noise_const: Tensor
    resample_filter: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        resolution: int,
        *,
        up: bool,
        config: GeneratorConfig,
    ) -> None:
        super().__init__()
        self.affine = Linear(config.w_dim, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.noise_strength = nn.Parameter(torch.zeros([]))
        self.register_buffer("noise_const", torch.randn(resolution, resolution))
        self.register_buffer("resample_filter", resample_filter())
        self.up, self.conv_clamp, self.resolution = up, config.conv_clamp, resolution

    def forward(
        self,
        x: Float[Tensor, "n c_in h w"],
        w: Float[Tensor, "n w_dim"],
        *,
        noise_mode: NoiseMode,
        generator: torch.Generator | None,
    ) -> Float[Tensor, "n c_out h2 w2"]:
        """w styles this layer alone."""
        up_kernel = self.resample_filter if self.up else None
        x = modulated_conv(x, self.weight, self.affine(w), up_kernel=up_kernel)
        if noise_mode == "const":
            x = x + self.noise_const * self.noise_strength
        elif noise_mode == "random":
            shape = [x.shape[0], 1, self.resolution, self.resolution]
            noise = torch.randn(shape, generator=generator).to(x)
            x = x + noise * self.noise_strength
        return leaky(x + self.bias[:, None, None], clamp=self.conv_clamp)


class ToRGB(nn.Module):
    """Modulated 1x1 convolution to RGB, without demodulation."""

    def __init__(self, in_channels: int, config: GeneratorConfig) -> None:
        super().__init__()
        self.affine = Linear(config.w_dim, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(3, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.weight_gain = 1 / math.sqrt(in_channels)
        self.conv_clamp = config.conv_clamp

    def forward(
        self, x: Float[Tensor, "n c h w"], w: Float[Tensor, "n w_dim"]
    ) -> Float[Tensor, "n 3 h w"]:
        """The block's contribution to the picture."""
        styles = self.affine(w) * self.weight_gain
        x = modulated_conv(x, self.weight, styles, demodulate=False) + self.bias[:, None, None]
        return x if self.conv_clamp is None else x.clamp(-self.conv_clamp, self.conv_clamp)


class SynthesisBlock(nn.Module):
    """The layers of one resolution. conv0 doubles the size; the 4 px block starts from a constant."""

    resample_filter: Tensor

    def __init__(self, resolution: int, config: GeneratorConfig) -> None:
        super().__init__()
        channels = config.channels(resolution)
        self.register_buffer("resample_filter", resample_filter())
        self.is_first = resolution == 4
        if self.is_first:
            self.const = nn.Parameter(torch.randn(channels, 4, 4))
        else:
            below = config.channels(resolution // 2)
            self.conv0 = SynthesisLayer(below, channels, resolution, up=True, config=config)
        self.conv1 = SynthesisLayer(channels, channels, resolution, up=False, config=config)
        self.torgb = ToRGB(channels, config)

    def forward(
        self,
        x: Float[Tensor, "n c h w"] | None,
        images: Float[Tensor, "n 3 h w"] | None,
        ws: Float[Tensor, "n k w_dim"],
        *,
        noise_mode: NoiseMode,
        generator: torch.Generator | None,
    ) -> tuple[Float[Tensor, "n c2 h2 w2"], Float[Tensor, "n 3 h2 w2"]]:
        """ws: the rows of this block's convolutions, then the row of its torgb."""
        if x is None:
            x = self.const.expand(ws.shape[0], -1, -1, -1)
        else:
            x = self.conv0(x, ws[:, 0], noise_mode=noise_mode, generator=generator)
        x = self.conv1(x, ws[:, -2], noise_mode=noise_mode, generator=generator)
        rgb = self.torgb(x, ws[:, -1])
        return x, rgb if images is None else upsample(images, self.resample_filter) + rgb


class Synthesis(nn.Module):
    """ws `[n, num_ws, w_dim]` -> images `[n, 3, r, r]`, about -1..1 (not clipped)."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        for resolution in config.block_resolutions:
            self.add_module(f"b{resolution}", SynthesisBlock(resolution, config))

    def forward(
        self,
        ws: Float[Tensor, "n num_ws w_dim"],
        *,
        noise_mode: NoiseMode = "const",
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "n 3 r r"]:
        """noise_mode: const = the stored maps, random = drawn from `generator` (CPU), none = off."""
        if ws.shape[1] != self.config.num_ws or ws.shape[2] != self.config.w_dim:
            raise ShapeError(
                f"ws is {list(ws.shape)}, but this {self.config.img_resolution} px generator takes "
                f"[n, {self.config.num_ws}, {self.config.w_dim}]; was the code made with another one?"
            )
        x = images = None
        first = 0
        for resolution in self.config.block_resolutions:
            last = 2 * int(math.log2(resolution)) - 3  # the row of this block's torgb
            block = self.get_submodule(f"b{resolution}")
            rows = ws[:, first : last + 1]
            x, images = block(x, images, rows, noise_mode=noise_mode, generator=generator)
            first = last
        assert images is not None, "a generator has at least the 4 px block"
        return images
