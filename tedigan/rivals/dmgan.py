"""DM-GAN (arXiv:1904.01310): words reach the pixels by a memory that is written anew for each picture."""

from typing import ClassVar

from torch import nn

from tedigan.rivals.stacked_generator import StackedGenerator
from tedigan.rivals.stacked_rival import StackedRival
from tedigan.rivals.word_attention import DynamicMemory


class DmGan(StackedRival):
    """AttnGAN with a dynamic memory in the attention's place, and spectral norm instead of D's batch norm.

    Departures: gf 32, as the others have, where its own code has 64; a spectral norm takes its power
    iteration once for D's step and once for G's, not at each pass, and none outside training.
    """

    name: ClassVar[str] = "dmgan"
    is_spectral: ClassVar[bool] = True

    def make_generator(self, gf: int, num_residual: int) -> nn.Module:
        """Features read from the memory, twice side by side."""
        return StackedGenerator(gf, DynamicMemory, num_residual=num_residual)
