"""AttnGAN (arXiv:1711.10485): words reach the pixels by attention."""

from typing import ClassVar

from torch import nn

from tedigan.rivals.stacked_generator import StackedGenerator
from tedigan.rivals.stacked_rival import StackedRival
from tedigan.rivals.word_attention import WordsBeside


class AttnGan(StackedRival):
    """The family's plainest; see `StackedRival` for its losses, all of which are AttnGAN's."""

    name: ClassVar[str] = "attngan"

    def make_generator(self, gf: int, num_residual: int) -> nn.Module:
        """Features beside their words."""
        return StackedGenerator(gf, WordsBeside, num_residual=num_residual)
