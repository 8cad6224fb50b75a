"""The prompts of a job as tables, of which row groups are read where they are needed.

prompts.parquet       prompt: 0, 1, ...; text; photograph: its number among photographs.parquet, null for a
                      face of the text; strength; given: of sources, as `sources_of` writes them
quarantine.parquet    row: of the list, from 1; shown: how it begins; reason
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from tedigan.bulk.prompts import Prompt, Rejected
from tedigan.captions.lists import EVERY
from tedigan.errors import StoreError
from tedigan.store.files import finished_folder

PROMPTS, QUARANTINE = "prompts.parquet", "quarantine.parquet"
ROWS_AT_ONCE = 8192  # in a row group, and in memory
_PROMPTS = pa.schema(
    [
        ("prompt", pa.int64()),
        ("text", pa.string()),
        ("photograph", pa.int64()),
        ("strength", pa.float64()),
        ("given", pa.string()),
    ]
)
_QUARANTINE = pa.schema([("row", pa.int64()), ("shown", pa.string()), ("reason", pa.string())])


class Asked(NamedTuple):
    """What an image shall show. photograph: the number of the one that is edited; None = a face of the text.

    given: the sources that a face is made of, "sketch=3 style=7": numbers of photographs.parquet.
    """

    text: str
    photograph: int | None = None
    strength: float = 1.0
    given: str = ""


class Written(NamedTuple):
    """How many rows came to each table."""

    num_prompts: int
    num_rejected: int


def write_prompts(folder: Path, rows: Iterable[Asked | Prompt | Rejected]) -> Written:
    """Write prompts.parquet and quarantine.parquet; `folder` is replaced when both are whole.

    A `Prompt` asks for a face. The rows pass through memory ROWS_AT_ONCE at a time. Equal rows give equal bytes,
    by one version of pyarrow.
    """
    with (
        finished_folder(folder) as fresh,
        _Sheet(fresh / PROMPTS, _PROMPTS) as prompts,
        _Sheet(fresh / QUARANTINE, _QUARANTINE) as quarantine,
    ):
        for row in rows:
            if isinstance(row, Rejected):
                quarantine.add(*row)
                continue
            asked = _face_of(row) if isinstance(row, Prompt) else row
            prompts.add(prompts.num_rows, *asked)
    return Written(prompts.num_rows, quarantine.num_rows)


def _face_of(row: Prompt) -> Asked:
    assert (row.photograph, row.strength) == (EVERY, 1), f"{row} edits; `edits_of` finds what"
    return Asked(row.text)


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
                f"{_PROMPTS.names} in groups of {ROWS_AT_ONCE}. Write it with `write_prompts`."
            )
        return cls(path, footer)

    def __len__(self) -> int:
        """How many prompts there are."""
        return int(self.footer.num_rows)

    def asked(self, start: int, stop: int) -> list[Asked]:
        """The prompts start..stop-1; only the row groups in which they lie are read."""
        assert 0 <= start <= stop <= len(self), f"no prompts {start}..{stop} of {len(self)}"
        groups = range(start // ROWS_AT_ONCE, -(-stop // ROWS_AT_ONCE))
        if start == stop:
            return []
        try:
            with pq.ParquetFile(self.path, metadata=self.footer) as file:
                table = file.read_row_groups(
                    [*groups], columns=list(Asked._fields), use_threads=False
                )
        except (OSError, pa.ArrowException) as error:
            raise StoreError(
                f"{self.path} cannot be read: {error}. Write the prompts again."
            ) from error
        part = table.slice(start - groups.start * ROWS_AT_ONCE, stop - start)
        return [Asked(**row) for row in part.to_pylist()]


class _Sheet:
    """A parquet file that is written a row group at a time, without a date."""

    def __init__(self, path: Path, schema: Any) -> None:
        self.num_rows = 0
        self._rows: list[tuple[Any, ...]] = []
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

    def add(self, *row: Any) -> None:
        self._rows.append(row)
        self.num_rows += 1
        if len(self._rows) == ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        types, rows = self._schema.types, zip(*self._rows, strict=True)
        columns = [pa.array(column, kind) for column, kind in zip(rows, types, strict=False)]
        if columns:
            self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))
        self._rows.clear()
