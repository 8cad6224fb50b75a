"""Text that people wrote, in whatever form their programs saved it: the one reader of captions, lists and tables.

Text is UTF-8, or UTF-16 with its mark; a mark at the beginning is no text. Everything comes in Unicode's composed
form (NFC). A line ends with LF, CRLF or CR; a table's cells may hold such ends between double quotes.
"""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import TextIO

from tedigan.errors import DataError

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# What stands between words: every kind of space, tab, and ends of lines and pages.
_BLANK = re.compile(r"[ \t\n\v\f\r\x85\xa0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000]+")
# Where a word may or may not be broken at the end of a line, which is no part of it; and marks of byte order.
_UNSEEN = dict.fromkeys((0xAD, 0x2060, 0xFEFF))
_DELIMITERS = (",", "\t", ";")
_ADVICE = 'Put a text that holds commas, quotes or line ends between double quotes (")'


def decode(content: bytes, name: str, *, kind: type[DataError] = DataError) -> str:
    """A file's bytes as text with LF as the end of a line; what is no such text is a `kind`."""
    encoding = "utf-16" if content.startswith(_UTF16) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise kind(
            f"{name} line {line} is not UTF-8: {error.reason} at byte {error.start} "
            f"({content[error.start]:#x}); expected plain text. Save it as UTF-8."
        ) from error
    return composed(text.replace("\r\n", "\n").replace("\r", "\n"))


def open_text(path: Path, *, newline: str | None) -> TextIO:
    """A stream of a file. Bytes that are no text become lone surrogates, of UTF-16 a UnicodeDecodeError.

    newline: as of `open`; None makes every end of a line LF.
    """
    with path.open("rb") as file:
        is_utf16 = file.read(2) in _UTF16
    if is_utf16:
        return path.open(encoding="utf-16", newline=newline)
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline=newline)


def composed(text: str) -> str:
    """In Unicode's composed form, so that equal words are equal texts."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def one_line(text: str) -> str:
    """The text as one line with single spaces between words, composed, without outer space and hyphenation."""
    return _BLANK.sub(" ", composed(text).translate(_UNSEEN)).strip(" ")


def lines_of(text: str) -> list[str]:
    """Its lines, without blank ones at its end; only LF, CRLF and CR end a line."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def name_key(name: str) -> str:
    """What a file's name is compared by: composed, without case, with forward slashes."""
    parts = one_line(name).replace("\\", "/").split("/")
    return unicodedata.normalize(
        "NFC", "/".join(one for one in parts if one not in ("", ".")).casefold()
    )


def stem_key(name: str, suffixes: Collection[str]) -> str:
    """As `name_key`, without folders and without a suffix, if it is one of these."""
    path = PurePosixPath(name_key(name))
    return path.stem if path.suffix in suffixes else path.name


class Sheet:
    """A table as a stream of rows; what is no CSV is an error of `kind` when the reading comes to it.

    lines: a file, or lines with their ends. known: columns whose names count in any case. Cells are parted by
    commas, or by tabs or semicolons where the heading has no comma; Excel's own first line `sep=;` says so too.
    """

    def __init__(
        self,
        lines: Iterable[str],
        *,
        known: Collection[str] = (),
        kind: type[DataError] = DataError,
    ) -> None:
        self._kind = kind
        given = iter(lines)
        first = next(given, "")
        bare = re.sub(r'"[^"]*("|$)', "", first)
        delimiter = next((one for one in _DELIMITERS if one in bare), ",")
        self._num_skipped = 0  # lines that the CSV reader did not see
        if first[:4].lower() == "sep=" and len(first.rstrip("\r\n")) == 5:
            delimiter, first, self._num_skipped = first[4], next(given, ""), 1
        self._reader = csv.reader(chain([first], given), strict=True, delimiter=delimiter)
        names = {one.casefold(): one for one in known}
        heading = [one_line(cell) for cell in self._next() or []]
        self.columns = [names.get(one.casefold(), one) for one in heading]

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """The number of each row's first line, and its cells, in composed form, as many as there are."""
        while (cells := self._next()) is not None:
            yield self._line, [composed(cell) for cell in cells]

    def records(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Each row as column -> cell; blank ones are left out, and one of another number of cells is an error."""
        for line, cells in self:
            if not any(map(str.strip, cells)):
                continue
            if len(cells) != len(self.columns):
                raise self._kind(f"line {line}: {misfit(len(cells), len(self.columns))}")
            yield line, dict(zip(self.columns, cells, strict=True))

    def _next(self) -> list[str] | None:
        self._line = self._num_skipped + self._reader.line_num + 1
        try:
            return next(self._reader, None)
        except csv.Error as error:
            raise self._kind(
                f"line {self._line} is no CSV: {error}. {_ADVICE}, close them, and write those within twice."
            ) from error
        except UnicodeDecodeError as error:
            raise self._kind(
                f"line {self._line} is no text: {error.reason} at byte {error.start}. Save it as UTF-8."
            ) from error


def read_sheet(
    text: str, *, known: Collection[str] = (), kind: type[DataError] = DataError
) -> Sheet:
    """The table of a decoded text."""
    return Sheet(io.StringIO(text, newline=""), known=known, kind=kind)


def misfit(num_cells: int, num_columns: int) -> str:
    """Why a row is none of its table's."""
    return f"the row has {num_cells} cells; expected {num_columns}, as the heading has. {_ADVICE}."
