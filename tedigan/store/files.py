"""Files and folders that are either finished or absent, and their digests.

Everything is written beside its place and moved there in one step, so a killed process leaves nothing
half-written where a finished thing is expected; its leftovers go with the next writing of the same thing.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from tedigan.errors import DataError, StoreError, TediganError
from tedigan.store import disk
from tedigan.store.disk_errors import reading, writing
from tedigan.store.texts import decode

UNFINISHED = ".unfinished-"  # in the name of what is being written
_UNDER_WAY: set[Path] = set()  # folders that are synced as one when they are finished


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    On return it would outlive a power cut; below a `finished_folder`, when that is finished.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if any(folder in _UNDER_WAY for folder in path.parents):
            _write_new(path, content)
            return
        remove_leftovers(path)
        with whole_file(content, path.parent, path.name) as fresh:
            fresh.replace(path)
        disk.sync_names(path.parent)


@contextmanager
def whole_file(content: bytes | Path, folder: Path, name: str) -> Iterator[Path]:
    """The content, or the content of a file, as a new file in `folder`, to be moved or linked to its place.

    Its bytes would outlive a power cut. What the block does not move is removed.
    """
    path, handle = disk.claim(lambda: _new_file(folder, f".{name}{UNFINISHED}"))
    try:
        with path.open("wb") as file:
            _copy(content, file)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        yield path
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def remove_leftovers(path: Path) -> None:
    """Remove what writers of `path` that were killed left beside it."""
    start = f".{path.name}{UNFINISHED}"
    for name in os.listdir(path.parent):  # noqa: PTH208 (a folder of thousands, and no Path for each)
        if name.startswith(start):
            disk.remove_if_abandoned(path.with_name(name))


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole or not at all."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write canonical JSON (sorted keys, two spaces, final newline): equal values give equal bytes."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def append_line(path: Path, line: str) -> None:
    """One more line of a file that grows; what a power cut leaves of it may be less."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def read_bytes(path: Path, *, absent: TediganError | None = None) -> bytes:
    """Read a file; what the disk refuses is a StoreError. absent: what is raised where there is no such file."""
    with reading(path):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            if absent is None:
                raise
            raise absent from None


def read_text(path: Path) -> str:
    """Read UTF-8 text; a missing or damaged file is a StoreError."""
    try:
        return decode(read_bytes(path), str(path))
    except DataError as error:
        raise StoreError(f"{error} Or make it again.") from error


def read_json(path: Path) -> Any:
    """Read a JSON file; a missing or damaged one is a StoreError that says what makes it."""
    absent = StoreError(f"{path} does not exist. Run the stage that makes it first.")
    try:
        return json.loads(read_bytes(path, absent=absent))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise StoreError(
            f"{path} is not JSON: {error}. Delete it and run its stage again."
        ) from error


@contextmanager
def finished_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder beside `path`; on a clean exit it takes `path`'s place, else it is removed.

    It does so in one step, after its bytes would outlive a power cut: who opens a file below `path` finds the
    old folder's or the new one's, and a process killed at any point leaves one of them whole.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        disk.restore(path)
        remove_leftovers(path)
        prefix = f".{path.name}{UNFINISHED}"
        fresh, handle = disk.claim(lambda: tempfile.mkdtemp(dir=path.parent, prefix=prefix))
    _UNDER_WAY.add(fresh)
    try:
        fresh.chmod(0o755)
        yield fresh
        _put_in_place(fresh, path)
    finally:
        _UNDER_WAY.discard(fresh)
        disk.remove(fresh)  # the one before, or what failed
        os.close(handle)


def sha256_file(path: Path) -> str:
    """sha256 of a file's bytes, in hexadecimal."""
    with reading(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_tree(path: Path) -> str:
    """sha256 of a file, or of a folder's sorted (relative name, sha256) lines."""
    if path.is_file():
        return sha256_file(path)
    digest = hashlib.sha256()
    for file in sorted(item for item in path.rglob("*") if item.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()} {sha256_file(file)}\n".encode())
    return digest.hexdigest()


def sha256_value(value: Any) -> str:
    """sha256 of a value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _put_in_place(fresh: Path, path: Path) -> None:
    with writing(path):
        disk.sync_all(fresh)
        if os.path.lexists(path):
            disk.exchange(fresh, path)
        else:
            fresh.rename(path)
        disk.sync_names(path.parent)


def _new_file(folder: Path, prefix: str) -> str:
    handle, name = tempfile.mkstemp(dir=folder, prefix=prefix)
    os.close(handle)
    return name


def _write_new(path: Path, content: bytes) -> None:
    """Into a folder that nobody sees yet; a shard that is linked there is not written into."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    path.chmod(0o644)


def _copy(content: bytes | Path, target: BinaryIO) -> None:
    if isinstance(content, bytes):
        target.write(content)
        return
    with content.open("rb") as source:
        shutil.copyfileobj(source, target)
