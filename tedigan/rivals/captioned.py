"""Photographs of a data set with their captions, and what each caption says of whom it describes."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int8, UInt8
from torch import Tensor

from tedigan.captions.reader import Reader
from tedigan.dataset.folder import Dataset
from tedigan.errors import DataError
from tedigan.rivals.lessons import Lessons
from tedigan.rivals.rival import SIZE_PX
from tedigan.rivals.vocabulary import Vocabulary
from tedigan.store import pictures

_SAID = {None: 0, True: 1, False: -1}


@dataclass(frozen=True)
class Captioned:
    """captions: as many of each photograph, one photograph's behind the other's. mentions: as in `Lessons`."""

    pixels: UInt8[Tensor, "n 3 64 64"]
    captions: list[str]
    mentions: Int8[Tensor, "m k"]
    attributes: Bool[Tensor, "n k"]

    @classmethod
    def of(cls, data: Dataset, ids: Sequence[int], reader: Reader) -> "Captioned":
        """DataError where photographs differ in how many captions they have."""
        own = [data.captions(id) for id in ids]
        if len(counts := {len(one) for one in own}) != 1:
            raise DataError(
                f"{data.folder}: photographs have {sorted(counts)[:5]} captions, expected as many of each. Make "
                "the data set again."
            )
        flat = [caption for captions in own for caption in captions]
        said = {caption: reader.read(caption) for caption in set(flat)}
        names = data.attribute_names
        mentions = [[_SAID[said[caption].get(name)] for name in names] for caption in flat]
        pixels = [pictures.resize(one, SIZE_PX) for one in data.pixels(ids)]
        return cls(
            torch.stack(pixels),
            flat,
            torch.tensor(mentions, dtype=torch.int8).reshape(len(flat), len(names)),
            data.attributes(ids),
        )

    def lessons(self, vocabulary: Vocabulary) -> Lessons:
        """On the CPU."""
        return Lessons.of(
            self.pixels, self.captions, self.mentions, self.attributes, vocabulary=vocabulary
        )
