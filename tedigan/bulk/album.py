"""The photographs that a job edits: found and counted when it is planned, read again by whoever draws.

    photographs.parquet   photograph: 0, 1, ... by name; name; sha256

They stay where they are: a folder, a .tar, a data set's folder, or an s3:// prefix. One that is gone, or is not
what was planned, or is no picture, costs its own edits and no others.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import UInt8
from torch import Tensor

from tedigan.bulk.prompt_table import Asked
from tedigan.bulk.prompts import Prompt, Rejected
from tedigan.captions.lists import EVERY
from tedigan.errors import DataError
from tedigan.progress import note, progress
from tedigan.store import pictures
from tedigan.store.addresses import open_shelves
from tedigan.store.at_once import at_once
from tedigan.store.files import write_bytes
from tedigan.store.pictures import SUFFIXES
from tedigan.store.shelves import Shelf
from tedigan.store.texts import name_key

PHOTOGRAPHS = "photographs.parquet"
NUM_SHOWN = 3  # of the photographs that share a name
OF_DATASETS = ".image"  # before the suffix of a photograph among a data set's other files
_SCHEMA = pa.schema([("photograph", pa.int64()), ("name", pa.string()), ("sha256", pa.string())])


@dataclass(frozen=True)
class Album:
    """Photographs by number. place: as the plan names it, or where they lie on this machine. cache: for what lies
    elsewhere.
    """

    place: str
    names: Sequence[str]
    sha256: Sequence[str]
    cache: Path

    @classmethod
    def read(cls, table: Path, place: str, cache: Path) -> "Album":
        """Of a job's own table."""
        found = pq.ParquetFile(table).read()
        return cls(place, found["name"].to_pylist(), found["sha256"].to_pylist(), cache)

    def check(self) -> None:
        """A DataError where none of the photographs lie: then it is the place that is wrong."""
        if not any(name in self._shelves for name in self.names):
            raise DataError(
                f"{self.place} has none of the {len(self.names):,} photographs that the plan names, such as "
                f"{self.names[0]}; expected them there. Mount it, or say with --photographs where they lie here."
            )

    def pixels(self, photograph: int, size_px: int) -> UInt8[Tensor, "3 r r"]:
        """One photograph at the generator's size; a DataError if it is not the one that was planned."""
        content = self._content(photograph)
        return pictures.resize(pictures.decode(content, name=self.names[photograph]), size_px)

    def file(self, photograph: int) -> Path:
        """One picture as a file of this machine, kept by its content; a DataError as of `pixels`."""
        content = self._content(photograph)
        path = self.cache / self.sha256[photograph] / Path(self.names[photograph]).name
        if not path.is_file():
            write_bytes(path, content)
        return path

    def _content(self, photograph: int) -> bytes:
        name = self.names[photograph]
        content = self._shelf_of(name).read(name)
        found, planned = hashlib.sha256(content).hexdigest(), self.sha256[photograph]
        if found != planned:
            raise DataError(
                f"{name} has sha256 {found[:12]}, and the plan was made for "
                f"{planned[:12] or 'one that could not be read'}; it was changed after planning. Put it back, or "
                "plan its images again."
            )
        return content

    @cached_property
    def _shelves(self) -> dict[str, Shelf]:
        return _shelves_of(self.place, self.cache)

    def _shelf_of(self, name: str) -> Shelf:
        if name not in self._shelves:
            raise DataError(
                f"{self.place} has no {name}, which the plan names; expected it there. Put it back, or plan its "
                "images again."
            )
        return self._shelves[name]


def find_photographs(place: str, table: Path, cache: Path) -> Album:
    """Every picture there, by name, with the sha256 of its file, "" where it cannot be read; `table` is written.

    A place without a picture is a DataError; a folder or bucket that is not there too.
    """
    shelves = _shelves_of(place, cache)
    if not shelves:
        raise DataError(
            f"{place} holds no picture ({', '.join(sorted(SUFFIXES))}); expected a folder, a .tar, a data set or "
            "an s3:// prefix of aligned faces. Name one."
        )
    names = sorted(shelves)

    def digest_of(name: str) -> str:
        return _digest(shelves[name], name)

    found = at_once(digest_of, names)
    digests = list(progress(found, total=len(names), desc="photographs", unit="photograph"))
    columns = [pa.array(range(len(names)), pa.int64()), pa.array(names), pa.array(digests)]
    pq.write_table(pa.Table.from_arrays(columns, schema=_SCHEMA), table, compression="zstd")
    return Album(place, names, digests, cache)


