"""The generator of AttnGAN, ControlGAN and DM-GAN: 16 px from the sentence, 32 and 64 px from the words."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.rivals.glu_blocks import (
    CONDITION_DIM,
    NOISE_DIM,
    STAGES_PX,
    ConditioningAugmentation,
    Drawn,
    FirstStage,
    ImageHead,
    Refinement,
    orthogonal_start,
)
from tedigan.rivals.rival import EncodedText
from tedigan.rivals.word_attention import DynamicMemory, WordsAndChannels, WordsBeside

Joining = Callable[[int, int], WordsBeside | WordsAndChannels | DynamicMemory]


class StackedGenerator(nn.Module):
    """Three pictures, each from the features of the one before joined with its words (AttnGAN, arXiv:1711.10485).

    join: (channels, size in px) -> the module that brings the words in at a refinement's beginning.
    """

    def __init__(self, gf: int, join: Joining, *, num_residual: int) -> None:
        super().__init__()
        self.augment = ConditioningAugmentation()
        self.first = FirstStage(NOISE_DIM + CONDITION_DIM, gf, nn.BatchNorm2d)
        joins = [join(gf, size) for size in STAGES_PX[:-1]]
        self.joins = nn.ModuleList(joins)
        self.refinements = nn.ModuleList(
            [
                Refinement(join.width, gf, nn.BatchNorm2d, num_residual=num_residual)
                for join in joins
            ]
        )
        self.heads = nn.ModuleList([ImageHead(gf) for _ in STAGES_PX])
        orthogonal_start(self)

    def forward(self, text: EncodedText, z: Float[Tensor, "n 200"]) -> Drawn:
        """z: the noise's 100 numbers and the conditioning's 100, standard Gaussian."""
        noise, eps = z.split([NOISE_DIM, CONDITION_DIM], dim=1)
        condition = self.augment(text.sentence, eps)
        h = self.first(torch.cat([condition.c, noise], dim=1))
        pictures = [self.heads[0](h)]
        for join, refine, head in zip(self.joins, self.refinements, self.heads[1:], strict=True):
            h = refine(join(h, text))
            pictures.append(head(h))
        return Drawn(pictures, condition, h)
