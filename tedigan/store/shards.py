"""Shards: uncompressed tars of many records each, written in one go and read by offset.

A member's name is `{id}.{kind}.{suffix}`, a record's members follow each other: WebDataset's
convention, so that its loaders read a shard as it is. Members have neither time nor owner: equal
records give equal bytes. A shard is finished or absent, never half-written.
"""

import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tedigan.errors import DataError


@dataclass(frozen=True, slots=True)
class Span:
    """Where a member's bytes lie in its shard."""

    offset: int
    size: int


@dataclass(frozen=True)
class Shard:
    """A finished shard. spans: id -> kind -> place."""

    path: Path
    sha256: str
    num_bytes: int
    spans: dict[int, dict[str, Span]]


class ShardWriter:
    """Writes one shard beside its place; it is moved there when all records have come.

    suffixes: kind -> the suffix of its files; every record has all kinds, in this order.
    """

    def __init__(self, path: Path, suffixes: Mapping[str, str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        self._path, self._temporary = path, Path(name)
        self._suffixes = dict(suffixes)
        self._file = os.fdopen(handle, "wb")
        self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.USTAR_FORMAT)

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._tar.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.chmod(0o644)
            self._temporary.replace(self._path)
        else:
            self._file.close()
            self._temporary.unlink()

    def add(self, id: int, files: Mapping[str, bytes]) -> None:
        """Append one record: the bytes of each kind."""
        assert files.keys() == self._suffixes.keys(), f"record {id} has the kinds {list(files)}"
        for kind, suffix in self._suffixes.items():
            member = tarfile.TarInfo(f"{id}.{kind}.{suffix}")
            member.size = len(files[kind])
            self._tar.addfile(member, io.BytesIO(files[kind]))


def read_shard(path: Path) -> Shard:
    """A shard's digest and table of contents; DataError if it is not one."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        spans: dict[int, dict[str, Span]] = {}
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                id, kind, _ = member.name.split(".")
                spans.setdefault(int(id), {})[kind] = Span(member.offset_data, member.size)
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise DataError(
            f"{path} is no shard of a data set: {error}. Make the data set again."
        ) from error
    return Shard(path, digest, path.stat().st_size, spans)


def read_span(path: Path, span: Span) -> bytes:
    """The bytes of a member, without reading the rest of the shard."""
    try:
        with path.open("rb") as file:
            file.seek(span.offset)
            content = file.read(span.size)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error}. Make the data set again, or `dvc checkout` it."
        ) from error
    if len(content) != span.size:
        raise DataError(f"{path.name} ends too early; it was cut. Make the data set again.")
    return content
