"""Lists of prompts, read as a stream, whatever they hold.

A row that can be no prompt does not stop the reading; it is set aside with its reason.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from tedigan.captions.lines import MAX_CHARACTERS, check_caption
from tedigan.captions.lists import EVERY, parse_strength
from tedigan.errors import CaptionError
from tedigan.method.sources import SOURCES
from tedigan.store.addresses import open_bucket
from tedigan.store.disk_errors import reading
from tedigan.store.texts import Sheet, misfit, one_line, open_text

COLUMNS = ("text", "caption", "prompt")  # of a list, the first of them that it has
PHOTOGRAPH, STRENGTH = "photograph", "strength"  # columns of a list of edits
OTHERS = (*SOURCES, STRENGTH)  # columns of lists of edits and of sources
SHOWN_CHARACTERS = 80
_ROWS_AT_ONCE = 8192
_LONGEST = 2**16  # characters of a line that are looked at


Kind = Literal["faces", "edits", "sources"]  # what a list asks for


class Prompt(NamedTuple):
    """A text, without outer space, and its row in the list, from 1 (the heading of a CSV is none).

    photograph: the name of the one that it edits, or `*` for each. strength: in -3..3. given: each source that a
    face is made of, and the name of its picture; then the text may be "", no sentence.
    """

    row: int
    text: str
    photograph: str = EVERY
    strength: float = 1.0
    given: tuple[tuple[str, str], ...] = ()


class Rejected(NamedTuple):
    """A row that can be no prompt. shown: its first printable characters. reason: why, and what to do."""

    row: int
    shown: str
    reason: str


def read_prompts(
    place: str, *, root: Path, cache: Path, kind: Kind = "faces"
) -> Iterator[Prompt | Rejected]:
    """Every row of a list in its order, those that repeat another too.

    place: a path relative to `root`, or an s3:// address, whose object is kept in `cache`. A .csv or .parquet has
    a column text, caption or prompt, of which the first counts, for edits perhaps photograph and strength, and for
    sources strength and any of sketch, label, photograph and style, then with a text or without; any other file is
    text in UTF-8, a prompt a line.
    A file that is not there is a StoreError at once; one without such a column or without a single prompt, or with
    columns of another kind of list, or that is not what its name says, is a CaptionError when the reading comes to
    it.
    """
    path = fetch_list(place, root=root, cache=cache)
    rows = _READERS.get(path.suffix.lower(), _text_rows)(path)
    return _judged(place, _of_kind(rows, kind), kind)


def fetch_list(place: str, *, root: Path, cache: Path) -> Path:
    """A list on this machine. place, cache: as for `read_prompts`; a StoreError where it is not."""
    if place.startswith("s3://"):
        folder, _, name = place.rpartition("/")
        return open_bucket(folder).fetch(name, cache)
    path = root / place
    return open_bucket(str(path.parent)).fetch(path.name, cache)


class _Row(NamedTuple):
    """What a list holds. misfit: why it is no row of that list, "" if it is one. cells: of those of OTHERS that
    the list has as columns.
    """

    content: bytes
    misfit: str = ""
    cells: Mapping[str, str] = {}


def _of_kind(rows: Iterator[_Row], kind: Kind) -> Iterator[_Row]:
    """The rows of a list; a CaptionError where it has a column of another kind of list, be it empty."""
    may_have = {"faces": (), "edits": (PHOTOGRAPH, STRENGTH), "sources": OTHERS}[kind]
    for row in rows:
        if found := [name for name in row.cells if name not in may_have]:
            of_edits = {*found} <= {PHOTOGRAPH, STRENGTH}
            lists, option = ("edits", "photographs") if of_edits else ("sources", "pictures")
            raise CaptionError(
                f"it has the column {' and '.join(found)}, as lists of {lists} have, but no {option} were named; "
                f"expected texts alone for faces. Name the {option} with --{option}, or take the column out."
            )
        yield row


def _judged(place: str, rows: Iterator[_Row], kind: Kind) -> Iterator[Prompt | Rejected]:
    """The rows, as prompts where they can be; a CaptionError names the place."""
    why, found = "It is empty; name another list.", False
    try:
        for number, row in enumerate(rows, start=1):
            judged = _judge(number, row, kind)
            if isinstance(judged, Rejected) and number == 1:
                why = f"Of its first row: {judged.reason}"
            found = found or isinstance(judged, Prompt)
            yield judged
    except CaptionError as error:
        raise CaptionError(f"{place}: {error}") from error
    except UnicodeDecodeError as error:  # of UTF-16, where it costs the whole
        raise CaptionError(f"{place} is no text: {error}. Save it as UTF-8.") from error
    if not found:
        raise CaptionError(f"{place} holds no prompt; expected at least one. {why}")


def _judge(number: int, row: _Row, kind: Kind) -> Prompt | Rejected:
    try:
        if row.misfit:
            raise CaptionError(row.misfit)
        cells = {name: one_line(cell) for name, cell in row.cells.items()}
        strength, text = parse_strength(cells.get(STRENGTH) or "1"), _decoded(row.content)
        if kind != "sources":
            return Prompt(number, check_caption(text), cells.get(PHOTOGRAPH) or EVERY, strength)
        given = tuple((name, cells[name]) for name in SOURCES if cells.get(name))
        if not given or one_line(text):
            text = check_caption(text)
        else:
            text = ""
        return Prompt(number, text, EVERY, strength, given)
    except CaptionError as error:
        printable = filter(str.isprintable, row.content.decode(errors="replace"))
        return Rejected(number, "".join(printable)[:SHOWN_CHARACTERS], str(error))


def _decoded(content: bytes) -> str:
    if len(content) > 4 * MAX_CHARACTERS:  # too long anyhow, and maybe cut within a character
        return content.decode(errors="replace")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise CaptionError(
            f"the text is not UTF-8: {error.reason} at byte {error.start} ({content[error.start]:#x}); "
            "expected plain text. Save it as UTF-8."
        ) from error


def _text_rows(path: Path) -> Iterator[_Row]:
    """The lines, without the mark that Windows puts before the first."""
    with reading(path), open_text(path, newline=None) as file:
        while line := file.readline(_LONGEST):
            rest = line
            while rest and not rest.endswith("\n"):
                rest = file.readline(_LONGEST)
            yield _Row(_encoded(line))


def _csv_rows(path: Path) -> Iterator[_Row]:
    """The cells below the heading that names the column."""
    with reading(path), open_text(path, newline="") as file:
        sheet = Sheet(file, known=(*COLUMNS, *OTHERS), kind=CaptionError)
        name, count = _column_of(sheet.columns), len(sheet.columns)
        others = [one for one in OTHERS if one in sheet.columns]
        for _, cells in sheet:
            if len(cells) != count:
                yield _Row(_encoded(",".join(cells)), misfit(len(cells), count))
                continue
            row = dict(zip(sheet.columns, cells, strict=True))
            text = "" if name is None else row[name]
            yield _Row(_encoded(text), "", {one: row[one] for one in others})


def _encoded(text: str) -> bytes:
    """As the bytes of UTF-8 that it was read from, be they text or not."""
    return text.encode(errors="surrogateescape")


def _parquet_rows(path: Path) -> Iterator[_Row]:
    """The values of the column; null is an empty text."""
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            text, others = _column_of(names), [one for one in OTHERS if one in names]
            wanted = [*([] if text is None else [text]), *others]
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=wanted):
                texts = (
                    [b""] * len(batch)
                    if text is None
                    else _as_bytes(batch.column(text)).to_pylist()
                )
                rest = [batch.column(one).to_pylist() for one in others]
                for value, *more in zip(texts, *rest, strict=True):
                    cells = ("" if cell is None else str(cell) for cell in more)
                    yield _Row(value or b"", "", dict(zip(others, cells, strict=True)))
    except (OSError, pa.ArrowException) as error:
        raise CaptionError(f"it is no parquet of texts: {error}. Write it again.") from error


def _as_bytes(column: Any) -> Any:
    """Texts as they were stored, which need not be UTF-8."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        raise CaptionError(
            f"the column holds {column.type}; expected texts (string). Write it as such."
        )
    return column.cast(pa.large_binary())


def _column_of(names: list[str]) -> str | None:
    """The column that holds the prompts; None of a list of sources without sentences."""
    for name in COLUMNS:
        if name in names:
            return name
    if any(name in names for name in SOURCES if name != PHOTOGRAPH):
        return None
    raise CaptionError(
        f"has the columns {names}; expected one of {', '.join(COLUMNS)}. Name that of the prompts so."
    )


_READERS: dict[str, Callable[[Path], Iterator[_Row]]] = {
    ".csv": _csv_rows,
    ".parquet": _parquet_rows,
}
