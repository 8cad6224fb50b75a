"""A CSV of sources: a row some faces of a text, a sketch, a label map, a photograph and a style, if given."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tedigan.captions.lines import check_caption
from tedigan.errors import CaptionError
from tedigan.method.sources import SOURCES, SourceName
from tedigan.store.files import read_text

COLUMNS = ("text", *SOURCES, "n", "seed")


@dataclass(frozen=True)
class SourceRow:
    """given: source -> a file, or `test:3` of the data set; see `SourcePictures`.

    n, seed: None = as the stage says.
    """

    text: str | None
    given: Mapping[SourceName, str]
    n: int | None
    seed: int | None


def read_sources(path: Path) -> list[SourceRow]:
    """Of some of COLUMNS; the first bad line is a CaptionError with its number."""
    try:
        reader = csv.DictReader(io.StringIO(read_text(path)))
    except FileNotFoundError:
        raise CaptionError(
            f"{path} does not exist. Write it, or set compose.sources to another file."
        ) from None
    unknown = set(reader.fieldnames or ["nothing"]) - set(COLUMNS)
    if unknown:
        raise CaptionError(
            f"{path} has the column {sorted(unknown)[0]!r}; expected some of {','.join(COLUMNS)}. Mend "
            "its first line."
        )
    rows = [_row(path, number, row) for number, row in enumerate(reader, start=2)]
    if not rows:
        raise CaptionError(f"{path} names no sources; expected a line a row of faces.")
    return rows


def _row(path: Path, number: int, row: Mapping[str, str | None]) -> SourceRow:
    if None in row or None in row.values():
        raise CaptionError(
            f"{path} line {number} does not have the columns of the first line: {dict(row)}. Put a text that "
            'holds commas between double quotes (").'
        )
    given = {name: place for name in SOURCES if (place := (row.get(name) or "").strip())}
    text = (row.get("text") or "").strip() or None
    if text is None and not given:
        raise CaptionError(f"{path} line {number} gives no source; expected a text or a picture.")
    numbers = {key: _whole(path, number, key, row.get(key) or "") for key in ("n", "seed")}
    try:
        return SourceRow(text and check_caption(text, line=number), given, **numbers)
    except CaptionError as error:
        raise CaptionError(f"{path}: {error}") from error


def _whole(path: Path, line: int, key: str, text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not text.isdigit() or (key == "n" and int(text) < 1):
        raise CaptionError(
            f"{path} line {line}: {key} is {text!r}; expected a whole number. Mend it."
        )
    return int(text)
