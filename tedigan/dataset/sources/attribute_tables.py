"""A table of attributes that somebody wrote by hand: any columns, as CSV text.

The first column names the picture; `identity` and `split` are what they say, if they are there;
every other column is an attribute: 1, 0, -1, true, false, yes or no in any spelling of case.
"""

from dataclasses import dataclass

from tedigan.errors import AttributeFileError
from tedigan.store.texts import read_sheet

IDENTITY, SPLIT = "identity", "split"
_VALUES = {
    **dict.fromkeys(("1", "true", "yes"), True),
    **dict.fromkeys(("0", "-1", "false", "no"), False),
}


@dataclass(frozen=True)
class AttributeTable:
    """names: of the attributes. rows: picture -> one byte each, 1 = yes; pictures in the file's order.

    identities and splits: picture -> what its cell says; empty without that column.
    """

    names: tuple[str, ...]
    rows: dict[str, bytes]
    identities: dict[str, str]
    splits: dict[str, str]


def parse_attribute_table(text: str) -> AttributeTable:
    """Parse the CSV text; anything doubtful is an AttributeFileError that names its line."""
    sheet = read_sheet(text, known=(IDENTITY, SPLIT), kind=AttributeFileError)
    _check_header(sheet.columns)
    names = tuple(name for name in sheet.columns[1:] if name not in (IDENTITY, SPLIT))
    table = AttributeTable(names, {}, {}, {})
    for line, row in sheet.records():
        picture = row[sheet.columns[0]].strip()
        if picture in table.rows:
            raise AttributeFileError(f"line {line}: {picture} comes a second time. Remove one.")
        table.rows[picture] = bytes(_value(row[name], name, picture, line) for name in names)
        for name, column in ((IDENTITY, table.identities), (SPLIT, table.splits)):
            if name in row:
                column[picture] = row[name].strip()
    return table


def _check_header(header: list[str]) -> None:
    twice = sorted({name for name in header if header.count(name) > 1})
    if len(header) < 2 or twice or not all(header):
        what = f"the columns {', '.join(twice)} twice" if twice else f"the columns {header}"
        raise AttributeFileError(
            f"the table's first line has {what}; expected the picture's column, then each "
            "attribute's name once. Mend the first line."
        )


def _value(cell: str, name: str, picture: str, line: int) -> bool:
    try:
        return _VALUES[cell.strip().lower()]
    except KeyError:
        raise AttributeFileError(
            f"line {line} of the table ({picture}) has {cell!r} under {name}; expected 1, 0, -1, "
            "true or false. Mend the cell, or remove the column if it is no attribute."
        ) from None
