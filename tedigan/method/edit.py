"""Text-guided manipulation: invert, mix in the text's layers, and hold them.

Invert (E_v, then A3), mix in the text's layers, then optimise once more with the text's layers held: what the text
names changes, the rest is the photograph's again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.encoders.text import CaptionEncoder
from tedigan.method.control import mix_layers, shift_layers, text_shift
from tedigan.method.inversion import Inverter
from tedigan.method.inversion_terms import WeightedTerm, anchor_term


@dataclass(frozen=True)
class EditSettings:
    """The numbers of `Editor`.

    mode: shift = move by what the text says, `strength` deviations of the codes far; replace = the text's own
    code, as in the paper. text_layers: layers that take the text. num_edit_steps: of optimisation after the text
    is mixed in. weight_text: of the term that holds its layers.
    """

    mode: Literal["shift", "replace"]
    strength: float
    text_layers: list[int] | Literal["measured"]
    num_edit_steps: int
    weight_text: float


@dataclass(frozen=True)
class Editor:
    """The networks and numbers of text-guided manipulation."""

    inverter: Inverter
    captions: CaptionEncoder
    settings: EditSettings

    @property
    def text_layers(self) -> list[int]:
        """Layers that take the text."""
        chosen = self.settings.text_layers
        return self.captions.text_layers if chosen == "measured" else chosen

    def edit(
        self,
        images: Float[Tensor, "n 3 r r"],
        ws: Float[Tensor, "n num_ws w_dim"],
        texts: Sequence[str],
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """The codes `ws` of photographs, each with its text's layers mixed in and held."""
        mixed = self.mix(ws, texts)
        hold = anchor_term(mixed, self.text_layers, self.inverter.encoder.w_std)
        held = WeightedTerm("text", self.settings.weight_text, hold)
        return self.inverter.refine(images, mixed, held, num_steps=self.settings.num_edit_steps)

    def mix(
        self, ws: Float[Tensor, "n num_ws w_dim"], texts: Sequence[str]
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """Content = the photograph's code, style = the text's."""
        text = self.captions.ws(texts)
        if self.settings.mode == "replace":
            return mix_layers(ws, text, self.text_layers)
        std, strength = self.captions.encoder.ws_std, self.settings.strength
        shift = text_shift(text, self.captions.neutral, std, strength=strength)
        return shift_layers(ws, shift, self.text_layers)

    @torch.no_grad()
    def images(self, ws: Float[Tensor, "n num_ws w_dim"]) -> Float[Tensor, "n 3 r r"]:
        """Images in about -1..1, on the CPU."""
        return self.inverter.generator.synthesis(ws, noise_mode="const").cpu()
