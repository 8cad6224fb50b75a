"""Perceptual distance: unit-length AlexNet features, squared differences, learned weights per channel.

    d(x, y) = sum_l mean_hw sum_c v_lc (f_lc(x) - f_lc(y))^2        LPIPS, arXiv:1801.03924

The package lpips computes it, on one of two trunks that are never comparable with each other: `lpips_alex` is the
published LPIPS 0.1 (torchvision's AlexNet, which has to be given), `stlpips_alex` is ShiftTolerant-LPIPS
(arXiv:2207.13686), of which a package carries all weights. That package's own code is not run: it imports two
packages that it does not require, and its blur may not be used commercially.
"""

import warnings
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.annotators.resizing import resize
from tedigan.errors import KeysError

MIN_PX, MAX_PX = 64, 256
# Where torchvision's AlexNet has its convolutions, and lpips keeps them.
ALEXNET_PLACES = {"0": "1.0", "3": "2.3", "6": "3.6", "8": "4.8", "10": "5.10"}


@dataclass(frozen=True)
class PerceptualDistance:
    """name: goes into the metric's name. network: an `lpips.LPIPS` with its trunk and heads."""

    name: str
    network: Any

    @classmethod
    def stlpips_alex(cls, tensors: Mapping[str, Tensor]) -> "PerceptualDistance":
        """From the file of the package stlpips-pytorch."""
        network = _empty_network()
        with torch.device("meta"):
            network.net = ShiftTolerantAlexNet()
        return cls("stlpips_alex", _filled(network, tensors, "stlpips_alex"))

    @classmethod
    def lpips_alex(
        cls, trunk: Mapping[str, Tensor], heads: Mapping[str, Tensor]
    ) -> "PerceptualDistance":
        """From torchvision's AlexNet and the heads of the package lpips."""
        network = _empty_network()
        convolutions = {
            f"net.slice{place}.{kind}": trunk[name]
            for layer, place in ALEXNET_PLACES.items()
            for kind in ("weight", "bias")
            if (name := f"features.{layer}.{kind}") in trunk
        }
        tensors = {**network.scaling_layer.state_dict(prefix="scaling_layer."), **convolutions}
        return cls("lpips_alex", _filled(network, {**tensors, **heads}, "lpips_alex"))

    def to(self, device: torch.device) -> "PerceptualDistance":
        """The same on a device."""
        return PerceptualDistance(self.name, self.network.to(device))

    @torch.no_grad()
    def __call__(
        self, images: Float[Tensor, "n 3 h w"], others: Float[Tensor, "n 3 h w"]
    ) -> Float[Tensor, " n"]:
        """Distance of each pair, 0 for equal images. Images in -1..1; looked at in 64 to 256 px."""
        distances: Tensor = self.network(self._seen(images), self._seen(others))
        return distances.flatten()

    def _seen(self, images: Tensor) -> Tensor:
        """The images as the network looks at them, on its device."""
        device = self.network.scaling_layer.shift.device
        return resize(images.to(device), min(max(images.shape[-1], MIN_PX), MAX_PX))


class ShiftTolerantAlexNet(nn.Module):
    """AlexNet's convolutions, which halve by a blur; its modules bear the numbers of the weight file."""

    def __init__(self) -> None:
        super().__init__()
        self.slice1 = _numbered(0, nn.Conv2d(3, 64, 11, padding=2), BlurHalve(64))
        self.slice2 = _numbered(
            3, nn.MaxPool2d(3, 1), BlurHalve(64), nn.Conv2d(64, 192, 5, padding=2)
        )
        self.slice3 = _numbered(
            7, nn.MaxPool2d(3, 1), BlurHalve(192), nn.Conv2d(192, 384, 3, padding=1)
        )
        self.slice4 = _numbered(11, nn.Conv2d(384, 256, 3, padding=1))
        self.slice5 = _numbered(13, nn.Conv2d(256, 256, 3, padding=1))

    def forward(self, x: Float[Tensor, "n 3 h w"]) -> list[Tensor]:
        """The five feature maps."""
        maps = []
        for part in self.children():
            x = F.relu(part(x))
            maps.append(x)
        return maps


class BlurHalve(nn.Module):
    """Blur by the file's 3 x 3 filter (1-2-1) after reflecting 2 px, then every second pixel."""

    filt: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("filt", torch.zeros(channels, 1, 3, 3))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h2 w2"]:
        """Half the size and 1 px more."""
        padded = F.pad(x, (2, 2, 2, 2), mode="reflect")
        return F.conv2d(padded, self.filt, stride=2, groups=x.shape[1])


def _numbered(first: int, *layers: nn.Module) -> nn.Sequential:
    """Layers in a row whose names count from `first`."""
    names = map(str, range(first, first + len(layers)))
    return nn.Sequential(OrderedDict(zip(names, layers, strict=True)))


def _empty_network() -> Any:
    """lpips' network without weights: nothing is downloaded, drawn or unpickled."""
    from lpips import LPIPS

    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore")  # it asks torchvision for a network in a deprecated way
        return LPIPS(net="alex", pnet_rand=True, pretrained=False, verbose=False)


def _filled(network: Any, tensors: Mapping[str, Tensor], name: str) -> Any:
    """The network, frozen, with these tensors, which must be all of its own."""
    heads = {key: tensor for key, tensor in tensors.items() if key.startswith("lin")}
    again = {key.replace("lin", "lins.", 1): tensor for key, tensor in heads.items()}
    try:
        network.load_state_dict({**tensors, **again}, assign=True)
    except RuntimeError as error:
        raise KeysError(
            f"{name}: these are not the tensors of AlexNet and its heads: {error}. Is it another "
            "network's file?"
        ) from error
    return network.eval().requires_grad_(False)
