"""A CSV of sources: a row some faces of a text, a sketch, a label map, a photograph and a style, if given."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tedigan.captions.lines import check_caption
from tedigan.captions.lists import read_list
from tedigan.errors import CaptionError
from tedigan.method.sources import SOURCES, SourceName
from tedigan.store.texts import one_line, read_sheet

COLUMNS = ("text", *SOURCES, "n", "seed")
_MOST_DIGITS = {"n": 6, "seed": 18}


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
    text = read_list(path, "compose.sources")
    try:
        sheet = read_sheet(text, known=COLUMNS, kind=CaptionError)
        if unknown := set(sheet.columns or ["nothing"]) - set(COLUMNS):
            raise CaptionError(
                f"it has the column {sorted(unknown)[0]!r}; expected some of {','.join(COLUMNS)}. Mend its "
                "first line."
            )
        rows = [_row(line, row) for line, row in sheet.records()]
    except CaptionError as error:
        raise CaptionError(f"{path}: {error}") from error
    if not rows:
        raise CaptionError(f"{path} names no sources; expected a line a row of faces.")
    return rows


def _row(line: int, row: Mapping[str, str]) -> SourceRow:
    given = {name: place for name in SOURCES if (place := one_line(row.get(name, "")))}
    text = one_line(row.get("text", "")) or None
    if text is None and not given:
        raise CaptionError(f"line {line} gives no source; expected a text or a picture.")
    numbers = {key: _whole(line, key, row.get(key, "")) for key in ("n", "seed")}
    return SourceRow(text and check_caption(text, line=line), given, **numbers)


def _whole(line: int, key: str, text: str) -> int | None:
    text = one_line(text)
    if not text:
        return None
    is_number = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS[key]
    if not is_number or (key == "n" and int(text) < 1):
        raise CaptionError(
            f"line {line}: {key} is {text[:40]!r}; expected a whole number of at most {_MOST_DIGITS[key]} "
            "digits. Mend it."
        )
    return int(text)
