"""Decodes the files of one photograph and compares them with each other; what does not fit is a DataError."""

from collections.abc import Mapping
from hashlib import sha256

import torch
from jaxtyping import UInt8
from torch import Tensor

from tedigan.dataset.given_captions import check_captions
from tedigan.dataset.kinds.cutouts import check_alpha
from tedigan.dataset.masks import read_class_mask, read_label_map
from tedigan.dataset.sources.source import MERGED, Item, Place
from tedigan.errors import CaptionError, DataError, ImageError, LabelError
from tedigan.store import pictures
from tedigan.store.texts import decode, lines_of, one_line
from tedigan.vocabulary.labels import merge_masks


class ItemFiles:
    """The bytes of a photograph and of all that belongs to it, read once."""

    def __init__(self, id: int, item: Item) -> None:
        self.id = id
        self._item = item
        self.name = item.photograph.name
        self._contents = {place.name: place.read() for place in item.places()}

    @property
    def photograph_bytes(self) -> bytes:
        """The photograph as it came."""
        return self._contents[self.name]

    def digests(self) -> list[str]:
        """sha256 of each file, in a fixed order."""
        return [sha256(content).hexdigest() for content in self._contents.values()]

    def photograph(self) -> UInt8[Tensor, "3 h w"]:
        """The pixels as a person sees them."""
        return pictures.decode(self.photograph_bytes, name=self.name)

    def labels(self, photograph: UInt8[Tensor, "3 h w"]) -> UInt8[Tensor, "1 h2 w2"]:
        """The label map at its own size, which must be of the photograph's shape."""
        if not self._item.masks:
            raise LabelError(
                f"photograph {self.id} has no mask, though others have. Add its masks.",
                problem="no mask",
            )
        labels = self._merge(self._item.masks)
        self._check_shape("label map", labels, photograph)
        return labels[None]

    def sketch(self, photograph: UInt8[Tensor, "3 h w"]) -> UInt8[Tensor, "1 h2 w2"]:
        """The source's own sketch, as grey."""
        if (place := self._item.sketch) is None:
            raise ImageError(
                f"photograph {self.id} has no sketch, though others have. Add it.",
                problem="no sketch",
            )
        sketch = pictures.decode(self._contents[place.name], name=place.name)
        grey = sketch.to(torch.float32).mean(0).round().to(torch.uint8)
        self._check_shape("sketch", grey, photograph)
        return grey[None]

    def captions(self) -> str:
        """The source's own captions, one a line."""
        if (place := self._item.text) is None:
            raise CaptionError(
                f"photograph {self.id} has no captions, though others have. Add them.",
                problem="no captions",
            )
        text = decode(self._contents[place.name], place.name, kind=CaptionError)
        lines = [caption for line in lines_of(text) if (caption := one_line(line))]
        if not lines:
            raise CaptionError(
                f"{place.name} is empty; expected a caption a line. Copy it again.",
                problem="no captions",
            )
        check_captions(lines, name=place.name)
        return "".join(f"{line}\n" for line in lines)

    def cutout(self, photograph: UInt8[Tensor, "3 h w"]) -> UInt8[Tensor, "1 h2 w2"]:
        """The alpha of the source's own cut-out."""
        if (place := self._item.cutout) is None:
            raise ImageError(
                f"photograph {self.id} has no cut-out, though others have. Add it.",
                problem="no cut-out",
            )
        alpha = pictures.decode_cutout(self._contents[place.name], name=place.name)[3]
        check_alpha(alpha, name=place.name)
        self._check_shape("cut-out", alpha, photograph)
        return alpha[None]

    def _merge(self, masks: Mapping[str, Place]) -> UInt8[Tensor, "h w"]:
        """A merged map, of indices or of colours, or the masks of the classes, merged."""
        if MERGED in masks:
            place = masks[MERGED]
            return read_label_map(self._contents[place.name], name=place.name)
        return merge_masks(
            {
                name: read_class_mask(self._contents[place.name], name=place.name)
                for name, place in masks.items()
            }
        )

    def empty_masks(self) -> list[str]:
        """The classes of which there is a mask that shows nothing."""
        return [
            name
            for name, place in self._item.masks.items()
            if name != MERGED
            and not read_class_mask(self._contents[place.name], name=place.name).any()
        ]

    def _check_shape(self, what: str, map: Tensor, photograph: Tensor) -> None:
        """Another size is scaled; another shape belongs to another picture."""
        (height, width), (rows, columns) = photograph.shape[1:], map.shape
        if abs(height * columns - width * rows) > max(height, width):
            raise DataError(
                f"the {what} of photograph {self.id} has {columns} x {rows} px, the photograph "
                f"{width} x {height}: another shape. Cut both alike.",
                problem=f"{what} of another shape",
            )
