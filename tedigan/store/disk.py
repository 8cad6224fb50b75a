"""What a disk promises: names that change in one step, bytes that outlive a power cut, whose a leftover is.

A file or folder under way is held by a lock that ends with its process, so that what a killed one left can
be told from what a living one still writes.
"""

import ctypes
import errno
import fcntl
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_C = ctypes.CDLL(None, use_errno=True)
_HERE = -100  # AT_FDCWD of openat(2): a path is relative to the current folder
_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
_CANNOT_EXCHANGE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}  # NFS, and others than Linux


def claim(make: Callable[[], str]) -> tuple[Path, int]:
    """A new file or folder, and the descriptor that holds it until it is closed.

    make: gives its path; called again if somebody took the new one for abandoned before it was held.
    """
    while True:
        path = Path(make())
        try:
            handle = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        with suppress(OSError):  # a network disk without locks: then nothing there looks abandoned
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return path, handle
        os.close(handle)


def remove_if_abandoned(path: Path) -> None:
    """Remove a claimed file or folder whose process has ended."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(path)
    except OSError:
        return
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def exchange(one: Path, other: Path) -> None:
    """Let two names of one folder swap what they name, in one step.

    Where the disk has no such step `other` is absent for a moment; `restore` mends what a kill leaves there.
    """
    names = (_HERE, os.fsencode(one), _HERE, os.fsencode(other))
    code = _call("renameat2", *names, _EXCHANGE)
    if code in _CANNOT_EXCHANGE:
        other.rename(_aside(other))
        one.rename(other)
        _aside(other).rename(one)
    elif code:
        raise OSError(code, os.strerror(code), str(other))


def restore(path: Path) -> None:
    """Put back what an exchange in several steps, killed between them, had moved aside."""
    if _aside(path).exists() and not path.exists():
        _aside(path).rename(path)
    remove(_aside(path))


def sync_names(folder: Path) -> None:
    """Return when the names in a folder would outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_all(path: Path) -> None:
    """Return when everything on the disk of `path` would outlive a power cut: one wait for many files."""
    handle = os.open(path, os.O_RDONLY)
    try:
        code = _call("syncfs", handle)
        if code == errno.ENOSYS:
            os.sync()
        elif code:
            raise OSError(code, os.strerror(code), str(path))
    finally:
        os.close(handle)


def _call(name: str, *arguments: int | bytes) -> int:
    """The error number of a Linux call that Python lacks; 0 is success, ENOSYS another system."""
    function = getattr(_C, name, None)
    if function is None:
        return errno.ENOSYS
    return 0 if function(*arguments) == 0 else ctypes.get_errno()


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.aside")
