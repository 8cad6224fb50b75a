"""Makes one record of the data set: photograph, sketch, label map, attributes and captions."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from tedigan.data.attributes import attributes_of
from tedigan.data.captions import draw_captions
from tedigan.data.drawn import draw_face
from tedigan.data.labels import check_labels, colours_to_labels, merge_masks, resize_labels
from tedigan.data.sketches import sketch_of
from tedigan.errors import DataError, LabelError
from tedigan.store import pictures
from tedigan.store.sources import MERGED, Place, Source
from tedigan.tensors import stream


@dataclass(frozen=True)
class Recipe:
    """What is the same for every record."""

    resolution: int
    image_format: str
    captions_per_image: int
    seed: int


@dataclass(frozen=True)
class Record:
    """The files of one record, and its row of the tables. partition: "" if the source has none.

    attributes: the 40 as plain values, since tensors are costly to hand between processes.
    """

    id: int
    source_name: str
    identity: int
    partition: str
    attributes: tuple[bool, ...]
    image: bytes
    sketch: bytes
    label: bytes | None
    text: str


@dataclass(frozen=True)
class Rejected:
    """A record that was set aside, and why."""

    source_name: str
    reason: str


class DrawnMaker:
    """Draws faces; their ids are their indices."""

    has_labels = True

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def make(self, id: int) -> Record | Rejected:
        """Record `id`, which depends on (seed, id) alone."""
        face = draw_face(self.recipe.seed, id)
        side = self.recipe.resolution
        labels = colours_to_labels(pictures.rasterise(face.label_svg, side, is_label=True))
        return _record(
            self.recipe,
            id,
            photograph=pictures.rasterise(face.svg, side),
            labels=labels[None],
            attributes=attributes_of(name for name, value in face.attributes.items() if value),
            origin=(f"drawn/{id}", face.identity, ""),
        )


class PhotographMaker:
    """Reads records of a CelebAMask-HQ source; their ids are its numbers."""

    def __init__(
        self, recipe: Recipe, source: Source, attributes: dict[int, tuple[bool, ...]]
    ) -> None:
        self.recipe = recipe
        self.source = source
        self.attributes = attributes
        self.has_labels = bool(source.masks)

    def make(self, id: int) -> Record | Rejected:
        """Record `id`, or why there is none."""
        place = self.source.photographs[id]
        try:
            return self._make(id, place)
        except DataError as error:
            return Rejected(place.name, str(error))

    def _make(self, id: int, place: Place) -> Record:
        if id not in self.attributes:
            raise DataError(f"photograph {id} has no row in the attribute file. Add it.")
        identity, partition = id, ""
        if self.source.people is not None:
            if id not in self.source.people:
                raise DataError(f"photograph {id} has no row in identity.csv. Add it.")
            identity, partition = self.source.people[id]
        photograph = pictures.decode(place.read(), name=place.name)
        return _record(
            self.recipe,
            id,
            photograph=photograph,
            labels=self._labels(id, photograph) if self.has_labels else None,
            attributes=torch.tensor(self.attributes[id]),
            origin=(place.name, identity, partition),
        )

    def _labels(self, id: int, photograph: UInt8[Tensor, "3 h w"]) -> UInt8[Tensor, "1 h2 w2"]:
        """The label map at its own size, checked against the photograph's shape."""
        places = self.source.masks.get(id, {})
        if not places:
            raise LabelError(f"photograph {id} has no mask, though others have. Add its masks.")
        labels = _read_labels(places)
        check_labels(labels)
        (height, width), (rows, columns) = photograph.shape[1:], labels.shape
        if abs(height * columns - width * rows) > max(height, width):
            raise LabelError(
                f"the label map of photograph {id} has {columns} x {rows} px, the photograph "
                f"{width} x {height}: another shape. Cut both alike."
            )
        return labels[None]


def _read_labels(places: dict[str, Place]) -> UInt8[Tensor, "h w"]:
    """A merged map, of indices or of colours, or the masks of the classes, merged."""
    maps = {
        name: pictures.decode_map(place.read(), name=place.name) for name, place in places.items()
    }
    if MERGED in maps:
        labels = maps[MERGED]
        return labels if labels.ndim == 2 else colours_to_labels(labels)
    return merge_masks(
        {name: (map if map.ndim == 2 else map[0]) > 127 for name, map in maps.items()}
    )


def _record(
    recipe: Recipe,
    id: int,
    *,
    photograph: UInt8[Tensor, "3 h w"],
    labels: UInt8[Tensor, "1 h2 w2"] | None,
    attributes: Bool[Tensor, "40"],
    origin: tuple[str, int, str],
) -> Record:
    """Scale, sketch, describe and encode."""
    side = recipe.resolution
    captions = draw_captions(
        attributes,
        num_captions=recipe.captions_per_image,
        generator=stream(recipe.seed, "captions", id),
    )
    square = pictures.resize(photograph, min(photograph.shape[1:]))
    label = None if labels is None else pictures.encode(resize_labels(labels, side), "png")
    return Record(
        id,
        *origin,
        attributes=tuple(attributes.tolist()),
        image=pictures.encode(pictures.resize(square, side), recipe.image_format),
        sketch=pictures.encode(sketch_of(square, side), "png"),
        label=label,
        text="".join(f"{caption.text}\n" for caption in captions),
    )


_maker: DrawnMaker | PhotographMaker


def start_worker(maker: DrawnMaker | PhotographMaker) -> None:
    """Prepare a worker process: its maker, and one thread, since there is one worker a core."""
    global _maker
    _maker = maker
    torch.set_num_threads(1)


def make_in_worker(id: int) -> Record | Rejected:
    """`make` of the worker's maker."""
    return _maker.make(id)
