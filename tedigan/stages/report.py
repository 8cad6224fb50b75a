"""results + models + data -> results/report (summary.json and its pictures), and the page results/report.html.

summary.json is a function of the other stages' outputs alone. The page adds what names the runs (Prefect and
MLflow ids, times, dvc.lock), so it lies beside the tracked folder, and `render_page` writes it anew whenever it
is called.
"""

from pathlib import Path
from typing import Any

from tedigan.report.report_page import report_page
from tedigan.store import pictures
from tedigan.store.files import finished_folder, read_json, sha256_file, write_json, write_text
from tedigan.store.report_inputs import last_runs, locked_outputs, read_picture_file, read_rows
from tedigan.workspace import Outcome, Workspace

MAX_PX = 256
MODELS = ("generator", "encoder", "text_encoder", "referee")


def run(workspace: Workspace) -> Outcome:
    """Write the summary and its pictures, then the page."""
    folder = workspace.result("report")
    with finished_folder(folder) as fresh:
        write_json(fresh / "summary.json", _summary(workspace, fresh))
    place = render_page(workspace)
    summary = read_json(folder / "summary.json")
    counts = {name: float(len(summary[name])) for name in ("texts", "edits", "metrics")}
    return Outcome(
        metrics={f"num_{name}": value for name, value in counts.items()}, pictures=[place]
    )


def render_page(workspace: Workspace) -> Path:
    """Write results/report.html from the summary and the run records; returns its path."""
    from tedigan.stages import STAGES

    folder = workspace.result("report")
    summary = read_json(folder / "summary.json")
    shown = {name: read_picture_file(folder / name) for name in _picture_names(summary)}
    records = last_runs(workspace.work, list(STAGES))
    place = folder.parent / "report.html"
    write_text(place, report_page(summary, shown, records, locked_outputs(workspace.root)))
    return place


def _summary(workspace: Workspace, fresh: Path) -> dict[str, Any]:
    params = workspace.params.report
    return {
        "title": params.title,
        "texts": _texts(workspace.result("generated"), fresh, params.max_examples),
        "edits": _edits(workspace.result("manipulated"), fresh, params.max_examples),
        "reconstructions": _reconstructions(
            workspace.result("evaluation"), fresh, params.max_examples
        ),
        "metrics": read_json(workspace.result("evaluation") / "metrics.json"),
        "curves": {name: _curves(workspace.model(name) / "log.csv") for name in MODELS},
        "dataset": _dataset(workspace.dataset, fresh),
        "files": _digests(workspace),
    }


def _texts(source: Path, fresh: Path, most: int) -> list[dict[str, Any]]:
    """The first captions and their first six faces."""
    rows: dict[str, dict[str, Any]] = {}
    for row in read_rows(source / "faces.csv"):
        group = rows.setdefault(row["caption_index"], {"caption": row["caption"], "pictures": []})
        if len(rows) <= most and len(group["pictures"]) < 6:
            name = f"pictures/text-{row['caption_index']}-{len(group['pictures'])}.webp"
            group["pictures"].append(_copy(source / row["file"], fresh, name))
    return list(rows.values())[:most]


def _edits(source: Path, fresh: Path, most: int) -> list[dict[str, Any]]:
    edits = []
    for index, row in enumerate(read_rows(source / "edits.csv")[:most]):
        steps = {"photograph": "before", "inversion": "inversion", "edit": "after"}
        copied = {
            step: _copy(source / row[column], fresh, f"pictures/edit-{index}-{step}.webp")
            for step, column in steps.items()
        }
        edits.append({"text": row["text"], **copied})
    return edits


def _reconstructions(source: Path, fresh: Path, most: int) -> list[dict[str, str]]:
    folder = source / "reconstructions"
    count = min(most, len(list(folder.glob("*-photograph.png"))))
    return [
        {
            kind: _copy(folder / f"{index}-{kind}.png", fresh, f"pictures/{kind}-{index}.webp")
            for kind in ("photograph", "inversion")
        }
        for index in range(count)
    ]


def _curves(path: Path) -> dict[str, dict[str, list[float]]]:
    """Each logged number with its steps; nothing where the stage trained nothing."""
    rows = read_rows(path) if path.is_file() else []
    columns = [name for name in rows[0] if name != "step"] if rows else []
    return {
        name: {
            "steps": [float(row["step"]) for row in rows if row[name]],
            "values": [float(row[name]) for row in rows if row[name]],
        }
        for name in columns
    }


def _dataset(source: Path, fresh: Path) -> dict[str, Any]:
    facts = read_json(source / "dataset.json")
    shown = {
        "photographs": f"{facts['num_images']:,}",
        "splits": ", ".join(f"{name} {count:,}" for name, count in facts["num_per_split"].items()),
        "resolution": f"{facts['resolution']} px",
        "captions": f"{facts['captions_per_image'] or 'own ones'} per photograph",
        "identities": facts["identities"],
        "label maps": "yes" if "label" in facts["kinds"] else "no",
        "source": facts["source"],
        "licence": facts["licence"],
    }
    name = "pictures/examples.webp"
    sheet = pictures.load(source / "examples.png")
    pictures.save(fresh / name, sheet)
    return {"facts": shown, "examples": name}


def _digests(workspace: Workspace) -> dict[str, str]:
    """sha256 of the data set's tables and of every network."""
    names = ("dataset.json", "index.parquet")
    files = {f"dataset/{name}": sha256_file(workspace.dataset / name) for name in names}
    for model in MODELS:
        for path in sorted(workspace.model(model).glob("*.safetensors")):
            files[f"{model}/{path.name}"] = sha256_file(path)
    files["evaluation/metrics.json"] = sha256_file(workspace.result("evaluation") / "metrics.json")
    return files


def _copy(source: Path, fresh: Path, name: str) -> str:
    """A picture, no larger than the page shows it."""
    pixels = pictures.load(source)
    if pixels.shape[-1] > MAX_PX:
        pixels = pictures.resize(pixels, MAX_PX)
    pictures.save(fresh / name, pixels)
    return name


def _picture_names(summary: dict[str, Any]) -> list[str]:
    names = [name for row in summary["texts"] for name in row["pictures"]]
    names += [value for row in summary["edits"] for key, value in row.items() if key != "text"]
    names += [value for row in summary["reconstructions"] for value in row.values()]
    return [*names, summary["dataset"]["examples"]]
