"""What makes a batch of a job's pictures: faces of texts, or photographs edited by them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from tedigan.bulk.album import Album
from tedigan.bulk.draw import POISON, Batch
from tedigan.bulk.prompt_table import Asked
from tedigan.errors import DataError
from tedigan.method.edit import Editor
from tedigan.method.inversion import Inverter
from tedigan.method.region import composed
from tedigan.method.text_to_face import FaceMaker
from tedigan.method.tuning import TunedGenerator, TuningSettings, tune
from tedigan.tensors import to_images, to_pixels

GROUPS_KEPT = 8  # of inverted photographs, for the edits of them that follow


@dataclass(frozen=True)
class FaceArtist:
    """Faces of texts."""

    maker: FaceMaker

    def batch(self, images: Sequence[int], asked: Sequence[Asked], *, seed: int) -> Batch:
        """See `Artist`; image i's face depends on its text and `(seed, i)` alone."""
        ws, pixels = self.maker.batch([one.text for one in asked], images, seed=seed)
        return Batch(ws, pixels, [{} for _ in images])


class Inverted(NamedTuple):
    """A photograph's code. mse: of what the generator draws of it. tuned: draws it instead, if it is there."""

    ws: Tensor
    mse: float
    tuned: TunedGenerator | None


@dataclass(frozen=True)
class EditArtist:
    """Photographs edited by texts.

    Photographs are inverted in groups of batch_size, by number: always the same beside each other, so that the
    bits of a code do not depend on what else a worker draws.
    """

    inverter: Inverter
    editor: Editor
    album: Album
    tuning: TuningSettings
    batch_size: int

    def batch(self, images: Sequence[int], asked: Sequence[Asked], *, seed: int) -> Batch:  # noqa: ARG002
        """See `Artist`; chance has no part in an edit."""
        found = [self._inverted(one.photograph) for one in asked]
        ws = torch.cat([one.ws for one in found])
        texts, strengths = [one.text for one in asked], [one.strength for one in asked]
        edited = self.editor.edit(ws, texts, strengths)
        drawn = composed(self._draw(found, ws), self._draw(found, edited.ws), edited.region)
        names = self.album.names
        measured = [
            {
                "photograph": names[asked[row].photograph or 0],
                "strength": strengths[row],
                "inversion_mse": one.mse,
            }
            for row, one in enumerate(found)
        ]
        return Batch(edited.ws.cpu(), to_pixels(drawn), measured)

    def _draw(self, photographs: Sequence[Inverted], ws: Tensor) -> Tensor:
        """Codes, each drawn by what draws its photograph; all of a batch at once where nothing is tuned."""
        images = [*self.editor.images(ws).split(1)]
        for row, one in enumerate(photographs):
            if one.tuned:
                images[row] = one.tuned.draw(ws[row : row + 1]).cpu()
        return torch.cat(images)

    def _inverted(self, photograph: int | None) -> Inverted:
        """One photograph's code; what is wrong with it is raised, and costs no other one."""
        assert photograph is not None, "a plan of edits asks for photographs"
        group, place = divmod(photograph, self.batch_size)
        found = self._groups(group)[place]
        if isinstance(found, Exception):
            raise found
        return found

    @cached_property
    def _groups(self) -> Callable[[int], list[Inverted | Exception]]:
        return lru_cache(GROUPS_KEPT)(self._group)

    def _group(self, group: int) -> list[Inverted | Exception]:
        """The photographs of a group, each inverted or with what is wrong with it."""
        start = group * self.batch_size
        found: list[Tensor | Exception] = []
        for photograph in range(start, min(start + self.batch_size, len(self.album.names))):
            try:
                found.append(
                    self.album.pixels(photograph, self.inverter.generator.config.img_resolution)
                )
            except DataError as error:
                found.append(error)
        return self._inverted_of(found)

    def _inverted_of(self, photographs: Sequence[Tensor | Exception]) -> list[Inverted | Exception]:
        """In one batch, with copies of a good one where there is none; each alone if that goes wrong."""
        good = [one for one in photographs if isinstance(one, Tensor)]
        if not good:
            return [one for one in photographs if isinstance(one, Exception)]
        rows = [one if isinstance(one, Tensor) else good[0] for one in photographs]
        rows += [good[0]] * (self.batch_size - len(rows))
        try:
            codes = self._invert(torch.stack(rows), len(photographs))
        except POISON as error:
            if len(photographs) == 1:
                return [error]
            return [one for photograph in photographs for one in self._inverted_of([photograph])]
        pairs = zip(photographs, codes, strict=False)
        return [code if isinstance(one, Tensor) else one for one, code in pairs]

    def _invert(self, pixels: Tensor, count: int) -> list[Inverted]:
        """The first `count` of a full batch."""
        images = to_images(pixels)
        ws = self.inverter.invert(images)
        rows = zip(ws.split(1), images.split(1), strict=True)
        found = [Inverted(code, 0.0, self._tuned(code, image)) for code, image in [*rows][:count]]
        errors = (self._draw(found, ws).clamp(-1, 1) - images).square().mean(dim=[1, 2, 3])
        return [one._replace(mse=mse) for one, mse in zip(found, errors.tolist(), strict=False)]

    def _tuned(self, ws: Tensor, image: Tensor) -> TunedGenerator | None:
        if not self.tuning.num_tuning_steps:
            return None
        features = self.inverter.features
        return tune(self.inverter.generator, features, ws, image.to(ws.device), self.tuning)
