"""CelebAMask-HQ as it was published. Names, below any parent folder:

    CelebA-HQ-img/{i}.jpg|.jpeg|.png|.webp      the photographs
    CelebAMask-HQ-attribute-anno.txt            the 40 attributes
    CelebA-HQ-to-CelebA-mapping.txt             which CelebA photograph it is; optional, gives `official`
    identity.csv                                idx, identity, partition; optional, gives `published`
    CelebAMask-HQ-mask-anno/*/{i}_{class}.png   one mask a class; optional
    CelebAMask-HQ-mask/{i}.png                  or merged label maps; optional

Numbers may be padded with zeros. Beside the attribute file, {i}.jpg and {i}.png in one flat folder are
photographs and label maps.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from tedigan.dataset.sources.source import NON_COMMERCIAL, Item, Place, Source, add_once
from tedigan.dataset.splits import celeba_partition
from tedigan.errors import AttributeFileError, DataError
from tedigan.store.texts import lines_of, read_sheet
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES, parse_attributes

ATTRIBUTE_FILE = "CelebAMask-HQ-attribute-anno.txt"
MAPPING_FILE = "CelebA-HQ-to-CelebA-mapping.txt"
IDENTITY_FILE = "identity.csv"

_PHOTOGRAPH = re.compile(r"(?:^|/)CelebA-HQ-img/0*(\d+)\.(?:jpe?g|png|webp)$")
_MASK = re.compile(r"(?:^|/)CelebAMask-HQ-mask-anno/(?:.*/)?0*(\d+)_(\w+)\.png$")
_MERGED = re.compile(r"(?:^|/)CelebAMask-HQ-mask/0*(\d+)()\.png$")
_FLAT_PHOTOGRAPH = re.compile(r"^0*(\d+)\.(?:jpe?g|webp)$")
_FLAT_MERGED = re.compile(r"^0*(\d+)()\.png$")


def is_celebamask(places: Mapping[str, Place]) -> bool:
    """Whether these names are of this layout."""
    return any(_base(name) == ATTRIBUTE_FILE or _PHOTOGRAPH.search(name) for name in places)


def read_celebamask(uri: str, places: Mapping[str, Place]) -> Source:
    """The source that these places hold."""
    tables = read_tables(places)
    if tables.attributes is None:
        raise DataError(
            f"{uri} has no {ATTRIBUTE_FILE}; it is needed for captions. Put it beside CelebA-HQ-img."
        )
    photographs: dict[int, Place] = {}
    masks: dict[int, dict[str, Place]] = {}
    for name, place in places.items():
        if match := _PHOTOGRAPH.search(name) or _FLAT_PHOTOGRAPH.search(name):
            add_once(photographs, int(match[1]), place)
        elif match := _MASK.search(name) or _MERGED.search(name) or _FLAT_MERGED.search(name):
            masks.setdefault(int(match[1]), {})[match[2]] = place
    if not photographs:
        raise DataError(
            f"{uri} has no photographs; expected CelebA-HQ-img/0.jpg and so on. "
            "Name the folder (or .tar) above CelebA-HQ-img."
        )
    return Source(
        layout="CelebAMask-HQ",
        licence=NON_COMMERCIAL,
        items={id: Item(place, masks.get(id, {})) for id, place in photographs.items()},
        kinds=frozenset({"label"} if masks else ()),
        attribute_names=ATTRIBUTE_NAMES,
        attributes=tables.attributes,
        identities=tables.identities,
        partitions=tables.partitions,
    )


def read_tables(places: Mapping[str, Place]) -> Source:
    """What the published tables among these places say, as a source without items."""
    by_base = {_base(name): place for name, place in places.items()}
    attributes, identities = None, None
    partitions: dict[str, dict[int, str]] = {}
    if place := by_base.get(ATTRIBUTE_FILE):
        attributes = _attributes_by_number(place.text())
    if place := by_base.get(IDENTITY_FILE):
        people = parse_identities(place.text())
        identities = {id: identity for id, (identity, _) in people.items()}
        if published := {id: split for id, (_, split) in people.items() if split}:
            partitions["published"] = published
    if place := by_base.get(MAPPING_FILE):
        partitions["official"] = parse_mapping(place.text())
    return Source("", "", {}, frozenset(), ATTRIBUTE_NAMES, attributes, identities, partitions)


def parse_mapping(text: str) -> dict[int, str]:
    """CelebA-HQ-to-CelebA-mapping.txt: photograph number -> CelebA's own partition."""
    partitions: dict[int, str] = {}
    for number, line in enumerate(lines_of(text)[1:], start=2):
        match line.split():
            case [id, _, file] if id.isdecimal() and file.partition(".")[0].isdecimal():
                partitions[int(id)] = celeba_partition(int(file.partition(".")[0]))
            case _:
                raise DataError(
                    f"{MAPPING_FILE} line {number} is {line!r}; expected idx, orig_idx and "
                    "orig_file, such as `0 119613 119614.jpg`. Copy the published file again."
                )
    return partitions


def parse_identities(text: str) -> dict[int, tuple[int, str]]:
    """identity.csv: photograph number -> (identity, partition)."""
    columns = {"idx", "identity", "partition"}
    sheet = read_sheet(text, known=columns)
    if not columns <= set(sheet.columns):
        raise DataError(
            f"{IDENTITY_FILE} has the columns {sheet.columns}; expected {sorted(columns)}. "
            "Write them in its first line."
        )
    people: dict[int, tuple[int, str]] = {}
    for line, row in sheet.records():
        try:
            number, identity = int(row["idx"]), int(row["identity"])
        except (TypeError, ValueError):
            raise DataError(
                f"{IDENTITY_FILE} line {line}: idx {row['idx']!r} and identity "
                f"{row['identity']!r} must be whole numbers. Mend or remove the line."
            ) from None
        if number in people:
            raise DataError(f"{IDENTITY_FILE} names photograph {number} twice. Remove one line.")
        people[number] = identity, row["partition"].strip()
    return people


def _attributes_by_number(text: str) -> dict[int, bytes]:
    """The attribute rows by photograph number; the file may say 7.jpg, 00007.jpg or 7.webp."""
    rows: dict[int, bytes] = {}
    for name, row in parse_attributes(text).items():
        stem = PurePosixPath(name).stem
        if not stem.isdecimal():
            raise AttributeFileError(
                f"the attribute file names {name!r}; expected a number such as 7.jpg. Rename it."
            )
        if int(stem) in rows:
            raise AttributeFileError(
                f"the attribute file has two rows for {int(stem)}. Remove one."
            )
        rows[int(stem)] = bytes(row.tolist())
    return rows


def _base(name: str) -> str:
    return name.rsplit("/", 1)[-1]
