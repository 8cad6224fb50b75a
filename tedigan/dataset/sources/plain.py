"""Anyone's own photographs: pictures in a folder, at any depth, with or without a table of attributes.

The table is the one .csv file among them (tedigan.dataset.sources.attribute_tables says what it may hold). Where
a picture {name}.jpg has a {name}.png beside it, that is its label map.

A photograph's id is its number if every name is a number; else its place in the table, then in the
order of names. So photographs that are added at the end leave the ids of the others alone.
"""

import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath

from tedigan.dataset.sources.attribute_tables import AttributeTable, parse_attribute_table
from tedigan.dataset.sources.source import MERGED, SUFFIXES, Item, Place, Source
from tedigan.errors import DataError
from tedigan.store.texts import name_key

_MAX_DIGITS = 15
_LOOSELY = (
    "/"  # before what names are compared by where they differ in form alone; no name begins so
)
_LICENCE = "Not stated by the source. Ask those who took the photographs and those who are on them."


def read_plain(uri: str, places: Mapping[str, Place]) -> Source:
    """The source that these places hold."""
    pictures, maps = _pictures_and_maps(places)
    if not pictures:
        raise DataError(
            f"{uri} has no pictures ({', '.join(sorted(SUFFIXES))}); expected CelebAMask-HQ, "
            "MM-CelebA-HQ or a folder of photographs. Name the folder or .tar that holds them."
        )
    table = _table(uri, places)
    rows = _rows(pictures, table) if table else {}
    ids = _ids(pictures, list(rows))
    of_row = {ids[stem]: row for stem, row in rows.items()}
    return Source(
        layout="pictures",
        licence=_LICENCE,
        items={
            ids[stem]: Item(place, {MERGED: maps[stem]} if stem in maps else {})
            for stem, place in pictures.items()
        },
        kinds=frozenset({"label"} if maps else ()),
        attribute_names=table.names if table else (),
        attributes={id: table.rows[row] for id, row in of_row.items()} if table else None,
        identities=_identities(table, of_row),
        partitions=_partitions(table, of_row),
        notes=_notes(places, table, num_rows=len(rows)),
    )


def _pictures_and_maps(
    places: Mapping[str, Place],
) -> tuple[dict[str, Place], dict[str, Place]]:
    """Name without suffix -> photograph, and -> label map."""
    pictures: dict[str, Place] = {}
    maps: dict[str, Place] = {}
    names = [PurePosixPath(name) for name in sorted(places)]
    names = [name for name in names if name.suffix.lower() in SUFFIXES]
    photographs = {str(name.with_suffix("")) for name in names if name.suffix.lower() != ".png"}
    for name in names:
        stem = str(name.with_suffix(""))
        is_map = name.suffix.lower() == ".png" and stem in photographs
        kind = maps if is_map else pictures
        if stem in kind:
            raise DataError(f"{kind[stem].name} and {name} have one name. Rename one.")
        kind[stem] = places[str(name)]
    return pictures, maps


def _notes(
    places: Mapping[str, Place], table: AttributeTable | None, *, num_rows: int
) -> dict[str, int]:
    """What is left alone: rows without a picture, and files of other kinds."""
    kinds = [PurePosixPath(name).suffix.lower() or "no suffix" for name in places]
    others = sorted(kind for kind in kinds if kind not in {*SUFFIXES, ".csv", ".tar"})
    notes = {f"files that are not read ({', '.join(sorted({*others}))})": len(others)}
    if table is not None:
        notes["rows of the table without a picture"] = len(table.rows) - num_rows
    return {note: count for note, count in notes.items() if count}


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
    for stem, place in pictures.items():
        path = PurePosixPath(place.name)
        words = {stem, str(path), path.name, path.stem}
        for word in words | {_LOOSELY + name_key(word) for word in words}:
            if by_word.setdefault(word, stem) != stem:
                doubtful.add(word)
    rows: dict[str, str] = {}
    for row in table.rows:
        word = row if row in by_word else _LOOSELY + name_key(row)
        stem = by_word.get(word, "")
        if word in doubtful or stem in rows:
            raise DataError(
                f"the table's {row!r} names more than one picture, or one that another row names. "
                "Write its folder and suffix too."
            )
        if stem:
            rows[stem] = row
    return rows


def _ids(pictures: Mapping[str, Place], in_table: list[str]) -> dict[str, int]:
    stems = [PurePosixPath(stem).name for stem in pictures]
    numbers = [int(stem) for stem in stems if stem.isdecimal() and len(stem) <= _MAX_DIGITS]
    if len(numbers) == len(stems) == len(set(numbers)):
        return dict(zip(pictures, numbers, strict=True))
    others = [stem for stem in pictures if stem not in set(in_table)]
    return {stem: id for id, stem in enumerate([*in_table, *others])}


def _identities(table: AttributeTable | None, of_row: Mapping[int, str]) -> dict[int, int] | None:
    """People by number; a name becomes one."""
    if table is None or not table.identities:
        return None
    return {id: _person(table.identities[row]) for id, row in of_row.items()}


def _person(name: str) -> int:
    if name.isdecimal():
        return int(name)
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big")


def _partitions(
    table: AttributeTable | None, of_row: Mapping[int, str]
) -> dict[str, dict[int, str]]:
    if table is None or not table.splits:
        return {}
    return {"published": {id: table.splits[row] for id, row in of_row.items() if table.splits[row]}}
