"""index.parquet: one row a record, in the order of ids, with the place of each of its files.

id, split, identity, source_name
source_sha256           of the photograph's bytes as they came; null where it was drawn
attributes              a struct of one boolean an attribute; absent where nothing is known
shard                   number of the shard
{kind}_offset, {kind}_size      where the file of this kind lies in the shard, in bytes
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Bool, Int64

from tedigan.errors import DataError
from tedigan.store.shards import Shard, Span


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one record. attributes: one byte each, 1 = yes.

    source_sha256: "" where there was no file.
    """

    id: int
    split: str
    identity: int
    source_name: str
    source_sha256: str
    attributes: bytes


def write_index(
    path: Path,
    rows: Sequence[Row],
    *,
    attribute_names: Sequence[str],
    kinds: Sequence[str],
    shards: Mapping[int, Shard],
) -> None:
    """Write the table; shards (by number) hold exactly the records of `rows`."""
    places = {id: (number, spans) for number, s in shards.items() for id, spans in s.spans.items()}
    assert places.keys() == {row.id for row in rows}, "shards and index differ"
    columns = {
        "id": pa.array([row.id for row in rows], pa.int64()),
        "split": pa.array([row.split for row in rows], pa.string()),
        "identity": pa.array([row.identity for row in rows], pa.int64()),
        "source_name": pa.array([row.source_name for row in rows], pa.string()),
        "source_sha256": pa.array([row.source_sha256 or None for row in rows], pa.string()),
    }
    if attribute_names:
        columns["attributes"] = _attributes_column(rows, attribute_names)
    columns["shard"] = pa.array([places[row.id][0] for row in rows], pa.int32())
    for kind in kinds:
        spans = [places[row.id][1][kind] for row in rows]
        columns[f"{kind}_offset"] = pa.array([span.offset for span in spans], pa.int64())
        columns[f"{kind}_size"] = pa.array([span.size for span in spans], pa.int64())
    pq.write_table(pa.table(columns), path, compression="zstd")


class Index:
    """The table in memory, by columns."""

    def __init__(self, table: pa.Table, *, attribute_names: Sequence[str]) -> None:
        self._table = table
        self.ids: list[int] = table["id"].to_pylist()
        self.splits: list[str] = table["split"].to_pylist()
        self.identities: Int64[np.ndarray, " n"] = table["identity"].to_numpy()
        self._shards = table["shard"].to_numpy()
        self.attributes = self._read_attributes(attribute_names)

    @classmethod
    def read(cls, path: Path, *, attribute_names: Sequence[str]) -> "Index":
        """Read the file; OSError, ValueError or KeyError if it is not what it should be."""
        return cls(pq.ParquetFile(path).read(), attribute_names=attribute_names)

    @cached_property
    def source_names(self) -> list[str]:
        """Where each record came from."""
        names: list[str] = self._table["source_name"].to_pylist()
        return names

    @cached_property
    def source_sha256(self) -> list[str | None]:
        """Of each photograph's bytes as they came."""
        digests: list[str | None] = self._table["source_sha256"].to_pylist()
        return digests

    @cached_property
    def _spans(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        kinds = [n.removesuffix("_size") for n in self._table.column_names if n.endswith("_size")]
        return {
            kind: (
                self._table[f"{kind}_offset"].to_numpy(),
                self._table[f"{kind}_size"].to_numpy(),
            )
            for kind in kinds
        }

    def place(self, row: int, kind: str) -> tuple[int, Span]:
        """The shard's number and the place in it of a record's file."""
        offsets, sizes = self._spans[kind]
        return int(self._shards[row]), Span(int(offsets[row]), int(sizes[row]))

    def sizes(self) -> dict[str, int]:
        """Kind -> bytes of all its files."""
        return {kind: int(sizes.sum()) for kind, (_, sizes) in self._spans.items()}

    def rows_of_shards(self) -> dict[int, list[int]]:
        """Shard number -> the rows that lie in it."""
        rows: dict[int, list[int]] = {}
        for row, number in enumerate(self._shards.tolist()):
            rows.setdefault(number, []).append(row)
        return rows

    def _read_attributes(self, names: Sequence[str]) -> Bool[np.ndarray, "n k"]:
        if not names:
            return np.zeros((len(self.ids), 0), bool)
        struct = self._table["attributes"].combine_chunks()
        columns = [struct.field(name).to_numpy(zero_copy_only=False) for name in names]
        return np.stack(columns, axis=1)


def _attributes_column(rows: Sequence[Row], names: Sequence[str]) -> pa.Array:
    values = np.frombuffer(b"".join(row.attributes for row in rows), np.uint8)
    table = values.reshape(len(rows), len(names)).astype(bool)
    columns = [pa.array(table[:, place]) for place in range(len(names))]
    return pa.StructArray.from_arrays(columns, names=list(names))


def check_ids(ids: Sequence[int], announced: int) -> None:
    """DataError if the index is not of this many records in rising order of ids."""
    if len(ids) != announced:
        raise DataError(
            f"index.parquet has {len(ids)} rows, dataset.json announces {announced}. "
            "Make the data set again."
        )
    if any(after <= before for before, after in pairwise(ids)):
        raise DataError("index.parquet is not in the order of ids. Make the data set again.")
