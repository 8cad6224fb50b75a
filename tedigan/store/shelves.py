"""Named bytes: a folder or an uncompressed tar, read and written alike.

A name is a POSIX path relative to the shelf, such as `image/0.png`.
"""

import io
import os
import tarfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Protocol, runtime_checkable

from tedigan.errors import DataError


@runtime_checkable
class Shelf(Protocol):
    """Reads bytes by name; safe to use from several threads."""

    def names(self) -> Iterator[str]:
        """Every name, sorted."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of a name; a DataError if they are absent or damaged."""
        ...


class FolderShelf:
    """The files below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> Iterator[str]:
        """Every file's name, sorted; files that begin with a dot are not listed."""
        found = []
        for place, _, files in os.walk(self.folder):
            base = Path(place).relative_to(self.folder)
            found += [(base / file).as_posix() for file in files if not file.startswith(".")]
        return iter(sorted(found))

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise DataError(
                f"{self.folder / name} cannot be read: {error}. Make its folder again."
            ) from error


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
        with self.path.open("rb") as file:
            file.seek(offset)
            content = file.read(size)
        if len(content) != size:
            raise DataError(f"{self.path.name} ends within {name}; it was cut. Copy it again.")
        return content


class FolderWriter:
    """Writes `{folder}/{kind}/{name}`."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._folder = folder / kind
        self._folder.mkdir(parents=True)

    def add(self, name: str, content: bytes) -> None:
        """Write one file."""
        (self._folder / name).write_bytes(content)

    def close(self) -> None:
        """Nothing is left to do."""


class TarWriter:
    """Writes `{folder}/{kind}.tar` with members `{kind}/{name}`: equal contents give equal bytes."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._kind = kind
        self._tar = tarfile.open(folder / f"{kind}.tar", "w", format=tarfile.USTAR_FORMAT)

    def add(self, name: str, content: bytes) -> None:
        """Append one member, without time or owner."""
        member = tarfile.TarInfo(f"{self._kind}/{name}")
        member.size = len(content)
        self._tar.addfile(member, io.BytesIO(content))

    def close(self) -> None:
        """Write the end of the archive."""
        self._tar.close()
