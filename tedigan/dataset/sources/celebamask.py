"""CelebAMask-HQ as it was published. Names, below any parent folder:

    CelebA-HQ-img/{i}.jpg                       the photographs, of any suffix of pictures
    CelebAMask-HQ-attribute-anno.txt            the 40 attributes
    CelebA-HQ-to-CelebA-mapping.txt             which CelebA photograph it is; optional, gives `official`
    identity.csv                                idx, identity, partition; optional, gives `published`
    CelebAMask-HQ-mask-anno/*/{i}_{class}.png   one mask a class; optional
    CelebAMask-HQ-mask/{i}.png                  or merged label maps; optional

Numbers may be padded with zeros, suffixes be in capitals. Beside the attribute file, {i}.jpg and {i}.png in one
flat folder are photographs and label maps.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from tedigan.dataset.sources.source import (
    MERGED,
    NON_COMMERCIAL,
    Item,
    Listing,
    Place,
    Source,
    only_once,
    orphans,
    unused,
)
from tedigan.dataset.splits import MAX_IDENTITY, celeba_partition
from tedigan.errors import AttributeFileError, DataError
from tedigan.store.listing import NOT_READ, LeftOut
from tedigan.store.pictures import SUFFIXES
from tedigan.store.texts import lines_of, read_sheet
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES, parse_attributes

ATTRIBUTE_FILE = "CelebAMask-HQ-attribute-anno.txt"
MAPPING_FILE = "CelebA-HQ-to-CelebA-mapping.txt"
IDENTITY_FILE = "identity.csv"
_TABLES = (ATTRIBUTE_FILE, MAPPING_FILE, IDENTITY_FILE)

_NUMBER = r"0*(\d{1,15})"  # more digits are no number of a photograph
_SUFFIX = rf"\.(?:{'|'.join(sorted(one[1:] for one in SUFFIXES))})$"
_PHOTOGRAPH = re.compile(rf"(?:^|/)CelebA-HQ-img/{_NUMBER}{_SUFFIX}", re.IGNORECASE)
_MASK = re.compile(rf"(?:^|/)CelebAMask-HQ-mask-anno/(?:.*/)?{_NUMBER}_(\w+)\.png$", re.IGNORECASE)
_MERGED = re.compile(rf"(?:^|/)CelebAMask-HQ-mask/{_NUMBER}()\.png$", re.IGNORECASE)
_FLAT_PHOTOGRAPH = re.compile(rf"^{_NUMBER}(?!\.png){_SUFFIX}", re.IGNORECASE)
_FLAT_MERGED = re.compile(rf"^{_NUMBER}()\.png$", re.IGNORECASE)
_STRICT = "CelebA-HQ-img|CelebAMask-HQ-mask-anno|CelebAMask-HQ-mask"
_EXPECTED = "CelebA-HQ-img/0.jpg, CelebAMask-HQ-mask-anno/0/00000_skin.png, CelebAMask-HQ-mask/0.png and so on"


def is_celebamask(places: Mapping[str, Place]) -> bool:
    """Whether these names are of this layout."""
    return any(_base(name) == ATTRIBUTE_FILE or _PHOTOGRAPH.search(name) for name in places)


def read_celebamask(listing: Listing) -> Source:
    """The source that these places hold."""
    places = listing.places
    tables, table_places = read_tables(places)
    if tables.attributes is None:
        raise DataError(
            f"{listing.uri} has no {ATTRIBUTE_FILE}; it is needed for captions. Put it beside CelebA-HQ-img."
        )
    photographs: dict[int, list[Place]] = {}
    found: dict[tuple[int, str], list[Place]] = {}
    for name, place in places.items():
        if match := _PHOTOGRAPH.search(name) or _FLAT_PHOTOGRAPH.search(name):
            photographs.setdefault(int(match[1]), []).append(place)
        elif match := _MASK.search(name) or _MERGED.search(name) or _FLAT_MERGED.search(name):
            found.setdefault((int(match[1]), match[2]), []).append(place)
    once, twice = only_once(photographs)
    if not photographs:
        raise listing.lacks(
            "photographs",
            "Expected CelebA-HQ-img/0.jpg and so on. Name the folder (or .tar) above CelebA-HQ-img.",
        )
    masks, strange = _masks_by_photograph(found)
    lost = orphans({id: of.values() for id, of in masks.items()}, once)
    files = [one for several in (*photographs.values(), *found.values()) for one in several]
    return Source(
        layout="CelebAMask-HQ",
        licence=NON_COMMERCIAL,
        items={id: Item(place, masks.get(id, {})) for id, place in once.items()},
        kinds=frozenset({"label"} if masks else ()),
        attribute_names=ATTRIBUTE_NAMES,
        attributes=tables.attributes,
        identities=tables.identities,
        partitions=tables.partitions,
        left_out=[
            *twice,
            *strange,
            *lost,
            *unused(places, [*table_places, *files], _EXPECTED, strict_below=_STRICT),
        ],
    )


def _masks_by_photograph(
    found: Mapping[tuple[int, str], list[Place]],
) -> tuple[dict[int, dict[str, Place]], list[LeftOut]]:
    """Photograph -> its masks by class. A photograph of which a class comes twice has none."""
    once, left_out = only_once(found)
    masks: dict[int, dict[str, Place]] = {}
    for (id, name), place in once.items():
        masks.setdefault(id, {})[name] = place
    for id in {id for id, _ in found.keys() - once.keys()} & masks.keys():
        left_out += [
            _beside(place, "another class of it comes twice") for place in masks.pop(id).values()
        ]
    for of in masks.values():
        if MERGED in of:
            left_out += [
                _beside(of.pop(name), "its merged map is read") for name in [*of] if name != MERGED
            ]
    return masks, left_out


def _beside(place: Place, why: str) -> LeftOut:
    return LeftOut(place.name, NOT_READ, f"{place.name} is a mask that is not read, as {why}.")


def read_tables(places: Mapping[str, Place]) -> tuple[Source, list[Place]]:
    """What the published tables among these places say, as a source without items; and where they lie."""
    tables = [place for name, place in places.items() if _base(name) in _TABLES]
    by_base = {_base(place.name): place for place in tables}
    if len(by_base) < len(tables):
        names = ", ".join(place.name for place in tables)
        raise DataError(f"the source has one table twice: {names}; expected each once. Remove one.")
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
    kinds = frozenset[str]()
    return Source("", "", {}, kinds, ATTRIBUTE_NAMES, attributes, identities, partitions), tables


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
        if not 0 <= identity < MAX_IDENTITY:
            raise DataError(
                f"{IDENTITY_FILE} line {line}: identity {identity} is not from 0 to {MAX_IDENTITY - 1}."
                " Number the people anew."
            )
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
