"""Synthesis for bulk work: a frozen StyleGAN2 laid out for speed, in one precision.

The same product as `Synthesis`, arranged otherwise: weights prepared once, channels last, the scales of all
layers before the first convolution, activations in fp32, bf16 or fp16, and what follows a convolution in as
few passes over memory as may be. It gives no gradients. How far it is from `Synthesis` is measured, not
assumed: `measure_error`.
"""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from tedigan.generator.noise import NoiseMode
from tedigan.generator.ops import DTYPES, LRELU_GAIN, LRELU_SLOPE, Precision
from tedigan.generator.prepacked import convolution
from tedigan.generator.stylegan2 import Synthesis, SynthesisLayer, ToRGB

RECOMPILE_LIMIT = 64  # graphs; beyond torch's 8 it would go on without any, and slowly


class After(NamedTuple):
    """What happens to a convolution's result. following: the next layer's scale; rgb: ToRGB's weight and bias."""

    scale: Float[Tensor, "n c 1 1"]
    noise: Float[Tensor, "_ 1 h w"] | None
    noise_strength: Float[Tensor, ""]
    bias: Float[Tensor, "c 1 1"]
    clamp: float | None
    following: Float[Tensor, "n c 1 1"] | None
    rgb: tuple[Float[Tensor, "n 3 c"], Float[Tensor, "3 1 1"]] | None


Epilogue = Callable[[Tensor, After], tuple[Any, Any]]


def epilogue(
    x: Float[Tensor, "n c h w"], after: After
) -> tuple[Float[Tensor, "n c h w"] | None, Float[Tensor, "n 3 h w"] | None]:
    """Of y = lrelu(x scale + noise + bias), bounded: y following, which the next layer convolves, and its picture.

    None for what nobody looks at. x is a convolution's own result, which is overwritten.
    """
    clamp = after.clamp
    if after.noise is None:
        x.mul_(after.scale)
    else:
        noise = (after.noise * after.noise_strength).to(x.dtype)
        torch.addcmul(noise, x, after.scale, out=x)
    F.leaky_relu_(x.add_(after.bias), LRELU_SLOPE)
    y = x if clamp is None else x.clamp_(-clamp, clamp)
    rgb = None
    if after.rgb is not None:
        weight, rgb_bias = after.rgb
        pixels = y.permute(0, 2, 3, 1)
        shown = y.new_empty(*pixels.shape[:3], 3)
        for one, matrix, place in zip(pixels, weight.mT.to(y.dtype), shown, strict=True):
            torch.matmul(one, matrix, out=place)
        rgb = shown.float().permute(0, 3, 1, 2) + rgb_bias
        rgb = rgb if clamp is None else rgb.clamp_(-clamp, clamp)
    return None if after.following is None else y.mul_(after.following), rgb


def fused_epilogue(
    x: Float[Tensor, "n c h w"], after: After
) -> tuple[Float[Tensor, "n c h w"] | None, Float[Tensor, "n 3 h w"] | None]:
    """The same, for torch.compile: one pass over memory, in fp32, of which nothing but the results is written.

    Three output channels make no good convolution; here they are sums beside what makes y.
    """
    clamp = after.clamp
    if after.noise is None:
        y = x * after.scale
    else:
        noise = (after.noise * after.noise_strength).to(x.dtype)
        y = torch.addcmul(noise, x, after.scale)
    y = F.leaky_relu(y + after.bias, LRELU_SLOPE)
    y = y if clamp is None else y.clamp(-clamp, clamp)
    rgb = None
    if after.rgb is not None:
        weight, rgb_bias = after.rgb
        pixels, weights = y.float().permute(0, 2, 3, 1), weight[:, :, None, None].unbind(1)
        rgb = torch.stack([(pixels * one).sum(-1) for one in weights], -1).permute(0, 3, 1, 2)
        rgb = rgb + rgb_bias if clamp is None else (rgb + rgb_bias).clamp(-clamp, clamp)
    return None if after.following is None else x.copy_(y * after.following), rgb


