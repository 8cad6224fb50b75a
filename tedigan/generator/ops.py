"""The few operations that StyleGAN2 is made of: scaled layers, FIR resampling, modulated convolution.

Written after StyleGAN2 (arXiv:1912.04958) with the tensor names and run-time gains of
stylegan2-ada-pytorch, so that its weights load as they are. Weights are stored with unit variance and
scaled at run time ("equalised learning rate").
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

Precision = Literal["fp32", "bf16", "fp16"]
DTYPES: dict[Precision, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}

LRELU_GAIN = math.sqrt(2)
LRELU_SLOPE = 0.2  # also of what ends the mapping network, and so of W: see whitening
RESAMPLE_TAPS = (1.0, 3.0, 3.0, 1.0)


def resample_filter() -> Float[Tensor, "4 4"]:
    """The separable [1, 3, 3, 1] low-pass filter, normalised to sum 1; it always has values."""
    taps = torch.tensor(RESAMPLE_TAPS, device="cpu")
    kernel = taps[:, None] * taps[None, :]
    return kernel / kernel.sum()


def normal(*size: int, divisor: float = 1.0) -> Float[Tensor, "..."]:
    """`torch.randn(size) / divisor`, to the bit; nothing is drawn where a network has no values (the meta device).

    There torch's own would import for a second what it knows of that device.
    """
    empty = torch.empty(size)
    return empty if empty.is_meta else empty.normal_().div_(divisor)


def leaky(
    x: Float[Tensor, "..."], *, gain: float = 1.0, clamp: float | None = None
) -> Float[Tensor, "..."]:
    """Leaky ReLU 0.2 that keeps the variance (gain sqrt 2), then `gain` and an optional bound."""
    y = F.leaky_relu(x, LRELU_SLOPE) * (LRELU_GAIN * gain)
    return y if clamp is None else y.clamp(-clamp * gain, clamp * gain)


def low_pass(
    x: Float[Tensor, "n c h w"], kernel: Float[Tensor, "4 4"], *, padding: int, stride: int = 1
) -> Float[Tensor, "n c h2 w2"]:
    """Each channel through the FIR kernel."""
    channels = x.shape[1]
    weight = kernel.to(x.dtype).expand(channels, 1, -1, -1)
    return F.conv2d(x, weight, padding=padding, stride=stride, groups=channels)


def upsample(x: Float[Tensor, "n c h w"], kernel: Float[Tensor, "4 4"]) -> Tensor:
    """Twice the size: zero insertion, then the FIR kernel with gain 4."""
    channels = x.shape[1]
    weight = (kernel * 4).to(x.dtype).expand(channels, 1, -1, -1)
    return F.conv_transpose2d(x, weight, stride=2, padding=1, groups=channels)


def modulated_conv(
    x: Float[Tensor, "n c_in h w"],
    weight: Float[Tensor, "c_out c_in k k"],
    styles: Float[Tensor, "n c_in"],
    *,
    demodulate: bool = True,
    up_kernel: Float[Tensor, "4 4"] | None = None,
) -> Float[Tensor, "n c_out h2 w2"]:
    """Convolution whose input channels are scaled per image, with unit-variance outputs.

        y = (sum_i s_i w_ji * x_i) / sqrt(sum_i,k s_i^2 w_jik^2 + 1e-8)     arXiv:1912.04958, Eq. 1-3

    The scales are applied to the activations and to the result, not to the weights: the same product,
    and one shared kernel for the whole batch. With `up_kernel`, the result is twice the size
    (transposed convolution, then the FIR kernel). It is computed in x's precision, where weight and styles
    are first divided by their largest, so that fp16 does not overflow; demodulation puts that back.
    """
    dtype = x.dtype
    if demodulate and dtype != weight.dtype:
        weight = weight / (_largest(weight, [1, 2, 3]) * math.sqrt(weight[0].numel()))
        styles = styles / _largest(styles, [1])
    x = x * styles.to(dtype)[:, :, None, None]
    kernel = weight.to(dtype)
    if up_kernel is None:
        x = F.conv2d(x, kernel, padding=weight.shape[-1] // 2)
    else:
        x = F.conv_transpose2d(x, kernel.transpose(0, 1), stride=2)
        x = low_pass(x, up_kernel * 4, padding=1)
    if demodulate:
        energy = styles.square() @ weight.square().sum(dim=[2, 3]).T
        x = x * (energy + 1e-8).rsqrt().to(dtype)[:, :, None, None]
    return x


def _largest(x: Tensor, dims: list[int]) -> Tensor:
    """A constant: a result that does not depend on the factor has the same gradient either way."""
    return x.detach().abs().amax(dim=dims, keepdim=True).clamp_min(1e-8)


class CastingLayer(nn.Module):
    """A layer that may compute in less than its weights have (tedigan.training.mixed_precision)."""

    weight: nn.Parameter
    dtype: torch.dtype | None = None  # None = the weights'

    def cast(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """What the layer is given, in the precision that it computes in."""
        return x.to(self.dtype or self.weight.dtype)


class Linear(nn.Module):
    """Fully connected layer with run-time gains; `lr_multiplier` also scales the bias."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        lr_multiplier: float = 1.0,
        bias_init: float = 0.0,
        activate: bool = False,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(normal(out_features, in_features, divisor=lr_multiplier))
        self.bias = nn.Parameter(torch.full((out_features,), bias_init))
        self.weight_gain = lr_multiplier / math.sqrt(in_features)
        self.bias_gain = lr_multiplier
        self.activate = activate

    def forward(self, x: Float[Tensor, "n c_in"]) -> Float[Tensor, "n c_out"]:
        """`[n, in_features]` -> `[n, out_features]`."""
        y = F.linear(x, self.weight * self.weight_gain, self.bias * self.bias_gain)
        return leaky(y) if self.activate else y


class Conv(CastingLayer):
    """Plain convolution of the discriminator, optionally halving the size (FIR, then stride 2)."""

    resample_filter: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        down: bool = False,
        bias: bool = True,
        activate: bool = True,
        conv_clamp: float | None = None,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(normal(out_channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.register_buffer("resample_filter", resample_filter())
        self.weight_gain = 1 / math.sqrt(in_channels * kernel_size**2)
        self.down, self.activate, self.conv_clamp = down, activate, conv_clamp

    def forward(
        self, x: Float[Tensor, "n c_in h w"], *, gain: float = 1.0
    ) -> Float[Tensor, "n c_out h2 w2"]:
        """`gain` scales the result."""
        x = self.cast(x)
        weight = (self.weight * self.weight_gain).to(x.dtype)
        bias = None if self.bias is None else self.bias.to(x.dtype)
        pointwise = weight.shape[-1] == 1
        if self.down and pointwise:
            x = F.conv2d(low_pass(x, self.resample_filter, padding=1, stride=2), weight, bias)
        elif self.down:
            x = low_pass(x, self.resample_filter, padding=2)
            x = F.conv2d(x, weight, bias, stride=2)
        else:
            x = F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)
        return leaky(x, gain=gain, clamp=self.conv_clamp) if self.activate else x * gain
