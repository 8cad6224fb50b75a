"""ControlGAN (arXiv:1909.07083): channels attend to words too, and a critic looks for each word."""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tedigan.rivals.glu_blocks import Drawn
from tedigan.rivals.region_encoder import Looked, RegionEncoder
from tedigan.rivals.stacked_generator import StackedGenerator
from tedigan.rivals.stacked_rival import StackedRival
from tedigan.rivals.word_attention import WordsAndChannels


class ControlGan(StackedRival):
    """AttnGAN with channel attention, a word-level critic beside each D, and a perceptual loss.

        L_D += sum_stages (words of the own caption + words of a wrong one) / 2      on photographs
        L_G += sum_stages words of the own caption + |texture(picture) - texture(photograph)|^2

    Departures: the word-level critic sees D's regions and teaches both D and G, where the released one
    teaches nobody (`WordDiscriminator`); the perceptual loss compares inner features of the shared image
    encoder, not VGG16's relu2_2, and at 64 px only, since those of a 16 px picture say little; channel
    attention masks padding, and has no projection that nothing uses.
    """

    name: ClassVar[str] = "controlgan"
    has_word_critics: ClassVar[bool] = True

    def make_generator(self, gf: int, num_residual: int) -> nn.Module:
        """Features beside their words and their channels' words."""
        return StackedGenerator(gf, WordsAndChannels, num_residual=num_residual)

    def further_losses(
        self, drawn: Drawn, looked: Looked, photographs: Tensor
    ) -> dict[str, Tensor]:
        """The perceptual loss, weight 1."""
        del drawn
        return {"texture": self.texture_loss(looked, photographs)}

    def texture_loss(self, looked: Looked, photographs: Tensor) -> Tensor:
        """Mean square between the inner features of pictures and of the photographs of their captions."""
        assert isinstance(self.image_encoder, RegionEncoder), f"{self.name} learns with it"
        with torch.no_grad():
            texture = self.image_encoder.texture(photographs)
        return F.mse_loss(looked.texture, texture)
