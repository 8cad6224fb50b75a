"""Turns: one process at a time does a thing in a place; the others wait, and are told for whom."""

import fcntl
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from tedigan.errors import StoreError
from tedigan.progress import note

LOOK_EVERY_S = 0.2


@contextmanager
def turn(
    path: Path, what: str, *, within_s: float | None = None, say: Callable[[str], None] = note
) -> Iterator[None]:
    """Hold the lock of the file `path`, in which stands who has it and for what; wait where another does.

    It is released with the block, or with the process, however that ends. say: is told once for whom we wait.
    within_s: of waiting; then it is a StoreError. None waits for ever.
    """
    with _opened(path) as file:
        if not _has(file):
            say(f"waits for {_holder(path)}")
            _wait(file, path, within_s)
        file.truncate(0)
        file.write(_ourselves(what))
        file.flush()
        yield


def holder_of(path: Path) -> str | None:
    """Who has the turn now, as `turn` wrote it; None where nobody has."""
    if not path.is_file():
        return None
    with path.open("a+", encoding="utf-8") as file:
        return None if _has(file) else _holder(path)


def _opened(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+", encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written, where it stands whose turn it is: {error.strerror}; expected a folder "
            "with rights and space. Mend that, or name a workspace elsewhere."
        ) from error


def _wait(file: IO[str], path: Path, within_s: float | None) -> None:
    started = time.monotonic()
    while not _has(file):
        if within_s is not None and time.monotonic() - started > within_s:
            raise StoreError(
                f"{path} has been held for too long, by {_holder(path)}; expected it within {within_s:g} s. "
                "Does that process hang? End it, and its lock goes with it."
            )
        time.sleep(LOOK_EVERY_S)


def _has(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(path: Path) -> str:
    return path.read_text(encoding="utf-8") or "another process"


def _ourselves(what: str) -> str:
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{what} (process {os.getpid()} on {platform.node()}, since {since})"
