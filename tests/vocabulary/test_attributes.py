"""The 40-attribute table."""

import pytest
import torch

from tedigan.errors import AttributeFileError
from tedigan.vocabulary.attributes import (
    ATTRIBUTE_NAMES,
    attributes_of,
    format_attributes,
    parse_attributes,
)

ROWS = {"0.jpg": attributes_of(["Young", "Smiling"]), "1.jpg": attributes_of(["Male"])}
TEXT = format_attributes(ROWS)


def test_there_are_forty_names_in_the_official_order() -> None:
    assert len(set(ATTRIBUTE_NAMES)) == 40
    assert list(ATTRIBUTE_NAMES) == sorted(ATTRIBUTE_NAMES)


def test_written_rows_are_read_back() -> None:
    rows = parse_attributes(TEXT)
    assert list(rows) == list(ROWS)
    assert all(torch.equal(rows[name], ROWS[name]) for name in ROWS)


def test_columns_in_another_order_give_the_same_rows() -> None:
    lines = [line.split() for line in TEXT.splitlines()]
    names = " ".join(reversed(lines[1]))
    rows = "\n".join(" ".join([line[0], *reversed(line[1:])]) for line in lines[2:])
    assert torch.equal(parse_attributes(f"2\n{names}\n{rows}")["1.jpg"], ROWS["1.jpg"])


def test_windows_line_ends_are_read() -> None:
    assert list(parse_attributes(TEXT.replace("\n", "\r\n"))) == list(ROWS)


@pytest.mark.parametrize(
    ("damaged", "advice"),
    [
        ("", "as it was published"),
        (TEXT.replace("2\n", "3\n", 1), "Copy it again, or set line 1"),
        (TEXT.replace("Young", "Yuong", 1), "unknown: Yuong; missing: Young"),
        (TEXT.replace("Young", "Male", 1), "twice: Male"),
        (TEXT.rstrip()[:-3], "Complete the row"),
        (TEXT.replace("-1", "0"), "write -1 where you have 0"),
        (TEXT.replace("-1", "yes", 1), "expected 1"),
        (TEXT.replace("1.jpg", "0.jpg"), "Remove one of the rows"),
        (TEXT.replace("1.jpg", "\n1.jpg"), "line 4"),
    ],
)
def test_a_damaged_file_is_refused_with_advice(damaged: str, advice: str) -> None:
    with pytest.raises(AttributeFileError, match=advice):
        parse_attributes(damaged)


def test_an_unknown_positive_is_refused() -> None:
    with pytest.raises(AttributeFileError, match="unknown attributes"):
        attributes_of(["Beautiful"])
