"""Named bytes in one of three places behind one face: a folder, an S3 prefix (tedigan.store.s3), or memory.

An object is written whole or not at all. Its name is a POSIX path such as `commits/00012.json`; names whose last
part begins with a dot are the bucket's own and are not listed.
"""

import hashlib
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from tedigan.errors import ObjectError, StoreError
from tedigan.store import disk
from tedigan.store.disk_errors import explain, writing
from tedigan.store.files import read_bytes, whole_file, write_bytes

_HOW_TO_WRITE = (
    "expected a disk with free space, rights and hard links. Mend that, or name a folder on another disk or an "
    "s3:// prefix."
)
UNDER_WAY = ".unfinished"  # a bucket's own folder: what is not whole yet


class Bucket(ABC):
    """Objects by name; safe to use from several threads, processes and, where the place is, machines."""

    @abstractmethod
    def names(self, prefix: str = "") -> Iterator[str]:
        """Every name that begins with `prefix`, sorted."""

    def all_names(self) -> Iterator[str]:
        """`names`, and what the place holds beside them: names that begin with a dot, and what is no path."""
        return self.names()

    @abstractmethod
    def folders(self) -> list[str]:
        """The first part of every name that has several, once, sorted; what lies in them is not listed.

        Some places keep a folder from which all was deleted.
        """

    @abstractmethod
    def ages(self, prefix: str = "") -> dict[str, float]:
        """Name -> seconds since it was last written, by the clock of the place, not those of its writers."""

    @abstractmethod
    def versions(self, prefix: str = "") -> dict[str, str]:
        """Name -> what changes when its content does, without reading it; sorted by name."""

    @abstractmethod
    def exists(self, name: str) -> bool:
        """Whether there is such an object; a place that does not answer is a StoreError."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """The bytes of an object; an ObjectError if it is absent."""

    @abstractmethod
    def fetch(self, name: str, cache: Path) -> Path:
        """The object as a file of this machine, to be read only: kept in `cache` where it lies elsewhere."""

    @abstractmethod
    def write(self, name: str, content: bytes | Path) -> None:
        """Put bytes, or the content of a file, under this name, in place of what was there."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Remove an object, if it is there."""

    def create(self, name: str, content: bytes) -> bool:
        """Put an object where none is; whether what stands there now is this content.

        Of several who create one name with different bytes exactly one is told True. Equal bytes are the same
        claim: who repeats a call that had no answer is told True again, and a lease names its holder.
        """
        return self._create(name, content) or self.read(name) == content

    @abstractmethod
    def _create(self, name: str, content: bytes) -> bool:
        """False, and nothing changed, where there is such an object."""


