"""Named bytes that are only read: a folder, what a bucket held when it was listed, or an uncompressed tar.

A name is a POSIX path relative to the shelf, such as `image/0.png`. What is offered and what is left out is one
rule for all (tedigan.store.listing).
"""

import os
import tarfile
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol, runtime_checkable

from tedigan.errors import DataError, ObjectError
from tedigan.store.disk_errors import reading
from tedigan.store.files import read_bytes
from tedigan.store.listing import NOT_READ, Entries, LeftOut, clean_name, led_to
from tedigan.store.objects import Bucket

_OTHER = "is neither a file nor a folder, but a pipe, a device or the like. Remove it."


@runtime_checkable
class Shelf(Protocol):
    """Reads bytes by name; safe to use from several threads."""

    def names(self) -> Iterator[str]:
        """Every name, sorted."""
        ...

    def left_out(self) -> list[LeftOut]:
        """The entries that are there and have no name here, sorted."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of a name; a DataError if they are absent or damaged."""
        ...

    def file_of(self, name: str, cache: Path) -> Path:
        """The bytes as a file of this machine, to be read only; `cache` keeps what lies elsewhere."""
        ...


class FolderShelf:
    """The files below a folder, which need not be there. Links within it are followed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def _listed(self) -> tuple[dict[str, str], list[LeftOut]]:
        entries = Entries()
        root = os.path.realpath(self.folder)
        folders = [""] if self.folder.is_dir() else []
        while folders:
            place = folders.pop()
            try:
                for one in os.scandir(self.folder / place):
                    name = f"{place}/{one.name}" if place else one.name
                    if one.is_symlink():
                        entries.links[name] = _within(root, one.path)
                    elif one.is_dir(follow_symlinks=False):
                        folders.append(name)
                    elif one.is_file(follow_symlinks=False):
                        entries.files[name] = name
                    else:
                        entries.leave_out(name, "no file", _OTHER)
            except OSError as error:
                entries.leave_out(
                    place or ".", "folder", f"cannot be listed: {error}. Mend its rights."
                )
        return entries.offered(), entries.left_out

    def names(self) -> Iterator[str]:
        """Every file's name, sorted."""
        return iter(self._listed[0])

    def left_out(self) -> list[LeftOut]:
        """Hidden files, links that lead out or nowhere, and what is no file."""
        return self._listed[1]

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        path = self.folder / self._listed[0].get(name, name)
        try:
            return path.read_bytes()
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error}. Copy it again.") from error

    def file_of(self, name: str, cache: Path) -> Path:  # noqa: ARG002
        """The file itself."""
        return self.folder / self._listed[0].get(name, name)


class BucketShelf:
    """The objects of a bucket, or some of them.

    cache: where those that lie elsewhere are kept as files; None = they are read and not kept.
    """

    def __init__(
        self, bucket: Bucket, *, cache: Path | None, names: Sequence[str] | None = None
    ) -> None:
        self._bucket, self._cache = bucket, cache
        entries = Entries()
        for name in bucket.all_names() if names is None else names:
            if name == clean_name(name) or names is not None:
                entries.files[name] = name
            elif name and not name.endswith("/"):  # with it, it marks a folder
                entries.leave_out(
                    name, "name", "is no path of a file. Give the object another name."
                )
        self._names = dict.fromkeys(names) if names is not None else entries.offered()
        self._left_out = entries.left_out

    def names(self) -> Iterator[str]:
        """The names that there were, sorted."""
        return iter(self._names)

    def left_out(self) -> list[LeftOut]:
        """Hidden objects, and those whose name is no path."""
        return self._left_out

    def read(self, name: str) -> bytes:
        """The bytes of an object."""
        try:
            if self._cache is None:
                return self._bucket.read(name)
            return read_bytes(self._bucket.fetch(name, self._cache))
        except ObjectError as error:
            raise DataError(f"{name} cannot be read: {error} Copy it again.") from error

    def file_of(self, name: str, cache: Path) -> Path:
        """The object in the cache."""
        return self._bucket.fetch(name, cache)


class TarShelf:
    """The members of a .tar; its table of contents is read once, then members by their place."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _listed(self) -> tuple[dict[str, tuple[int, int]], list[LeftOut]]:
        try:
            with tarfile.open(self.path, "r:") as tar:
                return _members(tar)
        except (tarfile.TarError, OSError, EOFError) as error:
            raise DataError(
                f"{self.path} cannot be read as an uncompressed tar: {error}. "
                "Copy it again; unpack a .gz or .zip first."
            ) from error

    def names(self) -> Iterator[str]:
        """Every member's name, sorted."""
        return iter(self._listed[0])

    def left_out(self) -> list[LeftOut]:
        """Hidden members, links that lead out or nowhere, and what is no file or cannot be read by its place."""
        return self._listed[1]

    def read(self, name: str) -> bytes:
        """The bytes of a member."""
        if name not in self._listed[0]:
            raise DataError(f"{self.path.name} has no member {name}. Make the tar again.")
        offset, size = self._listed[0][name]
        with reading(self.path), self.path.open("rb") as file:
            file.seek(offset)
            content = file.read(size)
        if len(content) != size:
            raise DataError(f"{self.path.name} ends within {name}; it was cut. Copy it again.")
        return content

    def file_of(self, name: str, cache: Path) -> Path:  # noqa: ARG002
        """A DataError: a member is no file."""
        raise DataError(f"{name} lies within {self.path.name}. Unpack that first.")


def _members(tar: tarfile.TarFile) -> tuple[dict[str, tuple[int, int]], list[LeftOut]]:
    """Name -> offset and size of each file, and what is left out. Of equal names the last counts, as in tar -x."""
    entries, places = Entries(), dict[str, tuple[int, int]]()
    links = dict[str, tuple[str, str]]()
    for member in tar:
        name = clean_name(member.name)
        if member.isdir():
            continue
        if name is None:
            entries.leave_out(member.name, "name", "leads out of the .tar. Make the tar again.")
            continue
        if name in entries.files or name in links:
            entries.leave_out(name, NOT_READ, "comes in the .tar again; the last one counts.")
            entries.files.pop(name, None)
            links.pop(name, None)
        if member.issym() or member.islnk():
            links[name] = (name.rpartition("/")[0] if member.issym() else "", member.linkname)
        elif member.issparse():
            entries.leave_out(
                name, "sparse", "is a sparse file, in pieces. Make the tar without --sparse."
            )
        elif member.isfile():
            entries.files[name], places[name] = name, (member.offset_data, member.size)
        else:
            entries.leave_out(name, "no file", _OTHER)
    entries.links = {name: led_to(*link, links) for name, link in links.items()}
    return {name: places[of] for name, of in entries.offered().items()}, entries.left_out


def _within(root: str, link: str) -> str | None:
    """The name of what a link leads to; None where that is out of `root`."""
    target = os.path.realpath(link)
    if target == root:
        return ""
    return target.removeprefix(f"{root}/") if target.startswith(f"{root}/") else None
