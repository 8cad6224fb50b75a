"""Anyone's own photographs: pictures in a folder, at any depth, with or without a table of attributes.

The table is the one .csv file among them (tedigan.dataset.sources.attribute_tables says what it may hold). Where
a picture {name}.jpg has a {name}.png beside it that is a label map by its content, that is its own.

A photograph's id is its number if every name is a number; else its place in the table, then in the
order of names. So photographs that are added at the end leave the ids of the others alone.
"""

import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath

from tedigan.dataset.masks import is_label_map
from tedigan.dataset.sources.attribute_tables import AttributeTable, parse_attribute_table
from tedigan.dataset.sources.source import MERGED, Item, Listing, Place, Source, unused
from tedigan.dataset.splits import MAX_IDENTITY
from tedigan.errors import DataError
from tedigan.store.at_once import at_once
from tedigan.store.pictures import SUFFIXES
from tedigan.store.texts import name_key

_MAX_DIGITS = 15
_EXPECTED = "photographs, at most one .csv of attributes, and label maps as PNG"
_LOOSELY = (
    "/"  # before what names are compared by where they differ in form alone; no name begins so
)
_LICENCE = "Not stated by the source. Ask those who took the photographs and those who are on them."


def read_plain(listing: Listing) -> Source:
    """The source that these places hold."""
    places = listing.places
    pictures, maps = _pictures_and_maps(places)
    if not pictures:
        raise listing.lacks(
            f"pictures ({', '.join(sorted(SUFFIXES))})",
            "Expected CelebAMask-HQ, MM-CelebA-HQ or a folder of photographs. Name the folder or .tar that holds "
            "them.",
        )
    table = _table(listing.uri, places)
    rows = _rows(pictures, table) if table else {}
    ids = _ids(pictures, list(rows))
    of_row = {ids[name]: row for name, row in rows.items()}
    tables = [place for name, place in places.items() if name.lower().endswith(".csv")]
    lacking = 0 if table is None else len(table.rows) - len(rows)
    return Source(
        layout="pictures",
        licence=_LICENCE,
        items={
            ids[name]: Item(place, {MERGED: maps[name]} if name in maps else {})
            for name, place in pictures.items()
        },
        kinds=frozenset({"label"} if maps else ()),
        attribute_names=table.names if table else (),
        attributes={id: table.rows[row] for id, row in of_row.items()} if table else None,
        identities=_identities(table, of_row),
        partitions=_partitions(table, of_row),
        notes={"rows of the table without a picture": lacking} if lacking else {},
        left_out=unused(places, [*pictures.values(), *maps.values(), *tables], _EXPECTED),
    )


def _pictures_and_maps(
    places: Mapping[str, Place],
) -> tuple[dict[str, Place], dict[str, Place]]:
    """Name -> photograph, and name of a photograph -> its label map.

    A .png beside the one photograph of its stem is read: it may be that photograph's label map, or another one.
    """
    names = sorted(name for name in places if PurePosixPath(name).suffix.lower() in SUFFIXES)
    photographs: dict[str, list[str]] = {}
    for name in names:
        if not name.lower().endswith(".png"):
            photographs.setdefault(_stem(name), []).append(name)
    doubtful = [
        name
        for name in names
        if name.lower().endswith(".png") and len(photographs.get(_stem(name), [])) == 1
    ]
    found = at_once(lambda name: _is_map(places[name]), doubtful)
    of = {
        photographs[_stem(name)][0]: name
        for name, is_map in zip(doubtful, found, strict=True)
        if is_map
    }
    maps = {name: places[map] for name, map in of.items()}
    taken = set(of.values())
    return {name: places[name] for name in names if name not in taken}, maps


def _is_map(place: Place) -> bool:
    try:
        return is_label_map(place.read(), name=place.name)
    except DataError:
        return False  # a photograph, whose damage will be told


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _table(uri: str, places: Mapping[str, Place]) -> AttributeTable | None:
    tables = sorted(name for name in places if name.lower().endswith(".csv"))
    if len(tables) > 1:
        raise DataError(
            f"{uri} has {len(tables)} tables, {', '.join(tables[:5])}; expected at most one with the "
            "attributes. Leave that one there."
        )
    return parse_attribute_table(places[tables[0]].text()) if tables else None


def _rows(pictures: Mapping[str, Place], table: AttributeTable) -> dict[str, str]:
    """Picture -> its row, in the table's order; a row may name it with or without folder and suffix.

    Where no name is as the row says, one counts that differs in case, Unicode form or slashes alone.
    """
    by_word: dict[str, str] = {}
    doubtful: set[str] = set()
    for name in pictures:
        path = PurePosixPath(name)
        words = {_stem(name), name, path.name, path.stem}
        for word in words | {_LOOSELY + name_key(word) for word in words}:
            if by_word.setdefault(word, name) != name:
                doubtful.add(word)
    rows: dict[str, str] = {}
    for row in table.rows:
        word = row if row in by_word else _LOOSELY + name_key(row)
        name = by_word.get(word, "")
        if word in doubtful or name in rows:
            raise DataError(
                f"the table's {row!r} names more than one picture, or one that another row names. "
                "Write its folder and suffix too."
            )
        if name:
            rows[name] = row
    return rows


def _ids(pictures: Mapping[str, Place], in_table: list[str]) -> dict[str, int]:
    stems = [PurePosixPath(name).stem for name in pictures]
    numbers = [int(stem) for stem in stems if stem.isdecimal() and len(stem) <= _MAX_DIGITS]
    if len(numbers) == len(stems) == len(set(numbers)):
        return dict(zip(pictures, numbers, strict=True))
    tabled = set(in_table)
    others = [name for name in pictures if name not in tabled]
    return {name: id for id, name in enumerate([*in_table, *others])}


def _identities(table: AttributeTable | None, of_row: Mapping[int, str]) -> dict[int, int] | None:
    """People by number; a name becomes one, and so does a number that does not fit."""
    if table is None or not table.identities:
        return None
    return {id: _person(table.identities[row], id) for id, row in of_row.items()}


def _person(name: str, id: int) -> int:
    """An empty cell is somebody of whom nothing is known: below 0, and nobody else."""
    if not name:
        return -1 - id
    if name.isdecimal() and len(name) < len(str(MAX_IDENTITY)):
        return int(name)
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big")


def _partitions(
    table: AttributeTable | None, of_row: Mapping[int, str]
) -> dict[str, dict[int, str]]:
    if table is None or not table.splits:
        return {}
    return {"published": {id: table.splits[row] for id, row in of_row.items() if table.splits[row]}}
