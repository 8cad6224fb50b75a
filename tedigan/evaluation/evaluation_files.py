"""What an evaluation leaves: numbers as files, and small sheets for people."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tedigan.evaluation.contestants import Subjects
from tedigan.evaluation.faces import Fidelity
from tedigan.store import pictures
from tedigan.store.files import write_json
from tedigan.store.tables import write_table

NUM_SHOWN = 8


def write_evaluation(folder: Path, subjects: Subjects, found: Fidelity) -> list[str]:
    """Write the files that `tedigan.stages.evaluate` lists; the names of the sheets.

    The sheets show photographs of people, and stay in results/, which git ignores.
    """
    metrics = {one.name: one.to_json() for one in found.metrics}
    write_json(folder / "metrics.json", metrics)
    write_values(folder, metrics)
    write_rows(folder / "per_attribute.csv", found.per_attribute)
    write_rows(folder / "per_prompt.csv", found.per_prompt)
    write_json(folder / "subjects.json", {"captions": subjects.captions})
    return _write_pictures(folder, subjects)


def write_values(folder: Path, metrics: Mapping[str, Mapping[str, Any]]) -> None:
    """The values alone, as `dvc metrics show` and `diff` want them; without those that could not be told."""
    told = {name: one["value"] for name, one in metrics.items() if one["value"] is not None}
    write_json(folder / "values.json", told)


def plain_name(name: str) -> str:
    """A metric's name in the letters that MLflow takes: `text_fidelity/referee/n300`."""
    plain = re.sub(r"[\[,]", "/", name).replace("]", "").replace("=", "")
    return plain.replace("+", " and ")


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """A table whose columns are the keys of its first row; None is an empty cell, and no row an empty table."""
    columns = list(rows[0]) if rows else []
    cells = [["" if row[name] is None else _show(row[name]) for name in columns] for row in rows]
    write_table(path, columns, cells)


def _show(value: str | int | float) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _write_pictures(folder: Path, subjects: Subjects) -> list[str]:
    count = min(NUM_SHOWN, len(subjects.photographs))
    reconstructions = torch.cat([subjects.photographs[:count], subjects.inversions[:count]])
    variants: Tensor = subjects.variants[:NUM_SHOWN]
    sheets = {
        "reconstructions.png": pictures.grid(reconstructions, count),
        "texts.png": pictures.grid(subjects.texts[:count], count),
        "variants.png": pictures.grid(variants.flatten(0, 1), variants.shape[1]),
    }
    for name, sheet in sheets.items():
        pictures.save(folder / name, sheet)
    for index in range(count):
        for kind, pixels in (
            ("photograph", subjects.photographs),
            ("inversion", subjects.inversions),
        ):
            pictures.save(folder / f"reconstructions/{index}-{kind}.png", pixels[index])
    return list(sheets)
