"""Which pictures of a job look the same: found over all shards when the job is sealed."""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tedigan.bulk.commit import Commit
from tedigan.bulk.ledger import Ledger
from tedigan.dataset.duplicates import find_duplicates
from tedigan.progress import progress
from tedigan.store.at_once import at_once

REPEATS = "repeats.parquet"
_SCHEMA = pa.schema([("image", pa.int64()), ("repeats", pa.int64())])


def find_repeats(ledger: Ledger, commits: list[Commit]) -> pa.Table:
    """The images that are near duplicates of an earlier one, and of which; 32 bytes an image are in memory."""
    images, hashes = list[np.ndarray](), list[np.ndarray]()
    with tempfile.TemporaryDirectory() as cache:

        def fetched(commit: Commit) -> Path:
            return ledger.piece(commit.table, ".parquet", Path(cache))

        tables = at_once(fetched, commits)
        for path in progress(tables, desc="seal", unit="shard", total=len(commits)):
            table = pq.ParquetFile(path).read(["image", "hash"]).drop_null()
            images.append(table["image"].to_numpy())
            joined = b"".join(table["hash"].to_pylist())
            hashes.append(np.frombuffer(joined, np.uint8).reshape(-1, 32))
    numbers, table = np.concatenate(images), np.concatenate(hashes)
    pairs = [(numbers[row], numbers[of]) for row, of in sorted(find_duplicates(table).items())]
    columns = [pa.array([pair[side] for pair in pairs], pa.int64()) for side in (0, 1)]
    return pa.Table.from_arrays(columns, schema=_SCHEMA)


def read_repeats(ledger: Ledger) -> dict[int, int]:
    """Image -> the earlier one that it repeats; empty while the job is not sealed."""
    if not ledger.bucket.exists(REPEATS):
        return {}
    found = pq.ParquetFile(pa.BufferReader(ledger.bucket.read(REPEATS))).read().to_pydict()
    return dict(zip(found["image"], found["repeats"], strict=True))


def write_repeats(ledger: Ledger, found: pa.Table) -> None:
    """Beside the seal."""
    sink = pa.BufferOutputStream()
    pq.write_table(found, sink, compression="zstd")
    ledger.bucket.write(REPEATS, sink.getvalue().to_pybytes())
