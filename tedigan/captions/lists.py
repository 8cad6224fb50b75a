"""Lists that people write by hand: captions, one a line; edits, a CSV."""

import csv
from dataclasses import dataclass
from pathlib import Path

from tedigan.captions.lines import check_caption, parse_captions
from tedigan.errors import CaptionError


@dataclass(frozen=True)
class Edit:
    """photograph: an index or file name, or `*` for each. text: what should be true afterwards."""

    photograph: str
    text: str


def read_captions(path: Path) -> list[str]:
    """One caption a line; the first bad line is a CaptionError with its number."""
    text = _text(path, "generate.captions")
    try:
        return parse_captions(text)
    except CaptionError as error:
        raise CaptionError(f"{path}: {error}") from error


def read_edits(path: Path) -> list[Edit]:
    """A CSV with the columns photograph and text."""
    reader = csv.DictReader(_text(path, "manipulate.edits").splitlines())
    if reader.fieldnames != ["photograph", "text"]:
        raise CaptionError(
            f"{path} has the columns {reader.fieldnames}; expected photograph,text. Mend its first line."
        )
    edits = [_edit(path, number, row) for number, row in enumerate(reader, start=2)]
    if not edits:
        raise CaptionError(f"{path} names no edit; expected at least one line photograph,text.")
    return edits


def _edit(path: Path, number: int, row: dict[str, str]) -> Edit:
    if not row["photograph"] or row["text"] is None or None in row:
        raise CaptionError(
            f"{path} line {number} does not have two columns: {row}; expected photograph,text. "
            'Put a text that holds commas between double quotes (").'
        )
    try:
        return Edit(row["photograph"], check_caption(row["text"], line=number))
    except CaptionError as error:
        raise CaptionError(f"{path}: {error}") from error


def _text(path: Path, key: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CaptionError(
            f"{path} does not exist. Write it, or set {key} to another file."
        ) from None
    except UnicodeDecodeError as error:
        raise CaptionError(f"{path} is not UTF-8 text: {error}. Save it as UTF-8.") from error
