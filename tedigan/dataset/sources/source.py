"""What a source of photographs is, whatever its layout: items, and what is known of each.

A source is a folder, a .tar, a photograph, an s3:// prefix or an s3:// .tar. Each layout has a module that turns
a list of places into a `Source`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TypeVar

from tedigan.errors import DataError
from tedigan.store.addresses import TAR, open_shelves
from tedigan.store.listing import NOT_READ, LeftOut
from tedigan.store.pictures import SUFFIXES
from tedigan.store.shelves import Shelf
from tedigan.store.texts import decode

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
    cutout: Place | None = None

    def places(self) -> Iterator[Place]:
        """All of them, in a fixed order."""
        yield self.photograph
        yield from (self.masks[name] for name in sorted(self.masks))
        yield from (place for place in (self.sketch, self.text, self.cutout) if place is not None)


@dataclass(frozen=True)
class Source:
    """Photographs by id, and the tables that speak of them.

    kinds: what it brings beside the image (text, sketch, label); each item should have it.
    attributes: id -> one byte each, 1 = yes, columns as in attribute_names; None without a table.
    identities: id -> person; None where the source does not say.
    partitions: name of a partition (published, official) -> id -> train, val or test.
    notes: what was found and not used -> how many. left_out: each entry of the place that is not used, by name.
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
    left_out: list[LeftOut] = field(default_factory=list)


@dataclass(frozen=True)
class Listing:
    """Every entry of a place: what it offers, by name, and what it does not."""

    uri: str
    places: dict[str, Place]
    left_out: list[LeftOut]

    def lacks(self, what: str, advice: str) -> DataError:
        """The error of a place without photographs, which names an entry that may be why."""
        faults = [one for one in self.left_out if one.is_fault]
        why = f" Not used: {faults[0].reason}" if faults else ""
        more = f" ({len(faults) - 1} more are not used)" if len(faults) > 1 else ""
        return DataError(f"{self.uri} has no {what}.{why}{more} {advice}")


def list_places(uri: str, *, root: Path, cache: Path) -> Listing:
    """Every entry of a source. A path is relative to `root`; objects are kept in `cache`."""
    is_path = not uri.startswith("s3://")
    if is_path and not (root / uri).exists():
        raise DataError(
            f"dataset.source {root / uri} does not exist; expected a folder, a .tar, a photograph, an s3:// "
            "prefix or `drawn`. Paths are relative to params.yaml."
        )
    address = str(root / uri) if is_path else uri
    outer, *tars = open_shelves(address, cache=cache, alone=SUFFIXES)
    places: dict[str, Place] = {}
    for shelf in (outer, *tars):
        for name in shelf.names():
            if name in places:
                raise DataError(
                    f"{uri} has {name} twice: in two .tar files, or in one and beside it. Remove one."
                )
            if not (tars and shelf is outer and name.lower().endswith(TAR)):
                places[name] = Place(shelf, name)
    return Listing(uri, places, [one for shelf in (outer, *tars) for one in shelf.left_out()])


_Key = TypeVar("_Key")


def only_once(found: Mapping[_Key, list[Place]]) -> tuple[dict[_Key, Place], list[LeftOut]]:
    """Those of which there is one; where there are several, nobody can tell which is meant: all are left out."""
    once = {key: places[0] for key, places in found.items() if len(places) == 1}
    several = [[place.name for place in places] for places in found.values() if len(places) > 1]
    return once, [_twice(name, names) for names in several for name in names]


def unused(
    places: Mapping[str, Place], used: Iterable[Place], expected: str, *, strict_below: str = ""
) -> list[LeftOut]:
    """Each place that is not used, with its reason. expected: what this layout reads, in words.

    strict_below: names of folders, `|` between them, in which everything should be used.
    """
    names = {place.name for place in used}
    strict = set(strict_below.split("|"))
    return [_unused(name, expected, strict) for name in places if name not in names]


_HEIC = {".heic", ".heif", ".hif"}
_RAW = {".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"}
_PACKED = {".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", TAR}


def _unused(name: str, expected: str, strict: set[str]) -> LeftOut:
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in _HEIC:
        return LeftOut(
            name, "HEIC", f"{name} is a HEIC picture, which is not read. Save it as JPEG or PNG."
        )
    if suffix in _RAW:
        return LeftOut(
            name, "raw", f"{name} is a camera's raw picture, which is not read. Develop it as JPEG."
        )
    if suffix in _PACKED:
        return LeftOut(
            name, "packed", f"{name} is packed within the source, and not read. Unpack it there."
        )
    if strict & set(name.split("/")[:-1]):
        return LeftOut(
            name,
            "name",
            f"{name} has a name that is not read there; expected {expected}. Rename it.",
        )
    return LeftOut(name, NOT_READ, f"{name} is no file of this layout, which has {expected}.")


def _twice(name: str, names: list[str]) -> LeftOut:
    others = ", ".join(other for other in names if other != name)
    return LeftOut(
        name, "twice", f"{name} comes twice: {others} is of the same number. Remove one."
    )


def orphans(found: Mapping[int, Iterable[Place]], photographs: Iterable[int]) -> list[LeftOut]:
    """What belongs to a photograph that is not there, or comes twice."""
    there = set(photographs)
    return [
        LeftOut(
            place.name,
            "no photograph",
            f"{place.name} belongs to photograph {id}, which is not there, or twice. Mend that, or remove this.",
        )
        for id, places in found.items()
        if id not in there
        for place in places
    ]
