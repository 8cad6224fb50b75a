"""ManiGAN's generator: the photograph's regions and its words meet in affine combinations at each size."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.rivals.glu_blocks import (
    CONDITION_DIM,
    NOISE_DIM,
    STAGES_PX,
    ConditioningAugmentation,
    Drawn,
    FirstStage,
    GatedConv,
    ImageHead,
    Refinement,
    UpBlock,
    conv3,
    orthogonal_start,
)
from tedigan.rivals.region_encoder import REGIONS_PX, Looked
from tedigan.rivals.rival import TEXT_DIM, EncodedText
from tedigan.rivals.word_attention import WordsAndChannels

COMBINATION_DIM = 128


class AffineCombination(nn.Module):
    """h' = h * W(v) + b(v): how the photograph's features enter the picture's (ManiGAN, arXiv:1912.06203)."""

    def __init__(self, channels: int, photograph_channels: int) -> None:
        super().__init__()
        self.read = conv3(photograph_channels, COMBINATION_DIM)
        self.scale, self.shift = (
            nn.Conv2d(COMBINATION_DIM, channels, 3, padding=1) for _ in range(2)
        )

    def forward(
        self, h: Float[Tensor, "n c h w"], v: Float[Tensor, "n d h w"]
    ) -> Float[Tensor, "n c h w"]:
        """h: features of the picture. v: of the photograph, at the same size."""
        read = self.read(v)
        return h * self.scale(read) + self.shift(read)


class PhotographFeatures(nn.Module):
    """Regions of the frozen encoder -> features of the photograph at 16, 32 and 64 px."""

    def __init__(self, gf: int) -> None:
        super().__init__()
        self.first = GatedConv(TEXT_DIM, gf, nn.InstanceNorm2d)
        self.ups = nn.ModuleList([UpBlock(gf, gf, nn.InstanceNorm2d) for _ in STAGES_PX[1:]])

    def forward(self, regions: Float[Tensor, "n 256 8 8"]) -> list[Tensor]:
        """A list by stage."""
        scale = STAGES_PX[0] / REGIONS_PX
        features = [self.first(F.interpolate(regions, scale_factor=scale, mode="nearest"))]
        for up in self.ups:
            features.append(up(features[-1]))
        return features


class ManipulatingGenerator(nn.Module):
    """ControlGAN's generator with instance norms, begun from the photograph's code too, with five combinations.

    Of the photograph it gets the frozen encoder's regions and code, 8 x 8 and one, and no pixel.
    """

    def __init__(self, gf: int, *, num_residual: int) -> None:
        super().__init__()
        norm = nn.InstanceNorm2d
        self.augment = ConditioningAugmentation()
        self.first = FirstStage(NOISE_DIM + CONDITION_DIM + TEXT_DIM, gf, norm)
        self.photograph = PhotographFeatures(gf)
        joins = [WordsAndChannels(gf, size) for size in STAGES_PX[:-1]]
        self.joins = nn.ModuleList(joins)
        self.combinations = nn.ModuleList([AffineCombination(join.width, gf) for join in joins])
        self.refinements = nn.ModuleList(
            [Refinement(join.width, gf, norm, num_residual=num_residual) for join in joins]
        )
        self.last_combinations = nn.ModuleList([AffineCombination(gf, gf) for _ in STAGES_PX])
        self.heads = nn.ModuleList([ImageHead(gf) for _ in STAGES_PX])
        orthogonal_start(self)

    def forward(self, text: EncodedText, z: Float[Tensor, "n 200"], looked: Looked) -> Drawn:
        """looked: what the frozen encoder sees of the photographs."""
        noise, eps = z.split([NOISE_DIM, CONDITION_DIM], dim=1)
        condition = self.augment(text.sentence, eps)
        features = self.photograph(looked.regions)
        h = self.first(torch.cat([condition.c, noise, looked.code], dim=1))
        hidden = [h]
        for number, refine in enumerate(self.refinements):
            joined = self.joins[number](h, text)
            h = refine(self.combinations[number](joined, features[number]))
            hidden.append(h)
        pictures = [
            head(combine(h, v))
            for head, combine, h, v in zip(
                self.heads, self.last_combinations, hidden, features, strict=True
            )
        ]
        return Drawn(pictures, condition, hidden[-1])
