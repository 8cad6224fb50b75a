"""Lists of prompts: read as a stream, whatever they hold, and kept as a table that is read by row groups.

A row that can be no prompt does not stop the reading; it is set aside with its reason. A folder holds both:

    prompts.parquet       prompt: 0, 1, ... in the order of the list; text
    quarantine.parquet    row: of the list, from 1; shown: how it begins; reason
"""

import codecs
import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from tedigan.captions.lines import MAX_CHARACTERS, check_caption
from tedigan.errors import CaptionError, StoreError
from tedigan.store.addresses import open_bucket
from tedigan.store.files import finished_folder, sha256_file

PROMPTS, QUARANTINE = "prompts.parquet", "quarantine.parquet"
COLUMNS = ("text", "caption", "prompt")  # of a list, the first of them that it has
ROWS_AT_ONCE = 8192  # in a row group, and in memory
SHOWN_CHARACTERS = 80
_LONGEST = 2**16  # bytes of a line that are looked at
_PROMPTS = pa.schema([("prompt", pa.int64()), ("text", pa.string())])
_QUARANTINE = pa.schema([("row", pa.int64()), ("shown", pa.string()), ("reason", pa.string())])


class Prompt(NamedTuple):
    """A text, without outer space, and its row in the list, from 1 (the heading of a CSV is none)."""

    row: int
    text: str


class Rejected(NamedTuple):
    """A row that can be no prompt. shown: its first printable characters. reason: why, and what to do."""

    row: int
    shown: str
    reason: str


class Written(NamedTuple):
    """What came of a list. sha256: of prompts.parquet."""

    num_prompts: int
    num_rejected: int
    sha256: str


def read_prompts(place: str, *, root: Path, cache: Path) -> Iterator[Prompt | Rejected]:
    """Every row of a list in its order, those that repeat another too.

    place: a path relative to `root`, or an s3:// address, whose object is kept in `cache`. A .csv or .parquet has
    a column text, caption or prompt, of which the first counts; any other file is text in UTF-8, a prompt a line.
    A file that is not there is a StoreError at once; one without such a column or without a single prompt, or that
    is not what its name says, is a CaptionError when the reading comes to it.
    """
    address = place if place.startswith("s3://") else str(root / place)
    folder, _, name = address.rpartition("/")
    rows_of = _READERS.get(Path(name).suffix.lower(), _text_rows)
    return _judged(place, rows_of(open_bucket(folder).fetch(name, cache)))


def write_prompts(folder: Path, rows: Iterable[Prompt | Rejected]) -> Written:
    """Write prompts.parquet and quarantine.parquet; `folder` is replaced when both are whole.

    The rows pass through memory ROWS_AT_ONCE at a time. Equal rows give equal bytes, by one version of pyarrow.
    """
    with finished_folder(folder) as fresh:
        with (
            _Sheet(fresh / PROMPTS, _PROMPTS) as prompts,
            _Sheet(fresh / QUARANTINE, _QUARANTINE) as quarantine,
        ):
            for row in rows:
                if isinstance(row, Prompt):
                    prompts.add(prompts.num_rows, row.text)
                else:
                    quarantine.add(*row)
        return Written(prompts.num_rows, quarantine.num_rows, sha256_file(fresh / PROMPTS))


