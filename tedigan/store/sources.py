"""Reads photographs, attributes, identities and masks in the CelebAMask-HQ layout, wherever they lie.

A source is a folder, a .tar, or an s3:// prefix with these names, below any parent folder:

    CelebA-HQ-img/{i}.jpg|.jpeg|.png|.webp      the photographs (or CelebA-HQ-img.tar)
    CelebAMask-HQ-attribute-anno.txt            the 40 attributes
    identity.csv                                idx, identity, partition; optional
    CelebAMask-HQ-mask-anno/*/{i}_{class}.png   one mask a class; optional
    CelebAMask-HQ-mask/{i}.png                  or merged label maps; optional

Numbers may be padded with zeros. A flat folder of {i}.jpg and {i}.png is photographs and label maps.
"""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tedigan.errors import DataError
from tedigan.store.shelves import FolderShelf, Shelf, TarShelf

ATTRIBUTE_FILE = "CelebAMask-HQ-attribute-anno.txt"
IDENTITY_FILE = "identity.csv"
MERGED = ""  # the class name under which a merged label map is found

_PHOTOGRAPH = re.compile(r"(?:^|/)CelebA-HQ-img/0*(\d+)\.(?:jpe?g|png|webp)$")
_MASK = re.compile(r"(?:^|/)CelebAMask-HQ-mask-anno/(?:.*/)?0*(\d+)_(\w+)\.png$")
_MERGED = re.compile(r"(?:^|/)CelebAMask-HQ-mask/0*(\d+)()\.png$")
_FLAT_PHOTOGRAPH = re.compile(r"^0*(\d+)\.(?:jpe?g|webp)$")
_FLAT_MERGED = re.compile(r"^0*(\d+)()\.png$")


@dataclass(frozen=True)
class Place:
    """Where some bytes lie."""

    shelf: Shelf
    name: str

    def read(self) -> bytes:
        """The bytes."""
        return self.shelf.read(self.name)


@dataclass
class Source:
    """What a source holds, by photograph number.

    people: number -> (identity, partition), or None where there is no identity.csv.
    masks: number -> class name -> mask; a merged label map stands under MERGED.
    """

    attribute_text: str
    people: dict[int, tuple[int, str]] | None
    photographs: dict[int, Place] = field(default_factory=dict)
    masks: dict[int, dict[str, Place]] = field(default_factory=dict)


def open_source(uri: str, *, root: Path, open_bucket: Callable[[str], list[Shelf]]) -> Source:
    """List a source. A path is relative to `root`; `open_bucket` opens s3:// prefixes."""
    if uri.startswith("s3://"):
        shelves = open_bucket(uri)
    else:
        shelves = _open_path(root / uri)
    places = [Place(shelf, name) for shelf in shelves for name in shelf.names()]
    by_name = {place.name.rsplit("/", 1)[-1]: place for place in places}
    if ATTRIBUTE_FILE not in by_name:
        raise DataError(
            f"{uri} has no {ATTRIBUTE_FILE}; it is needed for captions. Put it beside CelebA-HQ-img."
        )
    people = None
    if IDENTITY_FILE in by_name:
        people = parse_identities(_text(by_name[IDENTITY_FILE]))
    source = Source(_text(by_name[ATTRIBUTE_FILE]), people)
    _list(source, places)
    if not source.photographs:
        raise DataError(
            f"{uri} has no photographs; expected CelebA-HQ-img/0.jpg and so on. "
            "Name the folder (or .tar) above CelebA-HQ-img."
        )
    return source


def parse_identities(text: str) -> dict[int, tuple[int, str]]:
    """identity.csv: photograph number -> (identity, partition)."""
    reader = csv.DictReader(text.splitlines())
    columns = {"idx", "identity", "partition"}
    if not columns <= set(reader.fieldnames or []):
        raise DataError(
            f"{IDENTITY_FILE} has the columns {reader.fieldnames}; expected {sorted(columns)}. "
            "Write them in its first line."
        )
    people: dict[int, tuple[int, str]] = {}
    for row in reader:
        try:
            number, identity = int(row["idx"]), int(row["identity"])
        except (TypeError, ValueError):
            raise DataError(
                f"{IDENTITY_FILE} line {reader.line_num}: idx {row['idx']!r} and identity "
                f"{row['identity']!r} must be whole numbers. Mend or remove the line."
            ) from None
        if number in people:
            raise DataError(f"{IDENTITY_FILE} names photograph {number} twice. Remove one line.")
        people[number] = identity, row["partition"] or ""
    return people


def _open_path(path: Path) -> list[Shelf]:
    """A folder with the .tar files that it holds, or one .tar."""
    if path.is_file():
        return [TarShelf(path)]
    if not path.is_dir():
        raise DataError(
            f"dataset.source {path} does not exist; expected a folder, a .tar, an s3:// prefix or "
            "`drawn`. Paths are relative to params.yaml."
        )
    return [FolderShelf(path), *map(TarShelf, sorted(path.glob("*.tar")))]


def _list(source: Source, places: list[Place]) -> None:
    """Sort the places into photographs and masks."""
    for place in places:
        if match := _PHOTOGRAPH.search(place.name) or _FLAT_PHOTOGRAPH.search(place.name):
            number = int(match[1])
            if number in source.photographs:
                raise DataError(
                    f"photograph {number} comes twice: {source.photographs[number].name} and "
                    f"{place.name}. Remove one."
                )
            source.photographs[number] = place
        elif match := (
            _MASK.search(place.name)
            or _MERGED.search(place.name)
            or _FLAT_MERGED.search(place.name)
        ):
            source.masks.setdefault(int(match[1]), {})[match[2]] = place


def _text(place: Place) -> str:
    try:
        return place.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{place.name} is not UTF-8 text: {error}. Copy it again.") from error
