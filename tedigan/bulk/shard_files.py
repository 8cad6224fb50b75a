"""A shard's two files: a tar of pictures that WebDataset reads as it is, and a table that pandas does.

Equal faces give equal bytes: nothing in either tells the time, the machine or the worker.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tedigan.bulk.commit import Commit, Piece
from tedigan.bulk.draw import Face, Failure
from tedigan.bulk.marks import is_marked
from tedigan.bulk.merkle import leaf_hash, root_of
from tedigan.dataset.duplicates import perceptual_hash
from tedigan.exactness import sha256_tensor
from tedigan.store import pictures
from tedigan.store.picture_labels import label
from tedigan.store.shards import ShardWriter

LABEL = "tedigan"  # the key of a picture's own recipe
SCHEMA = pa.schema(
    [
        ("image", pa.int64()),
        ("prompt", pa.int64()),
        ("attempt", pa.int32()),
        ("text", pa.string()),
        ("understood", pa.string()),
        ("lacks", pa.string()),
        ("faults", pa.list_(pa.string())),
        ("failed", pa.string()),
        ("seen", pa.list_(pa.string())),
        ("photograph", pa.string()),
        ("sources", pa.string()),
        ("report", pa.string()),
        ("strength", pa.float64()),
        ("inversion_mse", pa.float64()),
        ("face_share", pa.float64()),
        ("nearest", pa.string()),
        ("nearest_similarity", pa.float64()),
        ("ws_sha256", pa.string()),
        ("pixels_sha256", pa.string()),
        ("file_sha256", pa.string()),
        ("hash", pa.binary()),
    ]
)
IN_TREE = (
    "image", "prompt", "attempt", "text", "photograph", "sources", "strength", "failed", "ws_sha256",
    "pixels_sha256", "file_sha256",
)  # fmt: skip


@dataclass(frozen=True)
class ShardFiles:
    """Finished files, and what their commit says."""

    commit: Commit
    tar: Path
    table: Path


def write_shard(
    folder: Path, job: str, shard: int, faces: Iterable[Face | Failure], *, image_format: str
) -> ShardFiles:
    """Both files of a shard, in `folder`, face by face as they come; of a failure only the table speaks."""
    tar, table = folder / f"{shard:06d}.tar", folder / f"{shard:06d}.parquet"
    rows: list[dict[str, Any]] = []
    suffixes = {"image": image_format, "text": "txt", "recipe": "json"}
    with ShardWriter(tar, suffixes) as writer:
        for face in faces:
            if isinstance(face, Failure):
                rows.append(_row_of_failure(face))
                continue
            picture = picture_of(job, face, image_format)
            row = _row(face, picture)
            about = {name: row[name] for name in row if name != "hash" and row[name] is not None}
            files = {"image": picture, "text": face.asked.text.encode()}
            writer.add(face.image, files | {"recipe": _json(about | {"job": job})})
            rows.append(row)
    rows.sort(key=lambda row: int(row["image"]))
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), table, compression="zstd")
    commit = Commit(
        shard=shard,
        num_images=len(rows),
        num_marked=sum(map(is_marked, rows)),
        num_failed=sum(row["failed"] is not None for row in rows),
        root=root_of([leaf_hash(entry_of(job, row)) for row in rows]).hex(),
        tar=Piece.of(tar),
        table=Piece.of(table),
    )
    return ShardFiles(commit, tar, table)


def picture_of(job: str, face: Face, image_format: str) -> bytes:
    """The file of an image, which names its job and number where the format has a place for it."""
    recipe = json.dumps({"job": job, "image": face.image}, sort_keys=True)
    return label(pictures.encode(face.pixels, image_format), LABEL, recipe)


def read_rows(table: Path) -> list[dict[str, Any]]:
    """A shard's table, a mapping an image, in their order."""
    rows: list[dict[str, Any]] = pq.ParquetFile(table).read().to_pylist()
    return rows


def entry_of(job: str, row: Mapping[str, Any]) -> bytes:
    """What the tree of a sealed job holds of an image."""
    return _json({"job": job} | {name: row[name] for name in IN_TREE})


def _row(face: Face, picture: bytes) -> dict[str, Any]:
    row = {
        "image": face.image,
        "prompt": face.prompt,
        "attempt": face.attempt,
        "text": face.asked.text,
        "understood": face.understood,
        "lacks": ", ".join(face.lacks),
        "faults": list(face.faults),
        "seen": [name for name, holds in face.seen.items() if holds],
        "ws_sha256": face.ws_sha256,
        "pixels_sha256": sha256_tensor(face.pixels),
        "file_sha256": hashlib.sha256(picture).hexdigest(),
        "hash": perceptual_hash(face.pixels),
    }
    return {name: None for name in SCHEMA.names} | row | dict(face.measured)


def _row_of_failure(failure: Failure) -> dict[str, Any]:
    row = {
        "image": failure.image,
        "prompt": failure.prompt,
        "text": failure.asked.text,
        "lacks": "",
        "faults": [],
        "failed": failure.reason,
        "seen": [],
    }
    return {name: None for name in SCHEMA.names} | row


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False).encode()