@dataclass(frozen=True)
class PromptTable:
    """A prompts.parquet, of which no more is in memory than its footer; it may be sent to other processes."""

    path: Path
    footer: Any

    @classmethod
    def open(cls, path: Path) -> "PromptTable":
        """The table of a file; a StoreError if it is none that `write_prompts` wrote."""
        try:
            footer = pq.read_metadata(path)
        except (OSError, pa.ArrowException) as error:
            raise StoreError(f"{path} cannot be read: {error}. Write the prompts again.") from error
        sizes = {footer.row_group(i).num_rows for i in range(footer.num_row_groups - 1)}
        if not footer.schema.to_arrow_schema().equals(_PROMPTS) or sizes - {ROWS_AT_ONCE}:
            raise StoreError(
                f"{path} has the columns {footer.schema.names} and row groups of {sorted(sizes)} rows; expected "
                f"prompt and text in groups of {ROWS_AT_ONCE}. Write it with `write_prompts`."
            )
        return cls(path, footer)

    def __len__(self) -> int:
        """How many prompts there are."""
        return int(self.footer.num_rows)

    def texts(self, start: int, stop: int) -> list[str]:
        """The prompts start..stop-1; only the row groups in which they lie are read."""
        assert 0 <= start <= stop <= len(self), f"no prompts {start}..{stop} of {len(self)}"
        groups = range(start // ROWS_AT_ONCE, -(-stop // ROWS_AT_ONCE))
        if start == stop:
            return []
        try:
            with pq.ParquetFile(self.path, metadata=self.footer) as file:
                table = file.read_row_groups([*groups], columns=["text"], use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise StoreError(
                f"{self.path} cannot be read: {error}. Write the prompts again."
            ) from error
        part = table["text"].slice(start - groups.start * ROWS_AT_ONCE, stop - start)
        texts: list[str] = part.to_pylist()
        return texts


class _Row(NamedTuple):
    """What a list holds. misfit: why it is no row of that list, "" if it is one."""

    content: bytes
    misfit: str = ""


def _judged(place: str, rows: Iterator[_Row]) -> Iterator[Prompt | Rejected]:
    """The rows, as prompts where they can be; a CaptionError names the place."""
    why, found = "It is empty; name another list.", False
    try:
        for number, row in enumerate(rows, start=1):
            judged = _judge(number, row)
            if isinstance(judged, Rejected) and number == 1:
                why = f"Of its first row: {judged.reason}"
            found = found or isinstance(judged, Prompt)
            yield judged
    except CaptionError as error:
        raise CaptionError(f"{place}: {error}") from error
    if not found:
        raise CaptionError(f"{place} holds no prompt; expected at least one. {why}")


def _judge(number: int, row: _Row) -> Prompt | Rejected:
    try:
        if row.misfit:
            raise CaptionError(row.misfit)
        return Prompt(number, check_caption(_decoded(row.content)))
    except CaptionError as error:
        printable = filter(str.isprintable, row.content.decode(errors="replace"))
        return Rejected(number, "".join(printable)[:SHOWN_CHARACTERS], str(error))


def _decoded(content: bytes) -> str:
    if len(content) > 4 * MAX_CHARACTERS:  # too long anyhow, and maybe cut within a character
        return content.decode(errors="replace")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise CaptionError(
            f"the text is not UTF-8: {error.reason} at byte {error.start} ({content[error.start]:#x}); "
            "expected plain text. Save it as UTF-8."
        ) from error


def _text_rows(path: Path) -> Iterator[_Row]:
    """The lines, without the mark that Windows puts before the first."""
    with path.open("rb") as file:
        while line := file.readline(_LONGEST):
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = file.readline(_LONGEST)
            yield _Row(line.removeprefix(codecs.BOM_UTF8))


def _csv_rows(path: Path) -> Iterator[_Row]:
    """The cells below the heading that names the column."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            heading = next(reader, [])
            place = heading.index(_column_of(heading))
            for cells in reader:
                is_whole = len(cells) == len(heading)
                content = cells[place] if is_whole else ",".join(cells)
                misfit = "" if is_whole else _misfit(len(cells), len(heading))
                yield _Row(content.encode(errors="surrogateescape"), misfit)
        except csv.Error as error:
            raise CaptionError(
                f"line {reader.line_num} is no CSV: {error}. Put texts that hold commas or quotes between double "
                'quotes ("), close them, and write those within twice.'
            ) from error


def _misfit(num_cells: int, num_columns: int) -> str:
    return (
        f"the row has {num_cells} cells; expected {num_columns}, as the heading has. "
        'Put a text that holds commas between double quotes (").'
    )


def _parquet_rows(path: Path) -> Iterator[_Row]:
    """The values of the column; null is an empty text."""
    try:
        with pq.ParquetFile(path) as file:
            name = _column_of(file.schema_arrow.names)
            for batch in file.iter_batches(ROWS_AT_ONCE, columns=[name]):
                for value in _as_bytes(batch.column(0)).to_pylist():
                    yield _Row(value or b"")
    except (OSError, pa.ArrowException) as error:
        raise CaptionError(f"it is no parquet of texts: {error}. Write it again.") from error


def _as_bytes(column: Any) -> Any:
    """Texts as they were stored, which need not be UTF-8."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        raise CaptionError(
            f"the column holds {column.type}; expected texts (string). Write it as such."
        )
    return column.cast(pa.large_binary())


def _column_of(names: list[str]) -> str:
    """The column that holds the prompts."""
    for name in COLUMNS:
        if name in names:
            return name
    raise CaptionError(
        f"has the columns {names}; expected one of {', '.join(COLUMNS)}. Name that of the prompts so."
    )


_READERS: dict[str, Callable[[Path], Iterator[_Row]]] = {
    ".csv": _csv_rows,
    ".parquet": _parquet_rows,
}


class _Sheet:
    """A parquet file that is written a row group at a time, without a date."""

    def __init__(self, path: Path, schema: Any) -> None:
        self.num_rows = 0
        self._rows: list[tuple[int | str, ...]] = []
        self._path, self._schema = path, schema

    def __enter__(self) -> "_Sheet":
        self._writer = pq.ParquetWriter(
            self._path, self._schema, compression="zstd", use_dictionary=False
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._flush()
        self._writer.close()

    def add(self, *row: int | str) -> None:
        self._rows.append(row)
        self.num_rows += 1
        if len(self._rows) == ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        columns = [pa.array(column) for column in zip(*self._rows, strict=True)]
        if columns:
            self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))
        self._rows.clear()
