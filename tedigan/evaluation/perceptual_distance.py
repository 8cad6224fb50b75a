"""Perceptual distance: unit-length AlexNet features, squared differences, learned weights per channel.

    d(x, y) = sum_l mean_hw sum_c v_lc (f_lc(x) - f_lc(y))^2        LPIPS, arXiv:1801.03924

Two variants of the trunk, never comparable with each other: `lpips_alex` is the published LPIPS 0.1 (its trunk
has to be given), `stlpips_alex` is ShiftTolerant-LPIPS (arXiv:2207.13686), which a package carries whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from tedigan.annotators.referee_network import resize
from tedigan.errors import KeysError

MIN_PX, MAX_PX = 64, 256
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
NUM_LAYERS = 5
# Of torchvision's AlexNet: where each convolution lies, and its stride and padding.
ALEXNET_PLACES = (0, 3, 6, 8, 10)
CONVOLUTIONS = ((4, 2), (1, 2), (1, 1), (1, 1), (1, 1))
# Of ShiftTolerant-LPIPS: the same convolutions with their places in its slices.
SHIFT_TOLERANT_PLACES = ("1.0", "2.5", "3.9", "4.11", "5.13")


@dataclass(frozen=True)
class PerceptualDistance:
    """name: goes into the metric's name. weights, biases: of the five convolutions. heads: v_l `[1, c, 1, 1]`."""

    name: str
    weights: list[Tensor]
    biases: list[Tensor]
    heads: list[Tensor]
    is_shift_tolerant: bool

    @classmethod
    def stlpips_alex(cls, tensors: Mapping[str, Tensor]) -> "PerceptualDistance":
        """From the file of the package stlpips-pytorch."""
        names = [f"net.slice{place}" for place in SHIFT_TOLERANT_PLACES]
        return cls._build("stlpips_alex", tensors, names, tensors, is_shift_tolerant=True)

    @classmethod
    def lpips_alex(
        cls, trunk: Mapping[str, Tensor], heads: Mapping[str, Tensor]
    ) -> "PerceptualDistance":
        """From torchvision's AlexNet and the heads of the package lpips."""
        names = [f"features.{place}" for place in ALEXNET_PLACES]
        return cls._build("lpips_alex", trunk, names, heads, is_shift_tolerant=False)

    @classmethod
    def _build(
        cls,
        name: str,
        trunk: Mapping[str, Tensor],
        names: list[str],
        heads: Mapping[str, Tensor],
        *,
        is_shift_tolerant: bool,
    ) -> "PerceptualDistance":
        try:
            return cls(
                name,
                [trunk[f"{one}.weight"] for one in names],
                [trunk[f"{one}.bias"] for one in names],
                [heads[f"lin{layer}.model.1.weight"] for layer in range(NUM_LAYERS)],
                is_shift_tolerant,
            )
        except KeyError as error:
            raise KeysError(
                f"{name}: the weight file has no {error}; expected AlexNet's tensors. Is it another "
                "network's file?"
            ) from error

    def to(self, device: torch.device) -> "PerceptualDistance":
        """The same on a device."""
        weights, biases, heads = (
            [one.to(device) for one in part] for part in (self.weights, self.biases, self.heads)
        )
        return PerceptualDistance(self.name, weights, biases, heads, self.is_shift_tolerant)

    @torch.no_grad()
    def __call__(
        self, images: Float[Tensor, "n 3 h w"], others: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, " n"]:
        """Distance of each pair, 0 for equal images. Images in -1..1; looked at in 64 to 256 px."""
        ours, theirs = self.features(images), self.features(others)
        layers = [
            (F.conv2d((a - b).square(), head)).mean(dim=[1, 2, 3])
            for a, b, head in zip(ours, theirs, self.heads, strict=True)
        ]
        return torch.stack(layers).sum(dim=0)

    def features(self, images: Float[Tensor, "n 3 h w"]) -> list[Tensor]:
        """The five feature maps, of length 1 at every place."""
        device = self.weights[0].device
        x = resize(images.to(device), min(max(images.shape[-1], MIN_PX), MAX_PX))
        x = (x - _channels(SHIFT, device)) / _channels(SCALE, device)
        maps = []
        for layer in range(NUM_LAYERS):
            x = self._layer(x, layer)
            maps.append(x / (x.square().sum(dim=1, keepdim=True).sqrt() + 1e-10))
        return maps

    def _layer(self, x: Tensor, layer: int) -> Tensor:
        """Pooling where AlexNet has it, convolution, ReLU."""
        weight, bias = self.weights[layer], self.biases[layer]
        stride, padding = CONVOLUTIONS[layer]
        if not self.is_shift_tolerant:
            x = F.max_pool2d(x, 3, 2) if layer in (1, 2) else x
            return F.relu(F.conv2d(x, weight, bias, stride=stride, padding=padding))
        if layer in (1, 2):
            x = _blur_halve(F.max_pool2d(x, 3, 1))
        x = F.conv2d(x, weight, bias, padding=padding)
        return F.relu(_blur_halve(x) if layer == 0 else x)


def _blur_halve(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h2 w2"]:
    """Blur by 1-2-1 after reflecting 2 px, then every second pixel."""
    line = torch.tensor([1.0, 2.0, 1.0], device=x.device, dtype=x.dtype) / 4
    kernel = (line[:, None] * line).expand(x.shape[1], 1, 3, 3)
    return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), kernel, stride=2, groups=x.shape[1])


def _channels(values: tuple[float, float, float], device: torch.device) -> Float[Tensor, "1 3 1 1"]:
    return torch.tensor(values, device=device)[None, :, None, None]
