"""Files that somebody gives: what is no regular file is refused by name, and none is read beyond its bound.

A named pipe would be waited for without end, a device read without end, a link would show a file of another place.
"""

import hashlib
import json
import math
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Any, NoReturn

from tedigan.errors import WeightsError

MAX_BYTES = 16 * 2**30  # of weights; those of pSp take 1.2 GB
_KINDS = [
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder"),
]


def open_plain(path: Path, *, max_bytes: int | None = None) -> BufferedReader:
    """Open a regular file of a model folder, to be read; it may be a link to a file beside it, and to no other.

    Raises WeightsError, which says what it is, without having read a byte.
    """
    _check_link(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if path.is_fifo() or path.is_socket():
            raise _no_file(path, path.lstat().st_mode) from None
        raise WeightsError(
            f"{path} cannot be read: {error.strerror or error}; expected a file. Make the model again."
        ) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise _no_file(path, status.st_mode)
    file = os.fdopen(descriptor, "rb")
    if max_bytes is not None and status.st_size > max_bytes:
        file.close()
        raise WeightsError(
            f"{path} has {status.st_size:,} bytes, expected at most {max_bytes:,}; it is no file of a model "
            "folder. Make or import the model again."
        )
    return file


def read_plain(path: Path, max_bytes: int) -> bytes:
    """The content of a regular file of at most so many bytes."""
    with open_plain(path, max_bytes=max_bytes) as file:
        return file.read(max_bytes)


def sha256_plain(path: Path, max_bytes: int = MAX_BYTES) -> str:
    """sha256 of a regular file of at most so many bytes, in hexadecimal."""
    with open_plain(path, max_bytes=max_bytes) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def parse_json(content: bytes, place: str) -> Any:
    """JSON without what JSON does not have (NaN, infinity) or leaves open (a key that stands twice).

    Raises WeightsError that names `place`.
    """
    try:
        return json.loads(
            content.decode("utf-8"),
            parse_constant=_no_number,
            parse_float=_finite,
            object_pairs_hook=_once,
        )
    except RecursionError:
        raise _no_json(place, "it is nested without end") from None
    except ValueError as error:  # of json, of decode and of the three below
        raise _no_json(place, str(error)[:120]) from None


def _no_json(place: str, problem: str) -> WeightsError:
    return WeightsError(
        f"{place} is not JSON that means something: {problem}; expected what this program wrote. Make or import "
        "the model again."
    )


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text[:20]} is no finite number")
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_file(path: Path, mode: int) -> WeightsError:
    kind = next((name for test, name in _KINDS if test(mode)), "no regular file")
    return WeightsError(
        f"{path} is {kind}, expected a file; nothing of it was read. Take it away, and make the model again."
    )


def _check_link(path: Path) -> None:
    if not path.is_symlink():
        return
    try:
        target = path.resolve(strict=True)
        is_beside = target.parent == path.parent.resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: a link to itself
        raise WeightsError(
            f"{path} is a link that leads nowhere, expected a file. Copy the file itself there, or make the model "
            "again."
        ) from None
    if not is_beside:
        raise WeightsError(
            f"{path} is a link to another place, expected a file or a link to one beside it; nothing of it was "
            "read. Copy the file itself there if you trust it."
        )
