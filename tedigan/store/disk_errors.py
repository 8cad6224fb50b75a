"""What a disk refuses, as an error that says what to do, and whether it may pass by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tedigan.errors import ObjectError, StoreError, passes

_TO_READ = "expected a file that is there and that this user may read. Mend its name or its rights."
_TO_WRITE = "expected a disk with free space and rights. Free some, mend them, or name a place on another disk."

_ANYHOW = (
    "expected a file that can be read, or a disk with rights and space. Mend its name, or free space, and run "
    "again."
)


@contextmanager
def reading(path: Path | str, advice: str = _TO_READ) -> Iterator[None]:
    """What the disk refuses of a place that is read is an ObjectError, or a StoreError where the disk fails."""
    try:
        yield
    except OSError as error:
        raise explain(f"{path} cannot be read", error, advice) from error


@contextmanager
def writing(path: Path | str, advice: str = _TO_WRITE) -> Iterator[None]:
    """What the disk refuses of a file or folder that is written is a StoreError."""
    try:
        yield
    except OSError as error:
        raise _marked(
            StoreError(f"{path} cannot be written: {why(error)}; {advice}"), error
        ) from error


@contextmanager
def on_disk(what: str) -> Iterator[None]:
    """What nobody explained nearer to where it was met, as a StoreError. A broken pipe is no disk's fault."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno is None and not passes(error):
            raise  # of no disk
        place = f" ({error.filename})" if error.filename else ""
        raise explain(f"{what} met what the disk refuses{place}", error, _ANYHOW) from error


def explain(what: str, error: OSError, advice: str) -> StoreError:
    """The error that says what to do; an ObjectError where the same answer would come again."""
    kind = StoreError if passes(error) else ObjectError
    return _marked(kind(f"{what}: {why(error)}; {advice}"), error)


def why(error: OSError) -> str:
    """The reason without the number and the path, which stand in the sentence already."""
    return error.strerror or str(error) or type(error).__name__


def _marked(found: StoreError, error: OSError) -> StoreError:
    found.may_pass = passes(error)
    return found
