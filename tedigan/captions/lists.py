"""Lists that people write by hand: captions, one a line; edits, a CSV."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tedigan.captions.lines import check_caption, parse_captions
from tedigan.errors import CaptionError
from tedigan.store.files import read_bytes
from tedigan.store.texts import decode, one_line, read_sheet
from tedigan.tensors import MAX_STRENGTH

EVERY = "*"  # in place of a photograph's name
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
    text = read_list(path, "generate.captions")
    try:
        return parse_captions(text)
    except CaptionError as error:
        raise CaptionError(f"{path}: {error}") from error


def read_edits(path: Path) -> list[Edit]:
    """A CSV with the columns photograph, text and, where it is wished, strength."""
    text = read_list(path, "manipulate.edits")
    try:
        edits = list(_edits(text))
    except CaptionError as error:
        raise CaptionError(f"{path}: {error}") from error
    if not edits:
        raise CaptionError(f"{path} names no edit; expected at least one line photograph,text.")
    return edits


def _edits(text: str) -> Iterator[Edit]:
    sheet = read_sheet(text, known=EDIT_COLUMNS, kind=CaptionError)
    if sorted(sheet.columns) not in (sorted(EDIT_COLUMNS[:2]), sorted(EDIT_COLUMNS)):
        raise CaptionError(
            f"it has the columns {sheet.columns}; expected photograph,text or photograph,text,strength. Mend its "
            "first line."
        )
    for line, row in sheet.records():
        photograph = one_line(row["photograph"])
        if not photograph:
            raise CaptionError(
                f"line {line} names no photograph; expected an index, a file name, or * for each. Write it."
            )
        strength = parse_strength(row.get("strength") or "1", line=line)
        yield Edit(photograph, check_caption(row["text"], line=line), strength)


def parse_strength(text: str, *, line: int | None = None) -> float:
    """A number in -3..3; anything else is a CaptionError, with its line's number if it has one."""
    try:
        value = float(one_line(text).replace("\N{MINUS SIGN}", "-") or "1")
    except ValueError:
        value = math.nan
    if not abs(value) <= MAX_STRENGTH:  # also where it is NaN
        where = "" if line is None else f"line {line}: "
        raise CaptionError(
            f"{where}the strength is {text!r}; expected a number in -{MAX_STRENGTH:g}..{MAX_STRENGTH:g}. Mend it."
        )
    return value


def read_list(path: Path, key: str) -> str:
    """The text of a list that params.yaml names under this key; where it is none or absent, a CaptionError."""
    content = read_bytes(
        path, absent=CaptionError(f"{path} does not exist. Write it, or set {key} to another file.")
    )
    return decode(content, str(path), kind=CaptionError)