class FastSynthesis:
    """Called as `Synthesis` is, with the same names; images come back in float32, channels last.

    synthesis: frozen, on its device; its weights are copied. compiled: fuse the epilogues with
    torch.compile, which needs a C++ compiler (Triton on a GPU) and some seconds at the first call.
    """

    def __init__(
        self, synthesis: Synthesis, *, precision: Precision = "fp32", compiled: bool = False
    ) -> None:
        self.reference, self.dtype = synthesis, DTYPES[precision]
        layers = {name: synthesis.get_submodule(name) for name in synthesis.rows}
        self._convs = {
            name: _Conv(layer, self.dtype)
            for name, layer in layers.items()
            if isinstance(layer, SynthesisLayer)
        }
        self._torgbs = {
            name.replace("torgb", "conv1"): (name, _ToRGB(layer))
            for name, layer in layers.items()
            if isinstance(layer, ToRGB)
        }
        self._const = _laid_out(synthesis.get_parameter("b4.const")[None], self.dtype)
        self._rgb_kernel = _depthwise(synthesis.get_buffer("b4.resample_filter"), 3, torch.float32)
        # a shape checker around the function (the tests' own) cannot be traced: unwrap it
        bare = inspect.unwrap(fused_epilogue)
        self._epilogue: Epilogue = _compiled(bare) if compiled else epilogue

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self._const.device

    @torch.inference_mode()
    def __call__(
        self,
        ws: Float[Tensor, "n num_ws w_dim"],
        *,
        noise_mode: NoiseMode | Sequence[NoiseMode] = "const",
        generator: torch.Generator | None = None,
        noise: Sequence[Float[Tensor, "_ 1 _ _"] | None] | None = None,
    ) -> Float[Tensor, "n 3 r r"]:
        """ws -> images; see `Synthesis.forward`."""
        maps = self.reference.noise_maps(
            ws.shape[0], noise_mode=noise_mode, generator=generator, noise=noise
        )
        return self.from_styles(self.reference.styles_of(ws), maps)

    @torch.inference_mode()
    def from_styles(
        self,
        styles: Mapping[str, Float[Tensor, "n _"]],
        noise: Mapping[str, Float[Tensor, "_ 1 _ _"] | None],
    ) -> Float[Tensor, "n 3 r r"]:
        """Style space -> images; see `Synthesis.from_styles`."""
        scales = {name: conv.scales(styles[name]) for name, conv in self._convs.items()}
        next_of = dict(zip(self._convs, [*list(self._convs)[1:], None], strict=True))
        x = self._const * scales["b4.conv1"][0]
        images: Tensor | None = None
        for name, conv in self._convs.items():
            following, (place, torgb) = next_of[name], self._torgbs.get(name, ("", None))
            after = After(
                scale=scales[name][1],
                noise=noise[name],
                noise_strength=conv.noise_strength,
                bias=conv.bias,
                clamp=conv.clamp,
                following=None if following is None else scales[following][0],
                rgb=None if torgb is None else (torgb.weights(styles[place]), torgb.bias),
            )
            x, rgb = self._epilogue(conv.convolve(x), after)
            if torgb is not None:
                images = rgb if images is None else self._upsample(images).add_(rgb)
        assert images is not None, "a generator has at least the 4 px block"
        return images.tanh() if self.reference.config.final_tanh else images

    def _upsample(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h2 w2"]:
        return F.conv_transpose2d(images, self._rgb_kernel, stride=2, padding=1, groups=3)


def _compiled(function: Epilogue) -> Epilogue:
    """Each precision, kind of noise and place in a network is a graph of its own, for all engines of a process."""
    import torch._dynamo.config as dynamo  # takes a second

    dynamo.recompile_limit = max(dynamo.recompile_limit, RECOMPILE_LIMIT)
    return torch.compile(function, dynamic=True)


def _laid_out(weight: Tensor, dtype: torch.dtype) -> Tensor:
    return weight.detach().to(dtype).contiguous(memory_format=torch.channels_last)


def _depthwise(kernel: Float[Tensor, "4 4"], channels: int, dtype: torch.dtype) -> Tensor:
    """The upsampling FIR kernel with gain 4, one copy a channel."""
    return _laid_out((kernel * 4).expand(channels, 1, -1, -1), dtype)


class _Conv:
    """A SynthesisLayer's weights. Styles are divided by their largest and weights by sqrt(fan_in), so that
    fp16 does not overflow before demodulation, which puts both back.
    """

    def __init__(self, layer: SynthesisLayer, dtype: torch.dtype) -> None:
        weight = layer.weight.detach()
        self.gain = 1 / math.sqrt(weight[0].numel())
        self.energy = weight.square().sum(dim=[2, 3]).T.contiguous()
        laid_out = _laid_out((weight.transpose(0, 1) if layer.up else weight) * self.gain, dtype)
        size = len(layer.noise_const) // (2 if layer.up else 1)
        self.convolution = convolution(laid_out, size, up=layer.up)
        self.kernel = _depthwise(layer.resample_filter, len(weight), dtype) if layer.up else None
        self.bias = (layer.bias.detach() * LRELU_GAIN).to(dtype)[:, None, None]
        self.noise_strength = layer.noise_strength.detach() * LRELU_GAIN
        self.clamp, self.demodulate = layer.conv_clamp, layer.demodulate

    def scales(self, styles: Float[Tensor, "n c_in"]) -> tuple[Tensor, Tensor]:
        """What multiplies the channels before (`[n, c_in, 1, 1]`) and after (`[n, c_out, 1, 1]`)."""
        largest = styles.abs().amax(dim=1, keepdim=True).clamp_min(1e-8)
        demodulation = (styles.square() @ self.energy + 1e-8).rsqrt()
        if not self.demodulate:
            demodulation = torch.full_like(demodulation, self.gain)
        before, after = styles / largest, demodulation * largest * (LRELU_GAIN / self.gain)
        dtype = self.bias.dtype
        return before.to(dtype)[:, :, None, None], after.to(dtype)[:, :, None, None]

    def convolve(self, x: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c_out h2 w2"]:
        x = self.convolution(x)
        if self.kernel is None:
            return x
        return F.conv2d(x, self.kernel, padding=1, groups=len(self.kernel))


class _ToRGB:
    """A ToRGB's weights, in fp32."""

    def __init__(self, layer: ToRGB) -> None:
        self.weight = layer.weight.detach()[:, :, 0, 0].float() * layer.weight_gain
        self.bias = layer.bias.detach().float()[:, None, None]

    def weights(self, styles: Float[Tensor, "n c"]) -> Float[Tensor, "n 3 c"]:
        return styles[:, None].float() * self.weight


@dataclass(frozen=True)
class PixelError:
    """How far images are from their reference.

    max_abs, rms: of images, where -1..1 is black to white. mean_levels: mean difference of pixels (0..255).
    """

    max_abs: float
    rms: float
    mean_levels: float


@torch.inference_mode()
def measure_error(
    fast: Callable[..., Tensor], reference: Synthesis, ws: Float[Tensor, "n num_ws w_dim"]
) -> PixelError:
    """The error of `fast(ws)` against the reference network in fp32, with the stored noise."""
    ours, theirs = fast(ws).float(), reference(ws)
    difference = ours - theirs
    levels = (_levels(ours) - _levels(theirs)).abs().mean()
    return PixelError(
        max_abs=difference.abs().max().item(),
        rms=difference.square().mean().sqrt().item(),
        mean_levels=levels.item(),
    )


def _levels(images: Float[Tensor, "n 3 r r"]) -> Float[Tensor, "n 3 r r"]:
    """What pixels would be, where NaN stays NaN."""
    return ((images + 1) * 127.5).round().clamp(0, 255)
