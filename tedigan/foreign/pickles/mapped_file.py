"""Opens a foreign file as bytes that are mapped into memory, not loaded."""

import mmap
from pathlib import Path

from tedigan.foreign.pickles.values import refusal


def mapped(path: Path, *, max_bytes: int, kind: str) -> memoryview:
    """Map a file into memory; the map closes when the last view of it is gone.

    max_bytes: refuse larger files. kind: what the file should be, for the messages.
    Raises WeightsError for a path that is no file, or one of the wrong size.
    """
    try:
        if not path.is_file():
            raise refusal(path.name, "cannot read it", "no regular file", kind, f"Look at {path}.")
        with path.open("rb") as file:
            size = path.stat().st_size
            if not 0 < size <= max_bytes:
                advice = "Download it again, or raise max_bytes if you trust its publisher."
                want = f"1 to {max_bytes}"
                raise refusal(path.name, "a file of the wrong size", f"{size} bytes", want, advice)
            return memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:  # ValueError: it shrank meanwhile
        got = str(error)[:80]
        raise refusal(path.name, "cannot read it", got, kind, f"Look at {path}.") from error