def edits_of(rows: Iterable[Prompt | Rejected], names: Sequence[str]) -> Iterator[Asked | Rejected]:
    """Each photograph with every row that names it, photograph by photograph; then the rows that name none.

    A row names a photograph as it is called, or without folders and suffix where that is one's alone, or `*`.
    """
    numbers_of = _numbers(names)
    of_each, of_one, wrong = list[Prompt](), dict[int, list[Prompt]](), list[Rejected]()
    for row in rows:
        if isinstance(row, Rejected):
            wrong.append(row)
        elif row.photograph == EVERY:
            of_each.append(row)
        elif len(found := _called(numbers_of, row.photograph)) == 1:
            of_one.setdefault(found[0], []).append(row)
        else:
            reason = _why_none(row.photograph, names, found)
            wrong.append(Rejected(row.row, row.text[:80], reason))
    for number in range(len(names)):
        for row in sorted([*of_each, *of_one.get(number, [])]):
            yield Asked(row.text, number, row.strength)
    yield from wrong


def find_name(names: Sequence[str]) -> Callable[[str], int]:
    """What a picture is called -> its number, as `edits_of` finds it; a DataError for a name that is no one's."""
    numbers_of = _numbers(names)

    def find(called: str) -> int:
        found = _called(numbers_of, called)
        if len(found) != 1:
            raise DataError(_why_none(called, names, found))
        return found[0]

    return find


def _why_none(called: str, names: Sequence[str], found: Sequence[int]) -> str:
    """Why a name is no one photograph's. found: the numbers of those that share it."""
    if not found:
        return (
            f"no photograph is called {called[:80]!r}; expected one of {len(names)}, such as {names[0]!r}, "
            "or * for each. Mend the name."
        )
    shown = ", ".join(repr(names[number]) for number in found[:NUM_SHOWN])
    more = f" and {len(found) - NUM_SHOWN:,} more" if len(found) > NUM_SHOWN else ""
    return (
        f"{called[:80]!r} is ambiguous, {len(found):,} photographs are called so: {shown}{more}; expected "
        "the name of one. Write it whole, with folders and suffix."
    )


def _digest(shelf: Shelf, name: str) -> str:
    """The sha256 of a file; "" of one that cannot be read, which costs its own edits."""
    try:
        return hashlib.sha256(shelf.read(name)).hexdigest()
    except DataError:
        return ""


def _numbers(names: Sequence[str]) -> dict[str, list[int]]:
    """What a photograph may be called -> its number, or those of all that share a short name."""
    stems: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        short = {PurePosixPath(name).name, _stem(name)}
        for one in {*short, *map(name_key, {name, *short})} - {name}:
            stems.setdefault(one, []).append(number)
    return stems | {name: [number] for number, name in enumerate(names)}


def _called(numbers_of: Mapping[str, list[int]], name: str) -> list[int]:
    """Those that are called so; else those whose names differ in case, Unicode form or slashes alone."""
    return numbers_of.get(name) or numbers_of.get(name_key(name), [])


def _stem(name: str) -> str:
    return PurePosixPath(name).stem.removesuffix(OF_DATASETS)


def _shelves_of(place: str, cache: Path) -> dict[str, Shelf]:
    """Name of a picture -> the shelf that it lies on."""
    found = dict[str, Shelf]()
    for shelf in open_shelves(place, cache=cache, alone=SUFFIXES, keeps=False):
        names = [one for one in shelf.names() if PurePosixPath(one).suffix.lower() in SUFFIXES]
        if doubled := found.keys() & set(names):
            raise DataError(
                f"{place} has {len(doubled):,} names twice, such as {min(doubled)}, in a .tar and beside it or in "
                "two; expected one photograph of each name. Rename one, or name one .tar."
            )
        found |= dict.fromkeys(names, shelf)
        for one in shelf.left_out():
            if one.is_fault:
                note(f"not used: {one.reason}")
    of_dataset = {
        name: shelf for name, shelf in found.items() if _stem(name) != PurePosixPath(name).stem
    }
    return of_dataset or found
