"""Lists that people write by hand: captions, one a line; edits, a CSV."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from tedigan.captions.lines import check_caption, parse_captions
from tedigan.errors import CaptionError
from tedigan.tensors import MAX_STRENGTH

EDIT_COLUMNS = ["photograph", "text", "strength"]


@dataclass(frozen=True)
class Edit:
    """photograph: an index or file name, or `*` for each. text: what should be true afterwards.

    strength: in -3..3; 1 = what the text says, -1 = the contrary.
    """

    photograph: str
    text: str
    strength: float = 1.0


def read_captions(path: Path) -> list[str]:
    """One caption a line; the first bad line is a CaptionError with its number."""
    text = _text(path, "generate.captions")
    try:
        return parse_captions(text)
    except CaptionError as error:
        raise CaptionError(f"{path}: {error}") from error


def read_edits(path: Path) -> list[Edit]:
    """A CSV with the columns photograph, text and, where it is wished, strength."""
    reader = csv.DictReader(_text(path, "manipulate.edits").splitlines())
    if reader.fieldnames not in (EDIT_COLUMNS[:2], EDIT_COLUMNS):
        raise CaptionError(
            f"{path} has the columns {reader.fieldnames}; expected photograph,text or photograph,text,strength. "
            "Mend its first line."
        )
    edits = [_edit(path, number, row) for number, row in enumerate(reader, start=2)]
    if not edits:
        raise CaptionError(f"{path} names no edit; expected at least one line photograph,text.")
    return edits


def _edit(path: Path, number: int, row: dict[str, str]) -> Edit:
    if not row["photograph"] or None in row.values() or None in row:
        raise CaptionError(
            f"{path} line {number} does not have the columns of the first line: {row}. "
            'Put a text that holds commas between double quotes (").'
        )
    try:
        strength = parse_strength(row.get("strength") or "1")
        return Edit(row["photograph"], check_caption(row["text"], line=number), strength)
    except CaptionError as error:
        raise CaptionError(f"{path}: {error}") from error


def parse_strength(text: str) -> float:
    """A number in -3..3; anything else is a CaptionError."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= MAX_STRENGTH:  # also where it is NaN
        raise CaptionError(
            f"the strength is {text!r}; expected a number in -{MAX_STRENGTH:g}..{MAX_STRENGTH:g}. Mend it."
        )
    return value


def _text(path: Path, key: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CaptionError(
            f"{path} does not exist. Write it, or set {key} to another file."
        ) from None
    except UnicodeDecodeError as error:
        raise CaptionError(f"{path} is not UTF-8 text: {error}. Save it as UTF-8.") from error
