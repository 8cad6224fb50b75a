"""The image encoder that all rivals share at 64 px: what a picture shows in each of its regions, and as a whole.

It stands for AttnGAN's Inception-v3, whose input of 299 px costs several times the nets that it teaches. It learns
from nothing with the DAMSM loss on the train split, is frozen afterwards, and no metric looks with it.
"""

from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.rivals.rival import TEXT_DIM

REGIONS_PX, TEXTURE_PX, TEXTURE_DIM = 8, 32, 96
WIDTHS = (48, TEXTURE_DIM, 192, 256)  # at 64, 32, 16 and 8 px


@dataclass(frozen=True)
class Looked:
    """regions, code: in the space of words and of sentences. texture: inner features, for perceptual terms."""

    regions: Float[Tensor, "n 256 8 8"]
    code: Float[Tensor, "n 256"]
    texture: Float[Tensor, "n 96 32 32"]


def _conv(c_in: int, c_out: int, *, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)


class _Residual(nn.Module):
    """x + f(x), all of one size."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv0, self.norm0 = _conv(width, width), nn.BatchNorm2d(width)
        self.conv1, self.norm1 = _conv(width, width), nn.BatchNorm2d(width)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        y = F.relu(self.norm0(self.conv0(x)))
        return F.relu(x + self.norm1(self.conv1(y)))


class RegionEncoder(nn.Module):
    """Pictures of 64 px -> 8 x 8 regions and one code, of 256 each; 2.8 million parameters."""

    def __init__(self) -> None:
        super().__init__()
        stages, before = [], 3
        for number, width in enumerate(WIDTHS):
            conv = _conv(before, width, stride=2 if number else 1)
            stage = [conv, nn.BatchNorm2d(width), nn.ReLU()]
            stages.append(nn.Sequential(*stage, *([_Residual(width)] if number else [])))
            before = width
        self.stages = nn.ModuleList(stages)
        self.to_regions = nn.Conv2d(before, TEXT_DIM, 1, bias=False)
        self.to_code = nn.Linear(before, TEXT_DIM)

    def forward(self, images: Float[Tensor, "n 3 64 64"]) -> Looked:
        """Pictures in -1..1."""
        texture = x = self.texture(images)
        for stage in self.stages[2:]:
            x = stage(x)
        return Looked(self.to_regions(x), self.to_code(x.mean(dim=[2, 3])), texture)

    def texture(self, images: Float[Tensor, "n 3 64 64"]) -> Float[Tensor, "n 96 32 32"]:
        """`Looked.texture` alone, for two fifths of the work."""
        return self.stages[1](self.stages[0](images))
