"""A commit: what settles a shard of a job, by the sha256 of its files and the Merkle root of its images."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tedigan.errors import DataError
from tedigan.store.files import sha256_file


@dataclass(frozen=True)
class Piece:
    """A finished file of a shard, by what it holds."""

    sha256: str
    num_bytes: int

    @classmethod
    def of(cls, path: Path) -> "Piece":
        """Of a file."""
        return cls(sha256_file(path), path.stat().st_size)


@dataclass(frozen=True)
class Commit:
    """What a shard is, for ever. root: Merkle root of its images, in hexadecimal.

    num_marked: of the images, with which something is wrong. num_failed: of them, that could not be drawn.
    """

    shard: int
    num_images: int
    num_marked: int
    num_failed: int
    root: str
    tar: Piece
    table: Piece

    def to_bytes(self) -> bytes:
        """Canonical: equal shards have equal commits."""
        return json.dumps(asdict(self), sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, content: bytes, *, name: str) -> "Commit":
        """Of an object; a DataError if it is none."""
        try:
            found = json.loads(content)
            tar, table = Piece(**found.pop("tar")), Piece(**found.pop("table"))
            bytes.fromhex(found["root"])
            return cls(**found, tar=tar, table=table)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"{name} is no commit: {error!r}. Nothing but a worker writes there; put the object back from a "
                "backup, or delete it to have its shard drawn again."
            ) from error


def piece_name(piece: Piece, suffix: str) -> str:
    """Where a shard's file lies: under what it holds."""
    return f"shards/{piece.sha256}{suffix}"
