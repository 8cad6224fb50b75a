"""Pickles of protocols 0 and 1 too, which Python 2 wrote: lists of names in lines of ASCII."""

from tedigan.foreign.pickles.machine import OPCODES, PROTO, Opcodes, PickleReader
from tedigan.foreign.pickles.values import shown


class OldPickleReader(PickleReader):
    """The machine, with the few opcodes that lists of text need in those protocols.

    Texts are taken as they stand: one with a backslash in it is refused, as nothing here reads escapes.
    """

    def opcodes(self) -> Opcodes:
        """What this machine knows."""
        return OPCODES | _OF_LINES

    def _begin(self) -> None:
        """These protocols have no number; a newer one does."""
        cursor = self._cursor
        if cursor.data[cursor.position : cursor.position + 1] == bytes([PROTO]):
            super()._begin()

    def quoted_line(self, _: int) -> None:
        """Read Python 2's `str`: 'abc' or "abc"."""
        line = self._cursor.take_line()
        if len(line) < 2 or line[0] not in "'\"" or line[-1] != line[0]:
            raise self._refuse("not a text in quotes", shown(line), "'text'")
        self._plain(line[1:-1])

    def text_line(self, _: int) -> None:
        """Read Python 2's `unicode`."""
        self._plain(self._cursor.take_line())

    def put_line(self, _: int) -> None:
        """Remember the value under a number in decimal."""
        self._put(self._take_number())

    def get_line(self, _: int) -> None:
        """Repeat the value that was remembered."""
        self._get(self._take_number())

    def list_to_mark(self, _: int) -> None:
        """A list of the values above the mark."""
        values = self._pop_mark()
        self.stack.append(values)

    def _plain(self, text: str) -> None:
        if "\\" in text:
            raise self._refuse("an escape in a text", shown(text), "letters as they are")
        self.stack.append(text)

    def _take_number(self) -> int:
        line = self._cursor.take_line()
        if not line.isdecimal():
            raise self._refuse("not a number of the memo", shown(line), "decimal digits")
        return int(line)


_OF_LINES: Opcodes = {
    ord("S"): (0, OldPickleReader.quoted_line),
    ord("V"): (0, OldPickleReader.text_line),
    ord("p"): (0, OldPickleReader.put_line),
    ord("g"): (0, OldPickleReader.get_line),
    ord("l"): (0, OldPickleReader.list_to_mark),
}
