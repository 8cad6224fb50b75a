"""One record of the data set: what was found out about it, and the files that are made of it.

A maker knows its records by id. `check` finds out whether a record can be made, and `make` makes its
files; both depend on the record alone, so that any process may do either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import UInt8
from torch import Tensor

from tedigan.data.attributes import ATTRIBUTE_NAMES
from tedigan.data.captions import draw_captions
from tedigan.data.cutouts import alpha_of_labels, cut_out
from tedigan.data.drawn import describe_face, draw_face
from tedigan.data.labels import colours_to_labels, resize_labels
from tedigan.data.sketches import sketch_of
from tedigan.store import pictures
from tedigan.store.datasets import KINDS
from tedigan.store.files import sha256_value
from tedigan.tensors import stream

FROM_SOURCE, WRITTEN = "source", "written from the attributes"


@dataclass(frozen=True)
class Recipe:
    """What is the same for every record. kinds: those that are wanted beside the image."""

    resolution: int
    image_format: str
    captions_per_image: int
    seed: int
    kinds: tuple[str, ...]

    def suffixes(self, possible: Mapping[str, str]) -> dict[str, str]:
        """Kind -> suffix of its files, of what is wanted and possible."""
        suffixes = dict.fromkeys(KINDS, "png") | {"image": self.image_format, "text": "txt"}
        wanted = {"image", *self.kinds} & possible.keys()
        return {kind: suffixes[kind] for kind in KINDS if kind in wanted}


@dataclass(frozen=True, slots=True)
class Checked:
    """A record that can be made.

    key: digest of all that its files are made from. attributes: one byte each, 1 = yes.
    hash: perceptual; empty where repeats are not looked for. notes: what is unusual about it.
    """

    id: int
    key: str
    source_name: str
    source_sha256: str
    identity: int
    attributes: bytes
    hash: bytes = b""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that was set aside: the problem in a word or two, and the reason in full."""

    id: int
    key: str
    source_name: str
    problem: str
    reason: str


Finding = Checked | Rejected


@runtime_checkable
class Maker(Protocol):
    """Where records come from. origins: kind (and `attributes`) -> what made it, of all that are possible.

    suffixes: kind -> suffix of its files, for every kind that a record has.
    partitions: name of a published partition -> id -> split.
    """

    recipe: Recipe
    layout: str
    licence: str
    origins: dict[str, str]
    suffixes: dict[str, str]
    attribute_names: tuple[str, ...]
    has_identities: bool
    partitions: Mapping[str, Mapping[int, str]]

    def check(self, item: tuple[int, Finding | None]) -> Finding:
        """What there is to know of record `id`; the earlier finding, if it is still true."""
        ...

    def make(self, checked: Checked) -> dict[str, bytes]:
        """The files of a record, by kind."""
        ...


class DrawnMaker:
    """Draws faces; their ids are their indices."""

    layout = "drawn"
    licence = "Drawn by this project; no person is depicted. Free to use under its licence."
    attribute_names = ATTRIBUTE_NAMES
    has_identities = True

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.partitions: Mapping[str, Mapping[int, str]] = {}
        self.origins = {
            "attributes": "drawn",
            "cutout": "cut out along the label map",
            "image": "drawn",
            "label": "drawn",
            "sketch": "made from the image",
            "text": WRITTEN,
        }
        self.suffixes = recipe.suffixes(self.origins)

    def check(self, item: tuple[int, Finding | None]) -> Finding:
        """Nothing can be wrong with a drawing, and no two are the same."""
        id, _ = item
        attributes, identity = describe_face(self.recipe.seed, id)
        return Checked(
            id,
            key=sha256_value([self.recipe.seed, id]),
            source_name=f"drawn/{id}",
            source_sha256="",
            identity=identity,
            attributes=bytes(attributes.values()),
        )

    def make(self, checked: Checked) -> dict[str, bytes]:
        """The files of a face, which depend on (seed, id) alone."""
        face = draw_face(self.recipe.seed, checked.id)
        side = self.recipe.resolution
        labels = colours_to_labels(pictures.rasterise(face.label_svg, side, is_label=True))
        return files_of(
            self.suffixes,
            self.recipe,
            Parts(
                pictures.rasterise(face.svg, side),
                labels=labels[None],
                text=write_captions(self.recipe, checked, self.attribute_names),
            ),
        )


@dataclass(frozen=True)
class Parts:
    """What the files of a record are made from, each at its own size."""

    photograph: UInt8[Tensor, "3 h w"]
    labels: UInt8[Tensor, "1 h2 w2"] | None = None
    sketch: UInt8[Tensor, "1 h3 w3"] | None = None
    text: str | None = None


def files_of(suffixes: Mapping[str, str], recipe: Recipe, parts: Parts) -> dict[str, bytes]:
    """Scale, sketch, cut out and encode: the files of each kind in `suffixes`."""
    side = recipe.resolution
    square = pictures.resize(parts.photograph, min(parts.photograph.shape[1:]))
    pixels = pictures.resize(square, side)
    files = {"image": pictures.encode(pixels, recipe.image_format)}
    if parts.text is not None:
        files["text"] = parts.text.encode()
    if "sketch" in suffixes:
        given = parts.sketch
        sketch = sketch_of(square, side) if given is None else pictures.resize(given, side)
        files["sketch"] = pictures.encode(sketch, "png")
    if parts.labels is not None:
        labels = resize_labels(parts.labels, side)
        files["label"] = pictures.encode(labels, "png")
        if "cutout" in suffixes:
            alpha = alpha_of_labels(labels[0], pixels)
            files["cutout"] = pictures.encode(cut_out(pixels, alpha), "png")
    return {kind: files[kind] for kind in suffixes}


def write_captions(recipe: Recipe, checked: Checked, names: Sequence[str]) -> str:
    """One caption a line, from the attributes; which ones depends on (seed, id) alone."""
    assert tuple(names) == ATTRIBUTE_NAMES, "other attributes need a grammar of their own"
    captions = draw_captions(
        torch.tensor(list(checked.attributes), dtype=torch.bool),
        num_captions=recipe.captions_per_image,
        generator=stream(recipe.seed, "captions", checked.id),
    )
    return "".join(f"{caption.text}\n" for caption in captions)
