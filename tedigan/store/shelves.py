"""Named bytes that are only read: what a bucket held when it was listed, or an uncompressed tar.

A name is a POSIX path relative to the shelf, such as `image/0.png`.
"""

import tarfile
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol, runtime_checkable

from tedigan.errors import DataError, ObjectError
from tedigan.store.disk_errors import reading
from tedigan.store.files import read_bytes
from tedigan.store.objects import Bucket


@runtime_checkable
class Shelf(Protocol):
    """Reads bytes by name; safe to use from several threads."""

    def names(self) -> Iterator[str]:
        """Every name, sorted."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of a name; a DataError if they are absent or damaged."""
        ...


class BucketShelf:
    """The objects of a bucket, or some of them.

    cache: where those that lie elsewhere are kept as files; None = they are read and not kept.
    """

    def __init__(
        self, bucket: Bucket, *, cache: Path | None, names: Sequence[str] | None = None
    ) -> None:
        self._bucket, self._cache = bucket, cache
        self._names = sorted(bucket.names() if names is None else names)

    def names(self) -> Iterator[str]:
        """The names that there were, sorted."""
        return iter(self._names)

    def read(self, name: str) -> bytes:
        """The bytes of an object."""
        try:
            if self._cache is None:
                return self._bucket.read(name)
            return read_bytes(self._bucket.fetch(name, self._cache))
        except ObjectError as error:
            raise DataError(f"{name} cannot be read: {error} Copy it again.") from error


class TarShelf:
    """The members of a .tar; its table of contents is read once, then members by their place."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _places(self) -> dict[str, tuple[int, int]]:
        try:
            with tarfile.open(self.path, "r:") as tar:
                return {
                    member.name.removeprefix("./"): (member.offset_data, member.size)
                    for member in tar
                    if member.isfile()
                }
        except (tarfile.TarError, OSError, EOFError) as error:
            raise DataError(
                f"{self.path} cannot be read as an uncompressed tar: {error}. "
                "Copy it again; unpack a .gz or .zip first."
            ) from error

    def names(self) -> Iterator[str]:
        """Every member's name, sorted."""
        return iter(sorted(self._places))

    def read(self, name: str) -> bytes:
        """The bytes of a member."""
        if name not in self._places:
            raise DataError(f"{self.path.name} has no member {name}. Make the tar again.")
        offset, size = self._places[name]
        with reading(self.path), self.path.open("rb") as file:
            file.seek(offset)
            content = file.read(size)
        if len(content) != size:
            raise DataError(f"{self.path.name} ends within {name}; it was cut. Copy it again.")
        return content
