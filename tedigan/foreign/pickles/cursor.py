"""A place in the bytes of a file, which moves forwards and makes no copies."""

from tedigan.errors import WeightsError
from tedigan.foreign.pickles.values import refusal, shown

MAX_LINE = 256  # letters; a dotted name has two lines


class Cursor:
    """Takes numbers, bytes and lines from `data`; `position` is where the next one starts.

    A length that the file claims is compared with the file before anything is made of it.
    """

    def __init__(self, data: memoryview, *, name: str) -> None:
        """Point at the first byte of `data`, which is a part of the file `name`."""
        self.data = data
        self.name = name
        self.position = 0

    def refuse(self, what: str, got: str, want: str) -> WeightsError:
        """Make an error that names the file and the place in it."""
        return refusal(self.name, f"{what} at byte {self.position}", got, want)

    def take(self, width: int) -> int:
        """Read one little-endian unsigned number."""
        return int.from_bytes(self.take_bytes(width), "little")

    def take_bytes(self, size: int) -> memoryview:
        """Read `size` bytes as a view of the file."""
        start, end = self.position, self.position + size
        if end > len(self.data):
            left = max(0, len(self.data) - start)
            raise self.refuse("the data end too early", f"{left} more bytes", f"{size}")
        self.position = end
        return self.data[start:end]

    def take_line(self) -> str:
        """Read a short line of ASCII, without its end."""
        line, end, _ = bytes(self.data[self.position : self.position + MAX_LINE]).partition(b"\n")
        if not end or not line.isascii():
            raise self.refuse("a name has no end", shown(str(line, "latin1")), "a line of ASCII")
        self.position += len(line) + 1
        return str(line, "ascii")
