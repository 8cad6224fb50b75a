"""What the page says of results/composed and results/sources: faces of several sources, and what each holds."""

from pathlib import Path
from typing import Any

from tedigan.report.copying import copied
from tedigan.store.files import read_json
from tedigan.store.report_inputs import read_rows

MAX_TILES = 6  # of a row: what was given, and faces
HOLDS = {
    "edge_f1": "sketch ↑",
    "label_iou": "label map ↑",
    "identity_cosine": "photograph ↑",
    "colour_distance": "style ↓",
    "text_fidelity": "sentence ↑",
    "variety": "variety ↑",
}


def read_composed(source: Path, folder: Path, most: int) -> list[dict[str, Any]]:
    """The first rows of the list of sources: what was given, the faces, and how they came about."""
    faces: dict[str, list[str]] = {}
    for row in read_rows(source / "faces.csv"):
        faces.setdefault(row["row"], []).append(row["file"])
    shown = []
    for one in read_json(source / "reports.json")[:most]:
        number = one["row"]
        given = {
            name: copied(source / place, folder, f"pictures/given-{number}-{name}.webp")
            for name, place in one["given"].items()
        }
        names = [
            copied(source / place, folder, f"pictures/composed-{number}-{index}.webp")
            for index, place in enumerate(faces[str(number)][: MAX_TILES - len(given)])
        ]
        about = {"text": one["text"], "report": one["report"]}
        shown.append(about | {"given": given, "pictures": names})
    return shown


def read_holds(source: Path) -> dict[str, dict[str, float | None]]:
    """Way or rival -> what each of HOLDS is there; None where it was not measured."""
    found: dict[str, dict[str, float | None]] = {}
    for name, metric in read_json(source / "metrics.json").items():
        hold, _, who = name.partition("/")
        found.setdefault(who, dict.fromkeys(HOLDS))[hold] = metric["value"]
    return found


def picture_names(composed: list[dict[str, Any]]) -> list[str]:
    """Of all that is shown."""
    return [name for row in composed for name in (*row["given"].values(), *row["pictures"])]
