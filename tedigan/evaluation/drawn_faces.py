"""Faces of test drawings, with and without a sentence, beside what they are to be compared with.

A *way* is a set of sources. Its rivals are the photograph itself (the ceiling), its inversion, the training
photograph whose drawing agrees best, and a random face (the floor).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.encoders.modalities import Drawing
from tedigan.method.sources import Composer, Source, SourceName, layers_by_default
from tedigan.method.structure import edge_f1, label_iou
from tedigan.method.text_to_face import random_ws
from tedigan.models.source_reader import SourceReader
from tedigan.progress import progress
from tedigan.tensors import to_images, to_pixels
from tedigan.training.drawing_lessons import Draw, drawings_of

AGREEMENT: dict[Drawing, Callable[[Tensor, Tensor], Tensor]] = {
    "sketch": edge_f1,
    "label": label_iou,
}
PHOTOGRAPH, INVERSION, NEAREST, RANDOM = "photograph", "inversion", "nearest", "random"


@dataclass(frozen=True)
class SourcesProtocol:
    """num_candidates: training photographs among whom the nearest is looked for."""

    num_drawings: int
    faces_per_drawing: int
    num_candidates: int
    batch_size: int
    seed: int


@dataclass(frozen=True)
class DrawnFaces:
    """pixels: who -> `[n, m, 3, r, r]`, several of a way and one of a rival.

    wanted: the test drawings. is_given: whether they are the data set's. captions: the photographs'.
    """

    wanted: Mapping[Drawing, UInt8[Tensor, "n *c r r"]]
    is_given: Mapping[Drawing, bool]
    captions: Sequence[str]
    pixels: dict[str, UInt8[Tensor, "n m 3 r r"]]


@dataclass(frozen=True)
class Artist:
    """What draws faces of drawings. draws: who draws each kind again, and judges by that."""

    composer: Composer
    reader: SourceReader
    draws: Mapping[Drawing, Draw]
    protocol: SourcesProtocol

    def faces(self, data: Dataset) -> DrawnFaces:
        """Of the first test photographs; a sentence is a photograph's first caption.

        A drawing that the data set has not is what the judge makes of the photograph.
        """
        ids = data.split("test")[: self.protocol.num_drawings]
        photographs = data.pixels(ids)
        wanted = {kind: _drawn(data, ids, kind, draw) for kind, draw in self.draws.items()}
        captions = [data.captions(id)[0] for id in ids]
        pixels = {
            name: self._of_way(name, wanted, captions if has_text else None)
            for name, has_text in ways_of([*wanted]).items()
        }
        codes = [self.reader.invert(to_images(one[None])) for one in photographs]
        noise = random_ws(
            self.composer.generator,
            range(len(ids)),
            seed=self.protocol.seed,
            truncation_psi=self.composer.truncation_psi,
        )
        pixels |= {
            PHOTOGRAPH: photographs[:, None],
            INVERSION: self._pictures(torch.cat(codes))[:, None],
            RANDOM: self._pictures(noise)[:, None],
        }
        for kind in wanted:
            pixels[f"{NEAREST} by {kind}"] = self._nearest(data, kind, wanted[kind])[:, None]
        is_given = {kind: kind in data.kinds for kind in wanted}
        return DrawnFaces(wanted, is_given, captions, pixels)

    def _of_way(
        self, name: str, wanted: Mapping[Drawing, Tensor], captions: Sequence[str] | None
    ) -> UInt8[Tensor, "n m 3 r r"]:
        kinds = [kind for kind in wanted if kind in name.split("+")]
        made = []
        for row in progress(range(len(next(iter(wanted.values())))), desc=name, unit="drawing"):
            ws = self.composer.compose_many(
                self._sources({kind: wanted[kind][row : row + 1] for kind in kinds}),
                None if captions is None else captions[row],
                self.protocol.faces_per_drawing,
                seed=self.protocol.seed + row,
                batch_size=self.protocol.batch_size,
            ).ws
            made.append(self._pictures(ws))
        return torch.stack(made)

    def _sources(self, drawings: Mapping[Drawing, Tensor]) -> list[Source]:
        encoders, num_ws = self.reader.encoders, self.composer.generator.num_ws
        measured: dict[SourceName, Sequence[int]] = {k: encoders[k].layers for k in drawings}
        layers = layers_by_default(measured, [*measured], num_ws)
        return [
            Source(kind, self.reader.encode(one, kind), layers[kind])
            for kind, one in drawings.items()
        ]

    def _nearest(
        self, data: Dataset, kind: Drawing, wanted: UInt8[Tensor, "n *c r r"]
    ) -> UInt8[Tensor, "n 3 r r"]:
        """Of the first training photographs, the one whose drawing agrees best with each."""
        ids = data.split("train")[: self.protocol.num_candidates]
        drawings = _drawn(data, ids, kind, self.draws[kind])
        best = []
        for one in wanted:
            agreement = AGREEMENT[kind](drawings, one[None].expand_as(drawings))
            best.append(ids[int(agreement.argmax())])
        return data.pixels(best)

    @torch.no_grad()
    def _pictures(self, ws: Float[Tensor, "n num_ws w_dim"]) -> UInt8[Tensor, "n 3 r r"]:
        synthesis = self.composer.generator.synthesis
        parts = ws.split(self.protocol.batch_size)
        return torch.cat([to_pixels(synthesis(p, noise_mode="const")).cpu() for p in parts])


def ways_of(kinds: Sequence[Drawing]) -> dict[str, bool]:
    """Each drawing, both together, each of these with a sentence, and the sentence alone: has it one?"""
    sets = [*kinds, *(["+".join(kinds)] if len(kinds) > 1 else [])]
    return {name: False for name in sets} | {f"{name}+text": True for name in sets} | {"text": True}


def _drawn(data: Dataset, ids: list[int], kind: Drawing, draw: Draw) -> UInt8[Tensor, "n *c r r"]:
    return drawings_of(data, ids, kind) if kind in data.kinds else draw(data.pixels(ids))
