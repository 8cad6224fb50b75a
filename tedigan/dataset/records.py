"""One record of the data set: what was found out about it, and the files that are made of it.

A maker knows its records by id. `check` finds out whether a record can be made, and `make` makes its
files; both depend on the record alone, so that any process may do either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import UInt8
from torch import Tensor

from tedigan.captions.writer import draw_captions
from tedigan.dataset.annotating import Annotators
from tedigan.dataset.folder import KINDS
from tedigan.dataset.kinds.cutouts import alpha_of_labels, cut_out
from tedigan.dataset.kinds.sketches import sketch_of
from tedigan.drawn import describe_face, draw_face
from tedigan.store import pictures
from tedigan.store.files import sha256_value
from tedigan.store.listing import LeftOut
from tedigan.tensors import stream
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES
from tedigan.vocabulary.labels import colours_to_labels, resize_labels

FROM_SOURCE = "source"
WRITTEN, SKETCHED = "written from the attributes", "made from the image"
CUT_OUT = "cut out along the label map"


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
    num_captions: of the source's own. descriptor: float32, of the face; empty where people are known.
    outlines: of what a parser sees and of the source's label map, where the two hardly agree.
    """

    id: int
    key: str
    source_name: str
    source_sha256: str
    identity: int
    attributes: bytes
    hash: bytes = b""
    notes: tuple[str, ...] = ()
    num_captions: int = 0
    descriptor: bytes = b""
    outlines: bytes = b""


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
    partitions: name of a published partition -> id -> split. notes: what was not used -> how many.
    left_out: entries of the source that are no part of a record.
    """

    recipe: Recipe
    annotators: Annotators
    layout: str
    licence: str
    origins: dict[str, str]
    suffixes: dict[str, str]
    attribute_names: tuple[str, ...]
    has_identities: bool
    groups_people: bool
    partitions: Mapping[str, Mapping[int, str]]
    notes: dict[str, int]
    left_out: Sequence[LeftOut]

    def check(self, item: tuple[int, Finding | None]) -> Finding:
        """What there is to know of record `id`; the earlier finding, if it is still true."""
        ...

    def make(self, checked: Checked) -> dict[str, bytes] | Rejected:
        """The files of a record, by kind, or why a model could not make one of them."""
        ...


class DrawnMaker:
    """Draws faces; their ids are their indices."""

    layout = "drawn"
    licence = "Drawn by this project; no person is depicted. Free to use under its licence."
    attribute_names = ATTRIBUTE_NAMES
    has_identities = True
    groups_people = False

    def __init__(self, recipe: Recipe, annotators: Annotators) -> None:
        self.recipe = recipe
        self.annotators = annotators
        self.partitions: Mapping[str, Mapping[int, str]] = {}
        self.notes: dict[str, int] = {}
        self.left_out: Sequence[LeftOut] = ()
        self.origins = {
            "attributes": "drawn",
            "cutout": CUT_OUT,
            "image": "drawn",
            "label": "drawn",
            "sketch": annotators.origins().get("sketch", SKETCHED),
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

    def make(self, checked: Checked) -> dict[str, bytes] | Rejected:
        """The files of a face, which depend on (seed, id) alone."""
        face = draw_face(self.recipe.seed, checked.id)
        side = self.recipe.resolution
        labels = colours_to_labels(pictures.rasterise(face.label_svg, side, is_label=True))
        picture = pictures.rasterise(face.svg, side)
        text = write_captions(self, checked) if "text" in self.suffixes else None
        return files_of(self, Parts(picture, labels[None], text=text))


@dataclass(frozen=True)
class Parts:
    """What the files of a record are made from, each at its own size."""

    photograph: UInt8[Tensor, "3 h w"]
    labels: UInt8[Tensor, "1 h2 w2"] | None = None
    sketch: UInt8[Tensor, "1 h3 w3"] | None = None
    text: str | None = None
    alpha: UInt8[Tensor, "1 h4 w4"] | None = None


def files_of(maker: Maker, parts: Parts) -> dict[str, bytes]:
    """Scale, sketch, cut out and encode: the files of each kind that the maker's records have."""
    side, suffixes = maker.recipe.resolution, maker.suffixes
    square = pictures.resize(parts.photograph, min(parts.photograph.shape[1:]))
    pixels = pictures.resize(square, side)
    files = {"image": pictures.encode(pixels, suffixes["image"])}
    if "text" in suffixes:
        assert parts.text is not None, "captions are wanted, but nobody wrote them"
        files["text"] = parts.text.encode()
    if "sketch" in suffixes:
        sketch = _sketch(square, side, maker.annotators, parts.sketch)
        files["sketch"] = pictures.encode(sketch, suffixes["sketch"])
    labels = None if parts.labels is None else resize_labels(parts.labels, side)
    if "label" in suffixes:
        assert labels is not None, "label maps are wanted, but there are none"
        files["label"] = pictures.encode(labels, suffixes["label"])
    if "cutout" in suffixes:
        if parts.alpha is not None:
            alpha = pictures.resize(parts.alpha, side)[0].float() / 255
        elif labels is not None and maker.origins["cutout"] == CUT_OUT:
            alpha = alpha_of_labels(labels[0], pixels)
        else:
            alpha = maker.annotators.alpha(pixels)
        files["cutout"] = pictures.encode(cut_out(pixels, alpha), suffixes["cutout"])
    return files


def _sketch(
    square: UInt8[Tensor, "3 h w"],
    side: int,
    annotators: Annotators,
    given: UInt8[Tensor, "1 h2 w2"] | None,
) -> UInt8[Tensor, "1 side side"]:
    """The source's own sketch, or one of the photograph."""
    if given is not None:
        return pictures.resize(given, side)
    has_simplifier = annotators.simplifier is not None
    return sketch_of(square, side, simplify=annotators.simplify if has_simplifier else None)


def write_captions(maker: Maker, checked: Checked) -> str:
    """One caption a line, from the attributes; which ones depends on (seed, id) alone."""
    pairs = zip(maker.attribute_names, checked.attributes, strict=True)
    captions = draw_captions(
        {name: bool(value) for name, value in pairs},
        grammar=maker.annotators.grammar,
        num_captions=maker.recipe.captions_per_image,
        generator=stream(maker.recipe.seed, "captions", checked.id),
    )
    return "".join(f"{caption.text}\n" for caption in captions)


def digest_of(maker: Maker) -> str:
    """Of all that a record's files depend on beside its own sources: the recipe, the models, the grammar."""
    made = {kind: maker.origins.get(kind) for kind in ("attributes", *maker.suffixes)}
    recipe = [asdict(maker.recipe), maker.suffixes, made]
    return sha256_value([*recipe, maker.annotators.digest()])
