"""Pictures that somebody gives -> sources: the code of each, its layers, and how it was understood."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from tedigan.dataset.given_drawings import read_drawing, shown_by
from tedigan.encoders.modalities import DRAWINGS, Drawing, to_inputs
from tedigan.errors import WeightsError
from tedigan.generator.stylegan import Generator
from tedigan.method.sources import (
    SOURCES,
    Source,
    SourceName,
    check_layers,
    check_weights,
    layers_by_default,
)
from tedigan.models.drawing_encoders import DrawingEncoder
from tedigan.store import pictures
from tedigan.tensors import to_pixels
from tedigan.vocabulary.labels import labels_to_colours

Picture = Image.Image | str | Path | Tensor  # a tensor is a code, of a photograph or a style


@dataclass(frozen=True)
class SourceReader:
    """encoders: of drawings. invert: a photograph, or a code that it leaves as it is -> its code."""

    generator: Generator
    encoders: Mapping[Drawing, DrawingEncoder]
    invert: Callable[[Picture], Tensor]
    size_px: int

    def read(
        self,
        given: Mapping[SourceName, Picture | None],
        layers: Mapping[str, Sequence[int]],
        weights: Mapping[str, float],
    ) -> tuple[list[Source], list[str]]:
        """The sources and notes on them. given: None = not there. layers: in the place of those measured."""
        check_layers(layers, self.generator.num_ws)
        check_weights(weights)
        there = {name: one for name, one in given.items() if one is not None}
        wanted: dict[SourceName, Sequence[int]] = {}
        for name in there:
            if name in layers:
                wanted[name] = layers[name]
            elif name in DRAWINGS:
                wanted[name] = self._encoder(name).layers
        chosen = layers_by_default(wanted, [*there], self.generator.num_ws)
        sources, notes = [], []
        for name, one in there.items():
            ws, shows, said = self._code(name, one)
            sources.append(Source(name, ws, chosen[name], weights.get(name, 1.0), shows))
            notes += said
        return sources, notes

    def _code(
        self, name: SourceName, given: Picture
    ) -> tuple[Float[Tensor, "1 num_ws w_dim"], dict[str, bool], list[str]]:
        """Its code, what it shows beyond doubt, and notes."""
        if name not in DRAWINGS or isinstance(given, Tensor):
            return self.invert(given), {}, []
        drawing = read_drawing(given, name, self.size_px)
        shows = shown_by(drawing.drawing) if name == "label" else {}
        return self.encode(drawing.drawing, name), shows, drawing.notes

    def seen(self, given: Mapping[SourceName, Picture]) -> UInt8[Tensor, "s 3 r r"]:
        """Every kind of source as the networks see it, in the order of SOURCES; white where there is none."""
        sheets = torch.full((len(SOURCES), 3, self.size_px, self.size_px), 255, dtype=torch.uint8)
        for row, name in enumerate(SOURCES):
            if name in given:
                sheets[row] = self._seen(name, given[name])
        return sheets

    def _seen(self, name: SourceName, picture: Picture) -> UInt8[Tensor, "3 r r"]:
        if isinstance(picture, Tensor):
            with torch.no_grad():
                return to_pixels(self.generator.synthesis(picture, noise_mode="const"))[0].cpu()
        if name not in DRAWINGS:
            return pictures.resize(pictures.any_picture(picture), self.size_px)
        drawing = read_drawing(picture, name, self.size_px).drawing
        colours = labels_to_colours(drawing) if name == "label" else drawing.expand(-1, 3, -1, -1)
        return colours[0]

    @torch.no_grad()
    def encode(
        self, drawing: UInt8[Tensor, "n *c r r"], kind: Drawing
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """The code of each drawing."""
        inputs = to_inputs(drawing, kind).to(self.generator.mapping.w_avg.device)
        ws: Tensor = self._encoder(kind).encoder(inputs)
        return ws

    def _encoder(self, kind: Drawing) -> DrawingEncoder:
        if kind not in self.encoders:
            raise WeightsError(
                f"this model has no {kind}_encoder, which a {kind} needs; expected one of this very generator. "
                f"Name it: {kind}_encoder=PLACE of tedigan.load, or --{kind}-encoder PLACE."
            )
        return self.encoders[kind]
