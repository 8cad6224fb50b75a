"""What a source of photographs is, whatever its layout: items, and what is known of each.

A source is a folder, a .tar, a photograph, an s3:// prefix or an s3:// .tar. Each layout has a module that turns
a list of places into a `Source`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tedigan.errors import DataError
from tedigan.store.addresses import open_shelves
from tedigan.store.shelves import Shelf
from tedigan.store.texts import decode

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})  # of photographs
MERGED = ""  # the class name under which a merged label map is found
NON_COMMERCIAL = (
    "CelebAMask-HQ: non-commercial research and education only (MMLab, CUHK). Do not redistribute."
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where some bytes lie."""

    shelf: Shelf
    name: str

    def read(self) -> bytes:
        """The bytes."""
        return self.shelf.read(self.name)

    def text(self) -> str:
        """The bytes as text, which is UTF-8 or marked UTF-16."""
        return decode(self.read(), self.name)


@dataclass(frozen=True, slots=True)
class Item:
    """The files of one photograph. masks: by class, or one merged label map under MERGED."""

    photograph: Place
    masks: Mapping[str, Place] = field(default_factory=dict)
    sketch: Place | None = None
    text: Place | None = None

    def places(self) -> Iterator[Place]:
        """All of them, in a fixed order."""
        yield self.photograph
        yield from (self.masks[name] for name in sorted(self.masks))
        yield from (place for place in (self.sketch, self.text) if place is not None)


@dataclass(frozen=True)
class Source:
    """Photographs by id, and the tables that speak of them.

    kinds: what it brings beside the image (text, sketch, label); each item should have it.
    attributes: id -> one byte each, 1 = yes, columns as in attribute_names; None without a table.
    identities: id -> person; None where the source does not say.
    partitions: name of a partition (published, official) -> id -> train, val or test.
    notes: what was found and not used -> how many.
    """

    layout: str
    licence: str
    items: dict[int, Item]
    kinds: frozenset[str] = frozenset()
    attribute_names: tuple[str, ...] = ()
    attributes: dict[int, bytes] | None = None
    identities: dict[int, int] | None = None
    partitions: dict[str, dict[int, str]] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)


def list_places(uri: str, *, root: Path, cache: Path) -> dict[str, Place]:
    """Every file of a source by its name. A path is relative to `root`; objects are kept in `cache`."""
    is_path = not uri.startswith("s3://")
    if is_path and not (root / uri).exists():
        raise DataError(
            f"dataset.source {root / uri} does not exist; expected a folder, a .tar, a photograph, an s3:// "
            "prefix or `drawn`. Paths are relative to params.yaml."
        )
    address = str(root / uri) if is_path else uri
    shelves = open_shelves(address, cache=cache, alone=SUFFIXES)
    places: dict[str, Place] = {}
    for shelf in shelves:
        for name in shelf.names():
            if name in places:
                raise DataError(
                    f"{uri} has {name} twice: in two .tar files, or in one and beside it. Remove one."
                )
            places[name] = Place(shelf, name)
    return places


def add_once(items: dict[int, Place], id: int, place: Place) -> None:
    """Put a photograph under its number; two of one number are a DataError."""
    if id in items:
        raise DataError(
            f"photograph {id} comes twice: {items[id].name} and {place.name}. Remove one."
        )
    items[id] = place
