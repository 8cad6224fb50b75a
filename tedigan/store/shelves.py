"""Named bytes: a folder, an uncompressed tar or one file, read alike.

A name is a POSIX path relative to the shelf, such as `image/0.png`.
"""

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


class FileShelf:
    """One file alone, whatever lies beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> Iterator[str]:
        """Its name."""
        return iter([self.path.name])

    def read(self, name: str) -> bytes:
        """Its bytes."""
        return FolderShelf(self.path.parent).read(name)


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
