"""g of StyleGAN2: ws -> styles -> images. One block per resolution, each layer styled by its own row of ws.

`styles` (StyleSpace, arXiv:2011.12799) are the channel scales that a row of ws becomes in its layer, by the
layer's name: `b4.conv1`, `b4.torgb`, `b8.conv0`, ...
"""

import math
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from tedigan.generator.config import GeneratorConfig
from tedigan.generator.noise import NoiseMode, noise_maps
from tedigan.generator.ops import (
    CastingLayer,
    Linear,
    leaky,
    modulated_conv,
    normal,
    resample_filter,
    upsample,
)

RECOMPUTED_PX = 512  # at which memory costs more than a second computation


class SynthesisLayer(CastingLayer):
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
        self.weight = nn.Parameter(normal(out_channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.noise_strength = nn.Parameter(torch.zeros([]))
        self.register_buffer("noise_const", normal(resolution, resolution))
        self.register_buffer("resample_filter", resample_filter())
        self.up, self.conv_clamp = up, config.conv_clamp
        self.demodulate, self.weight_gain = config.demodulate, 1 / math.sqrt(in_channels * 9)

    def forward(
        self,
        x: Float[Tensor, "n c_in h w"],
        styles: Float[Tensor, "n c_in"],
        noise: Float[Tensor, "_ 1 h2 w2"] | None,
    ) -> Float[Tensor, "n c_out h2 w2"]:
        """noise: one map for all images or one for each."""
        up_kernel = self.resample_filter if self.up else None
        if not self.demodulate:
            styles = styles * self.weight_gain
        x = self.cast(x)
        x = modulated_conv(x, self.weight, styles, demodulate=self.demodulate, up_kernel=up_kernel)
        if noise is not None:
            x = x + (noise * self.noise_strength).to(x.dtype)
        return leaky(x + self.bias.to(x.dtype)[:, None, None], clamp=self.conv_clamp)


class ToRGB(CastingLayer):
    """Modulated 1x1 convolution to RGB, without demodulation."""

    def __init__(self, in_channels: int, config: GeneratorConfig) -> None:
        super().__init__()
        self.affine = Linear(config.w_dim, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(normal(3, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.weight_gain = 1 / math.sqrt(in_channels)
        self.conv_clamp = config.conv_clamp

    def forward(
        self, x: Float[Tensor, "n c h w"], styles: Float[Tensor, "n c"]
    ) -> Float[Tensor, "n 3 h w"]:
        """The block's contribution to the picture, in the precision of the weights."""
        x = self.cast(x)
        x = modulated_conv(x, self.weight, styles * self.weight_gain, demodulate=False)
        x = x.to(self.bias.dtype) + self.bias[:, None, None]
        return x if self.conv_clamp is None else x.clamp(-self.conv_clamp, self.conv_clamp)


class SynthesisBlock(nn.Module):
    """The layers of one resolution. conv0 doubles the size; the 4 px block starts from a constant."""

    resample_filter: Tensor

    def __init__(self, resolution: int, config: GeneratorConfig) -> None:
        super().__init__()
        channels = config.channels(resolution)
        self.register_buffer("resample_filter", resample_filter())
        if resolution == 4:
            self.const = nn.Parameter(normal(channels, 4, 4))
        else:
            below = config.channels(resolution // 2)
            self.conv0 = SynthesisLayer(below, channels, resolution, up=True, config=config)
        self.conv1 = SynthesisLayer(channels, channels, resolution, up=False, config=config)
        self.torgb = ToRGB(channels, config)


class Synthesis(nn.Module):
    """ws `[n, num_ws, w_dim]` -> images `[n, 3, r, r]`, about -1..1 (not clipped).

    rows: the row of ws that styles each layer, by the layer's name, in the order of the layers.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.rows: dict[str, int] = {}
        for resolution in config.block_resolutions:
            self.add_module(f"b{resolution}", SynthesisBlock(resolution, config))
            last = 2 * int(math.log2(resolution)) - 3  # of the block's torgb, and of the next conv0
            of_block = {"conv0": last - 2, "conv1": last - 1, "torgb": last}
            layers = list(of_block)[resolution == 4 :]
            self.rows |= {f"b{resolution}.{layer}": of_block[layer] for layer in layers}

    @property
    def conv_names(self) -> list[str]:
        """The layers that add noise, in order: num_ws - 1 of them."""
        return [name for name in self.rows if not name.endswith("torgb")]

    def styles_of(self, ws: Float[Tensor, "n num_ws w_dim"]) -> dict[str, Float[Tensor, "n c_in"]]:
        """W+ -> style space: what each layer scales its input channels by, around 1."""
        self.config.check_ws(ws)
        affine = {name: self.get_submodule(f"{name}.affine") for name in self.rows}
        return {name: affine[name](ws[:, row]) for name, row in self.rows.items()}

    def noise_maps(
        self,
        n: int,
        *,
        noise_mode: NoiseMode | Sequence[NoiseMode] = "const",
        generator: torch.Generator | None = None,
        noise: Sequence[Float[Tensor, "_ 1 _ _"] | None] | None = None,
    ) -> dict[str, Float[Tensor, "_ 1 _ _"] | None]:
        """What each of `conv_names` adds for n images; see `tedigan.generator.noise.noise_maps`."""
        stored = [self.get_buffer(f"{name}.noise_const") for name in self.conv_names]
        maps = noise_maps(stored, n, noise_mode=noise_mode, generator=generator, noise=noise)
        return dict(zip(self.conv_names, maps, strict=True))

    def from_styles(
        self,
        styles: Mapping[str, Float[Tensor, "n _"]],
        noise: Mapping[str, Float[Tensor, "_ 1 _ _"] | None],
    ) -> Float[Tensor, "n 3 r r"]:
        """Style space -> images; `noise` as `noise_maps` gives it."""
        x = self.get_parameter("b4.const").expand(len(styles["b4.conv1"]), -1, -1, -1)
        images: Tensor | None = None
        for name in self.rows:
            layer = self.get_submodule(name)
            if name in noise:
                x = self._kept_small(layer, x, styles[name], noise[name])
                continue
            rgb: Tensor = layer(x, styles[name])
            kernel = self.get_buffer("b4.resample_filter")
            images = rgb if images is None else upsample(images, kernel) + rgb
        assert images is not None, "a generator has at least the 4 px block"
        return images.tanh() if self.config.final_tanh else images

    def _kept_small(
        self, layer: nn.Module, x: Tensor, styles: Tensor, noise: Tensor | None
    ) -> Tensor:
        """What a layer gives; where only codes are learnt, at a large size, it keeps its input alone.

        The same bits: what happens between is computed a second time (checkpointing, arXiv:1604.06174).
        """
        is_frozen = not self.get_parameter("b4.const").requires_grad
        if is_frozen and self.config.img_resolution >= RECOMPUTED_PX and torch.is_grad_enabled():
            again: Tensor = checkpoint(
                layer, x, styles, noise, use_reentrant=False, preserve_rng_state=False
            )
            return again
        y: Tensor = layer(x, styles, noise)
        return y

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
        maps = self.noise_maps(ws.shape[0], noise_mode=noise_mode, generator=generator, noise=noise)
        return self.from_styles(self.styles_of(ws), maps)
