"""What the page says of results/edits: how many reach their target by each way, and pictures, misses included."""

from pathlib import Path
from typing import Any

from tedigan.report.copying import copied
from tedigan.store.files import read_json
from tedigan.store.report_inputs import read_rows

OWN, NOTHING = "ours", ",nothing]"
MAX_EXAMPLES = 8  # of an attribute


def read_edits(source: Path, folder: Path) -> dict[str, Any]:
    """metrics: over all attributes that are drawn, without who does nothing: floor and ceiling tell.

    attributes: the rows of each. examples: pictures of each. inversions: the inversion table.
    """
    rows = read_rows(source / "per_attribute.csv")
    pooled = read_json(source / "metrics.json")["pooled"]
    return {
        "metrics": {name: one for name, one in pooled.items() if not name.endswith(NOTHING)},
        "attributes": [
            _attribute(name, rows) for name in dict.fromkeys(row["attribute"] for row in rows)
        ],
        "examples": _examples(source, folder),
        "inversions": [_numbers(row, "name") for row in read_rows(source / "inversions.csv")],
    }


def picture_names(edits: dict[str, Any]) -> list[str]:
    """Of all that the examples show."""
    shown = [one for examples in edits["examples"].values() for one in examples]
    return [name for one in shown for name in (one["before"], one["after"])]


def _attribute(name: str, rows: list[dict[str, str]]) -> dict[str, Any]:
    """An attribute's shares, and way -> its scores."""
    own = [row for row in rows if row["attribute"] == name]
    about = {share: float(own[0][share]) for share in ("unconditional", "photographs")}
    ways = {row["way"]: _numbers(row, "attribute", "way", "is_drawn", *about) for row in own}
    return {"name": name, "is_drawn": own[0]["is_drawn"] == "True", **about, "ways": ways}


def _numbers(row: dict[str, str], *words: str) -> dict[str, Any]:
    """A row's numbers, None where a cell is empty. words: columns of none, of which the first stays."""
    numbers = {key: float(cell) if cell else None for key, cell in row.items() if key not in words}
    return {words[0]: row[words[0]]} | numbers


def _examples(source: Path, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The platform's own edits as they come, reached or not."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in read_rows(source / "per_edit.csv"):
        picture = source / "pictures" / f"edit-{row['edit']}.png"
        examples = found.setdefault(row["attribute"], [])
        if row["way"] != OWN or not picture.is_file() or len(examples) >= MAX_EXAMPLES:
            continue
        before = source / "pictures" / f"face-{row['face']}.png"
        names = {
            "before": f"pictures/judged-face-{row['face']}.webp",
            "after": f"pictures/judged-{row['edit']}.webp",
        }
        copied(before, folder, names["before"])
        copied(picture, folder, names["after"])
        is_reached = float(row["edit_reached"] or 0) == 1
        examples.append(names | {"wanted": row["wanted"] == "True", "reached": is_reached})
    return found
