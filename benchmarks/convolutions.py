"""What convolutions cost: analytic FLOPs of a generator, and this machine's peak, measured. No project code."""

import statistics

import torch
import torch.nn.functional as F

from benchmarks.timing import measure

# (channels, size px, images) of 3x3 convolutions as StyleGAN2 has them
PEAK_SHAPES = [(256, 64, 4), (512, 32, 4), (128, 128, 4), (64, 256, 4)]


def gflop_per_image(resolution: int, channel_base: int, channel_max: int = 512) -> float:
    """2 x multiply-accumulates of StyleGAN2's convolutions for one image, FIR filters left out."""
    channels = {
        2**k: min(channel_base // 2**k, channel_max) for k in range(2, resolution.bit_length())
    }
    macs = 0
    for size, wide in channels.items():
        if size > 4:
            macs += (
                9 * channels[size // 2] * wide * (size // 2) ** 2
            )  # transposed: at the lower size
        macs += 9 * wide * wide * size**2 + 3 * wide * size**2
    return 2 * macs / 1e9


@torch.inference_mode()
def conv_peak_gflops(dtype: torch.dtype, device: torch.device) -> float:
    """The best rate of a bare convolution, weights and activations channels last."""
    return max(_rate(shape, dtype, device) for shape in PEAK_SHAPES)


def _rate(shape: tuple[int, int, int], dtype: torch.dtype, device: torch.device) -> float:
    channels, size, n = shape
    x = torch.randn(n, channels, size, size).to(device, dtype, memory_format=torch.channels_last)
    weight = torch.randn(channels, channels, 3, 3)
    weight = weight.to(device, dtype, memory_format=torch.channels_last)
    times = measure(lambda: F.conv2d(x, weight, padding=1), repeats=9)["wall_s"]
    return 2 * 9 * channels**2 * size**2 * n / statistics.median(times) / 1e9
