"""Faces of test drawings, with and without a sentence, beside what they are to be compared with.

A *way* is a set of sources: a drawing or a sentence alone, each pair of drawings, photograph, another one's style
and sentence, and all drawings with a sentence. Its rivals are the photograph itself (the ceiling), its inversion,
the training photograph whose drawing agrees best, and a random face (the floor).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.encoders.modalities import Drawing
from tedigan.method.sources import Composer, Source, SourceName
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
PHOTOGRAPH: SourceName = "photograph"
STYLE: SourceName = "style"
TEXT = "text"
INVERSION, NEAREST, RANDOM = "inversion", "nearest", "random"


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

    wanted: the test drawings. is_given: whether they are the data set's. captions: the photographs'. The style of
    a row is the next one's photograph.
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
        codes = torch.cat([self.reader.invert(to_images(one[None])) for one in photographs])
        given: dict[SourceName, Tensor] = {
            **{kind: self.reader.encode(one, kind) for kind, one in wanted.items()},
            PHOTOGRAPH: codes,
            STYLE: next_one(codes),
        }
        pixels = {way: self._of_way(way, given, captions) for way in ways_of([*wanted])}
        noise = random_ws(
            self.composer.generator,
            range(len(ids)),
            seed=self.protocol.seed,
            truncation_psi=self.composer.truncation_psi,
        )
        pixels |= {
            PHOTOGRAPH: photographs[:, None],
            INVERSION: self._pictures(codes)[:, None],
            RANDOM: self._pictures(noise)[:, None],
        }
        for kind in wanted:
            pixels[f"{NEAREST} by {kind}"] = self._nearest(data, kind, wanted[kind])[:, None]
        is_given = {kind: kind in data.kinds for kind in wanted}
        return DrawnFaces(wanted, is_given, captions, pixels)

    def _of_way(
        self, way: str, given: Mapping[SourceName, Tensor], captions: Sequence[str]
    ) -> UInt8[Tensor, "n m 3 r r"]:
        names = [name for name in given if name in way.split("+")]
        made = []
        for row in progress(range(len(captions)), desc=way, unit="drawing"):
            ws = self.composer.compose_many(
                self._sources({name: given[name][row : row + 1] for name in names}),
                captions[row] if has_text(way) else None,
                self.protocol.faces_per_drawing,
                seed=self.protocol.seed + row,
                batch_size=self.protocol.batch_size,
            ).ws
            made.append(self._pictures(ws))
        return torch.stack(made)

    def _sources(self, given: Mapping[SourceName, Tensor]) -> list[Source]:
        """Of codes, as much and in as many layers as anybody gets who says nothing of it."""
        return self.reader.read(given, {}, {})[0]

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


def ways_of(kinds: Sequence[Drawing]) -> list[str]:
    """Names of sources that are joined by "+"."""
    sources = (*kinds, PHOTOGRAPH, STYLE, TEXT)
    sets = [(one,) for one in (*kinds, TEXT)] + [*combinations(sources, 2)]
    return ["+".join(names) for names in (*sets, *([(*kinds, TEXT)] if len(kinds) > 1 else []))]


def has_text(way: str) -> bool:
    """Whether a way follows a sentence."""
    return TEXT in way.split("+")


def next_one(rows: Tensor) -> Tensor:
    """Each row's next one, and the first for the last: whose style a row is given."""
    return rows.roll(-1, dims=0)


def _drawn(data: Dataset, ids: list[int], kind: Drawing, draw: Draw) -> UInt8[Tensor, "n *c r r"]:
    return drawings_of(data, ids, kind) if kind in data.kinds else draw(data.pixels(ids))
