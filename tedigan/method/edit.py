"""Text-guided manipulation: invert, mix in the text's layers, and hold them.

Invert (E_v), optimise the code against the photograph (A3), mix in the text's layers, then optimise once
more with the text's layers held: what the text names changes, the rest is the photograph's again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.encoders.encoder import Encoder
from tedigan.encoders.text import CaptionEncoder
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.method.control import mix_layers, shift_layers, text_shift
from tedigan.method.inversion import (
    WeightedTerm,
    anchor_term,
    encoder_term,
    optimise_ws,
    perceptual_term,
    pixel_term,
)
from tedigan.tensors import to_pixels


@dataclass(frozen=True)
class EditSettings:
    """The numbers of `Editor`.

    mode: shift = move by what the text says, `strength` deviations of the codes far; replace = the text's own
    code, as in the paper. text_layers: layers that take the text. num_steps, num_edit_steps:
    of optimisation, before and after the text is mixed in. weight_*: of its terms.
    """

    mode: Literal["shift", "replace"]
    strength: float
    text_layers: list[int] | Literal["measured"]
    num_steps: int
    num_edit_steps: int
    learning_rate: float
    weight_pixel: float
    weight_perceptual: float
    weight_encoder: float
    weight_text: float


@dataclass(frozen=True)
class Editor:
    """The networks and numbers of text-guided manipulation.

    features: the generator's discriminator; None where `weight_perceptual` is 0.
    """

    generator: Generator
    captions: CaptionEncoder
    encoder: Encoder
    features: Discriminator | None
    settings: EditSettings

    @property
    def text_layers(self) -> list[int]:
        """Layers that take the text."""
        chosen = self.settings.text_layers
        return self.captions.text_layers if chosen == "measured" else chosen

    def invert(self, images: Float[Tensor, "n 3 r r"]) -> Float[Tensor, "n num_ws w_dim"]:
        """The encoder's codes, optimised against the photographs."""
        images = images.to(self.encoder.w_avg.device)
        with torch.no_grad():
            start = self.encoder(images)
        return self._optimise(images, start, [], num_steps=self.settings.num_steps)

    def edit(
        self,
        images: Float[Tensor, "n 3 r r"],
        ws: Float[Tensor, "n num_ws w_dim"],
        texts: Sequence[str],
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """The codes `ws` of photographs, each with its text's layers mixed in and held."""
        images = images.to(self.encoder.w_avg.device)
        mixed = self.mix(ws, texts)
        hold = anchor_term(mixed, self.text_layers, self.encoder.w_std)
        held = [WeightedTerm("text", self.settings.weight_text, hold)]
        return self._optimise(images, mixed, held, num_steps=self.settings.num_edit_steps)

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
        return self.generator.synthesis(ws, noise_mode="const").cpu()

    def render(self, ws: Float[Tensor, "n num_ws w_dim"]) -> UInt8[Tensor, "n 3 r r"]:
        """The same as pixels."""
        return to_pixels(self.images(ws))

    def _optimise(
        self, images: Tensor, ws: Tensor, extra: list[WeightedTerm], *, num_steps: int
    ) -> Tensor:
        settings, encoder = self.settings, self.encoder
        terms = [
            WeightedTerm("pixel", settings.weight_pixel, pixel_term(images)),
            WeightedTerm("encoder", settings.weight_encoder, encoder_term(encoder, encoder.w_std)),
            *extra,
        ]
        if self.features is not None:
            perceptual = perceptual_term(images, self.features.features)
            terms.append(WeightedTerm("perceptual", settings.weight_perceptual, perceptual))
        rate = settings.learning_rate
        found, _ = optimise_ws(self.generator, ws, terms, num_steps=num_steps, learning_rate=rate)
        return found
