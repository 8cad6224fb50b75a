"""What an evaluation of edits leaves: numbers as files, and sheets for people.

    metrics.json        pooled, drawn and not_drawn: every metric as in results/evaluation
    values.json         the pooled values alone, for `dvc metrics`
    per_attribute.csv   a row an attribute and way
    per_edit.csv        a row an edit and way: photograph, attribute, what was wanted, and what came of it
    inversions.csv      a row a way to invert: means over the photographs
    sheets/*.png        an attribute each: inversions above what the platform and its rivals make of them
    strips.png          a strip a row, with rising strength
    pictures/           the first photographs' inversions and edits one by one, for the report

The sheets may show people, and stay in results/, which git ignores.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from tedigan.evaluation.edit_faces import NOTHING
from tedigan.evaluation.edit_report import EditReport
from tedigan.evaluation.edits import Edits
from tedigan.evaluation.evaluation_files import plain_name, write_rows, write_values
from tedigan.evaluation.inversions import InversionScores
from tedigan.evaluation.metric import Metric
from tedigan.store import pictures
from tedigan.store.files import write_json

NUM_SHOWN = 8


def write_edits(
    folder: Path,
    photographs: Sequence[int],
    edits: Edits,
    report: EditReport,
    inversions: Sequence[InversionScores],
) -> list[str]:
    """Write the files; the names of the sheets. photographs: whose inversion each face is."""
    metrics = _metrics(report)
    write_json(folder / "metrics.json", metrics)
    write_values(folder, metrics["pooled"])
    write_rows(folder / "per_attribute.csv", report.per_attribute)
    rows = [{"photograph": photographs[row["face"]]} | row for row in report.per_edit]
    write_rows(folder / "per_edit.csv", rows)
    write_rows(folder / "inversions.csv", [one.means() for one in inversions])
    _write_pictures(folder, edits)
    return _write_sheets(folder, edits)


def headline(report: EditReport, inversions: Sequence[InversionScores]) -> dict[str, float]:
    """The numbers for the run record."""
    told = {plain_name(one.name): one.value for one in report.pooled if one.value is not None}
    for one in inversions:
        way = re.sub(r"\W+", "_", one.name)  # MLflow takes no plus
        told[f"inversion_pixel_mse/{way}"] = float(one.pixel_mse.mean())
    return told


def _metrics(report: EditReport) -> dict[str, dict[str, Any]]:
    def told(metrics: Sequence[Metric]) -> dict[str, Any]:
        return {one.name: one.to_json() for one in metrics}

    return {
        "pooled": told(report.pooled),
        "drawn": {name: told(metrics) for name, metrics in report.drawn.items()},
        "not_drawn": {name: told(metrics) for name, metrics in report.not_drawn.items()},
    }


def _write_sheets(folder: Path, edits: Edits) -> list[str]:
    sheets = {}
    for attribute, rows in _shown_rows(edits).items():
        ways = [faces[rows] for name, faces in edits.after.items() if name != NOTHING]
        shown = torch.cat([edits.before[edits.face[rows]], *ways])
        sheets[f"sheets/{attribute}.png"] = pictures.grid(shown, len(rows))
    strips = edits.strips[: 2 * NUM_SHOWN]
    sheets["strips.png"] = pictures.grid(strips.flatten(0, 1), strips.shape[1])
    for name, sheet in sheets.items():
        pictures.save(folder / name, sheet)
    return list(sheets)


def _write_pictures(folder: Path, edits: Edits) -> None:
    for face in range(min(NUM_SHOWN, len(edits.before))):
        pictures.save(folder / f"pictures/face-{face}.png", edits.before[face])
    for rows in _shown_rows(edits).values():
        for row in rows:
            pictures.save(folder / f"pictures/edit-{row}.png", edits.after[edits.own_way][row])


def _shown_rows(edits: Edits) -> dict[str, list[int]]:
    """Attribute -> the rows of the first photographs."""
    found: dict[str, list[int]] = {}
    for row, (attribute, face) in enumerate(zip(edits.attribute, edits.face.tolist(), strict=True)):
        if face < NUM_SHOWN:
            found.setdefault(attribute, []).append(row)
    return found
