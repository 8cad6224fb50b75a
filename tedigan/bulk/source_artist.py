"""Faces of several sources in a job: drawings, photographs, styles and sentences, by `method/sources.py`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from tedigan.bulk.album import Album, find_name
from tedigan.bulk.draw import Batch
from tedigan.bulk.prompt_table import Asked
from tedigan.bulk.prompts import SHOWN_CHARACTERS, Prompt, Rejected
from tedigan.errors import DataError
from tedigan.method.sources import DRAWN, Composer, Source, SourceName
from tedigan.models.source_reader import Picture, SourceReader
from tedigan.tensors import to_images, to_pixels

SETS_KEPT = 64  # of sources that were read, for the faces of them that follow


def sources_of(
    rows: Iterable[Prompt | Rejected], names: Sequence[str]
) -> Iterator[Asked | Rejected]:
    """Rows of a list of sources, with the numbers of their pictures; those that name none are set aside."""
    find = find_name(names)
    for row in rows:
        if isinstance(row, Rejected):
            yield row
            continue
        try:
            given = " ".join(f"{name}={find(called)}" for name, called in row.given)
        except DataError as error:
            yield Rejected(row.row, f"{row.text} {row.given}"[:SHOWN_CHARACTERS], str(error))
            continue
        yield Asked(row.text, None, row.strength, given)


@dataclass(frozen=True)
class SourceArtist:
    """layers, weights, strength: see `Composer`; of a sentence, its row's strength comes on top."""

    composer: Composer
    reader: SourceReader
    album: Album
    layers: Mapping[str, Sequence[int]]
    weights: Mapping[str, float]
    strength: float

    def batch(self, images: Sequence[int], asked: Sequence[Asked], *, seed: int) -> Batch:
        """See `Artist`; image i's code depends on its row and `(seed, i)` alone, as each is made by itself."""
        codes, measured = [], []
        for image, one in zip(images, asked, strict=True):
            sources, notes = self._read(one.given)
            made = self.composer.compose(
                sources,
                one.text or None,
                [image],
                seed=seed,
                strength=self.strength * one.strength,
                text_weight=self.weights.get("text", 1.0),
            )
            codes.append(made.ws)
            told = {"sources": self.in_words(one.given), "strength": one.strength}
            measured.append(told | {"report": "; ".join([*notes, *made.report])})
        ws = torch.cat(codes)
        with torch.no_grad():
            drawn = self.composer.generator.synthesis(ws, noise_mode="const")
        return Batch(ws.cpu(), to_pixels(drawn).cpu(), measured)

    def in_words(self, given: str) -> str:
        """Of a table's cell, the sources and the names of their pictures."""
        return " ".join(f"{name}={self.album.names[number]}" for name, number in numbers_in(given))

    @cached_property
    def _read(self) -> Callable[[str], tuple[list[Source], list[str]]]:
        return lru_cache(SETS_KEPT)(self._sources)

    def _sources(self, given: str) -> tuple[list[Source], list[str]]:
        there = {name: self._picture(name, number) for name, number in numbers_in(given)}
        return self.reader.read(there, self.layers, self.weights)

    def _picture(self, name: SourceName, number: int) -> Picture:
        """A drawing as its file, for what it shows beyond doubt; a photograph's or a style's code."""
        if name in DRAWN:
            return self.album.file(number)
        pixels = self.album.pixels(number, self.reader.size_px)
        code: Tensor = self.reader.invert(to_images(pixels[None]))
        return code


def numbers_in(given: str) -> list[tuple[SourceName, int]]:
    """What `sources_of` wrote."""
    pairs = [one.partition("=") for one in given.split()]
    return [(name, int(number)) for name, _, number in pairs]  # type: ignore[misc]
