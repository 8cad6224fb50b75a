"""ManiGAN (arXiv:1912.06203): a photograph and a caption -> the photograph, edited to fit the caption."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from tedigan.rivals.controlgan import ControlGan
from tedigan.rivals.glu_blocks import Drawn
from tedigan.rivals.manigan_generator import ManipulatingGenerator
from tedigan.rivals.region_encoder import Looked
from tedigan.rivals.rival import EncodedText

DIFFERENCE_WEIGHT = 1.0


class ManiGan(ControlGan):
    """ControlGAN's losses on photographs with their own captions, plus one that forbids to copy.

        L_G += 1 - |picture - photograph|_1 / 2      a mean over pixels and channels, of 0..1

    It is asked for edits by other captions, which it never trained on. Departures besides ControlGAN's: the
    regulariser, which the paper has and the released main module has not; the detail correction module, a second
    training on top, is left out, as it adds little at 64 px.
    """

    name: ClassVar[str] = "manigan"
    edits_photographs: ClassVar[bool] = True

    def make_generator(self, gf: int, num_residual: int) -> nn.Module:
        """Of affine combinations."""
        return ManipulatingGenerator(gf, num_residual=num_residual)

    def generate(
        self, generator: nn.Module, text: EncodedText, z: Tensor, photographs: Tensor | None
    ) -> Drawn:
        """Of what the shared encoder sees of the photographs."""
        assert self.image_encoder is not None, "manigan sees photographs by the shared encoder"
        with torch.no_grad():
            looked = self.image_encoder(photographs)
        return generator(text, z, looked)

    def further_losses(
        self, drawn: Drawn, looked: Looked, photographs: Tensor
    ) -> dict[str, Tensor]:
        """ControlGAN's, and the likeness to the photograph."""
        difference = (drawn.pictures[-1] - photographs).abs().mean() / 2
        further = super().further_losses(drawn, looked, photographs)
        return {**further, "likeness": DIFFERENCE_WEIGHT * (1 - difference)}