class FolderBucket(Bucket):
    """The files below a folder of a local or network disk; what is written would outlive a power cut."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self, prefix: str = "") -> Iterator[str]:
        """Every file's name, sorted; links to folders are not followed."""
        found = []
        for place, folders, files in os.walk(
            self.folder / prefix.rpartition("/")[0], onerror=_refuse_folder
        ):
            base = PurePosixPath(Path(place).relative_to(self.folder).as_posix())
            folders[:] = [one for one in folders if str(base / one).startswith(prefix)]
            found += [str(base / file) for file in files if not file.startswith(".")]
        return iter(sorted(name for name in found if name.startswith(prefix)))

    def folders(self) -> list[str]:
        """The folders directly below, which may be empty."""
        found = self.folder.iterdir() if self.folder.is_dir() else []
        return sorted(one.name for one in found if one.is_dir() and not one.name.startswith("."))

    def ages(self, prefix: str = "") -> dict[str, float]:
        """By the files' dates."""
        found = {}
        for name in self.names(prefix):
            with suppress(FileNotFoundError):  # somebody deleted it just now
                found[name] = max(0.0, time.time() - self._path(name).stat().st_mtime)
        return found

    def versions(self, prefix: str = "") -> dict[str, str]:
        """Size and date."""
        found = {}
        for name in self.names(prefix):
            with suppress(FileNotFoundError):
                about = self._path(name).stat()
                found[name] = f"{about.st_size}-{about.st_mtime_ns}"
        return found

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return self._path(name).is_file()

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        return read_bytes(self._path(name))

    def fetch(self, name: str, cache: Path) -> Path:  # noqa: ARG002
        """The file itself."""
        if not self.exists(name):
            raise ObjectError(f"{self.folder / name} is no file. Mend its name, or make it first.")
        return self._path(name)

    def write(self, name: str, content: bytes | Path) -> None:
        """Write the file."""
        path = self._path(name)
        with writing(path, _HOW_TO_WRITE), self._fresh(path, content) as fresh:
            fresh.replace(path)

    def delete(self, name: str) -> None:
        """Remove the file."""
        path = self._path(name)
        with writing(path, _HOW_TO_WRITE):
            path.unlink(missing_ok=True)

    def _create(self, name: str, content: bytes) -> bool:
        path = self._path(name)
        if path.exists():
            return False
        with writing(path, _HOW_TO_WRITE), self._fresh(path, content) as fresh:
            try:
                os.link(fresh, path)
            except FileExistsError:
                return False
        return True

    @contextmanager
    def _fresh(self, path: Path, content: bytes | Path) -> Iterator[Path]:
        """A whole file on the disk of `path`, to be moved or linked there; what killed writers left goes."""
        under_way = self.folder / UNDER_WAY
        under_way.mkdir(parents=True, exist_ok=True)
        for leftover in under_way.iterdir():
            disk.remove_if_abandoned(leftover)
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(content, under_way, path.name) as fresh:
            yield fresh
            disk.sync_names(path.parent)

    def _path(self, name: str) -> Path:
        check_name(name)
        return self.folder / name


class MemoryBucket(Bucket):
    """Objects that end with this process: for tests."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self._written: dict[str, float] = {}
        self._lock = threading.Lock()

    def names(self, prefix: str = "") -> Iterator[str]:
        """Every name, sorted."""
        return iter(sorted(name for name in self._objects if name.startswith(prefix)))

    def folders(self) -> list[str]:
        """The first parts of names."""
        return sorted({name.partition("/")[0] for name in self._objects if "/" in name})

    def ages(self, prefix: str = "") -> dict[str, float]:
        """By this process' clock."""
        return {name: time.monotonic() - self._written[name] for name in self.names(prefix)}

    def versions(self, prefix: str = "") -> dict[str, str]:
        """Of each the sha256."""
        return {
            name: hashlib.sha256(self._objects[name]).hexdigest() for name in self.names(prefix)
        }

    def exists(self, name: str) -> bool:
        """Whether there is such an object."""
        return name in self._objects

    def read(self, name: str) -> bytes:
        """The bytes."""
        check_name(name)
        if name not in self._objects:
            raise ObjectError(f"memory has no object {name!r}. Write it first.")
        return self._objects[name]

    def fetch(self, name: str, cache: Path) -> Path:
        """A copy of it."""
        path = cache / name
        write_bytes(path, self.read(name))
        return path

    def write(self, name: str, content: bytes | Path) -> None:
        """Keep it."""
        check_name(name)
        self._written[name] = time.monotonic()
        self._objects[name] = content.read_bytes() if isinstance(content, Path) else content

    def delete(self, name: str) -> None:
        """Forget it."""
        self._objects.pop(name, None)

    def _create(self, name: str, content: bytes) -> bool:
        check_name(name)
        with self._lock:
            if name in self._objects:
                return False
            self._written[name] = time.monotonic()
            self._objects[name] = content
        return True


def is_name(name: str) -> bool:
    """Whether a name stays within its bucket, and is listed."""
    parts = name.split("/")
    return all(parts) and not {".", ".."} & set(parts) and not parts[-1].startswith(".")


def _refuse_folder(error: OSError) -> None:
    """A folder that cannot be listed would be lost in silence; one that is not there yet is empty."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise explain(
            f"{error.filename} cannot be listed", error, "Mend its rights, or take it away."
        )


def check_name(name: str) -> None:
    """Refuse a name that leads out of its bucket or would not be listed."""
    if not is_name(name):
        raise StoreError(
            f"{name!r} is no object's name; expected a relative path such as commits/00012.json, whose last "
            "part does not begin with a dot. Mend it."
        )
