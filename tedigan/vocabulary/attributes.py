"""The 40 CelebA attributes: their official names, order and file layout.

The layout is that of CelebAMask-HQ-attribute-anno.txt: a count, a line of names, then one row a
photograph, its file name and a 1 (yes) or -1 (no) for each name.
"""

from collections.abc import Iterable, Mapping

import torch
from jaxtyping import Bool
from torch import Tensor

from tedigan.errors import AttributeFileError

ATTRIBUTE_NAMES: tuple[str, ...] = (
    "5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs",
    "Big_Lips", "Big_Nose", "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair",
    "Bushy_Eyebrows", "Chubby", "Double_Chin", "Eyeglasses", "Goatee", "Gray_Hair",
    "Heavy_Makeup", "High_Cheekbones", "Male", "Mouth_Slightly_Open", "Mustache", "Narrow_Eyes",
    "No_Beard", "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks",
    "Sideburns", "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat",
    "Wearing_Lipstick", "Wearing_Necklace", "Wearing_Necktie", "Young",
)  # fmt: skip

_VALUES = {"1": True, "-1": False}


def parse_attributes(text: str) -> dict[str, Bool[Tensor, "40"]]:
    """Parse an attribute file's text: file name -> row, columns in ATTRIBUTE_NAMES order.

    The file may name the 40 columns in any order; anything else that is not the official layout is
    an AttributeFileError with the line's number.
    """
    lines = text.rstrip().splitlines()
    if len(lines) < 2:
        raise AttributeFileError(
            f"the attribute file has {len(lines)} lines; expected a count, a line of 40 names and "
            "the rows. "
            "Give CelebAMask-HQ-attribute-anno.txt as it was published."
        )
    columns = _columns(lines[1].split())
    rows: dict[str, list[bool]] = {}
    for number, line in enumerate(lines[2:], start=3):
        name, *values = line.split() or [""]
        if name in rows:
            raise AttributeFileError(
                f"line {number}: {name} comes a second time. Remove one of the rows."
            )
        rows[name] = _row(number, name, values)
    _check_count(lines[0], len(rows))
    table = torch.tensor(list(rows.values()), dtype=torch.bool).reshape(len(rows), 40)[:, columns]
    return dict(zip(rows, table.unbind(), strict=True))


def format_attributes(rows: Mapping[str, Bool[Tensor, "40"]]) -> str:
    """These rows in the official layout, as `parse_attributes` reads it."""
    lines = [str(len(rows)), " ".join(ATTRIBUTE_NAMES)]
    for name, row in rows.items():
        lines.append(f"{name} " + " ".join("1" if value else "-1" for value in row.tolist()))
    return "\n".join(lines) + "\n"


def attributes_of(positives: Iterable[str]) -> Bool[Tensor, "40"]:
    """A row that is true where a name is given; an unknown name is an AttributeFileError."""
    wanted = set(positives)
    if unknown := wanted - set(ATTRIBUTE_NAMES):
        raise AttributeFileError(
            f"unknown attributes {sorted(unknown)}. The 40 names are: {', '.join(ATTRIBUTE_NAMES)}."
        )
    return torch.tensor([name in wanted for name in ATTRIBUTE_NAMES])


def _columns(names: list[str]) -> list[int]:
    """For each official name its column in the file."""
    problems = [
        f"{kind}: {', '.join(found)}"
        for kind, found in {
            "unknown": sorted(set(names) - set(ATTRIBUTE_NAMES)),
            "missing": sorted(set(ATTRIBUTE_NAMES) - set(names)),
            "twice": sorted({name for name in names if names.count(name) > 1}),
        }.items()
        if found
    ]
    if problems:
        raise AttributeFileError(
            f"line 2 is not the 40 attribute names ({'; '.join(problems)}). "
            "Copy line 2 of the published CelebAMask-HQ-attribute-anno.txt."
        )
    return [names.index(name) for name in ATTRIBUTE_NAMES]


def _row(number: int, name: str, values: list[str]) -> list[bool]:
    """One row's 40 values."""
    if len(values) != 40:
        raise AttributeFileError(
            f"line {number} ({name or 'empty'}) has {len(values)} values; expected a file name and "
            "40 values. Complete the row or remove it."
        )
    try:
        return [_VALUES[value] for value in values]
    except KeyError as error:
        advice = "write -1 where you have 0" if error.args[0] == "0" else "mend the row"
        raise AttributeFileError(
            f"line {number} ({name}) holds the value {error.args[0]!r}; expected 1 (yes) or -1 "
            f"(no): {advice}."
        ) from None


def _check_count(line: str, num_rows: int) -> None:
    """Line 1 must be the number of rows, or the file was cut."""
    if line.strip() != str(num_rows):
        raise AttributeFileError(
            f"line 1 announces {line.strip()!r} rows, but the file has {num_rows}; it was cut or "
            "edited. Copy it again, or set line 1 to the number of rows."
        )
