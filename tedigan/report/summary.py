"""What the report is made of, gathered from the other stages' outputs: values, and pictures no larger than shown.

summary.json is a function of those outputs alone: it names no run, host or time.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tedigan.report import composed, judged_edits
from tedigan.report.copying import MAX_PX, copied
from tedigan.store import pictures
from tedigan.store.files import read_json, sha256_file, write_json
from tedigan.store.model_folders import read_layers
from tedigan.store.report_inputs import read_picture_file, read_rows

MAX_FACES = 6  # beside a text
MAX_VARIANTS = 8  # of the first of them
STRIP_PX = VARIANT_PX = 128
MODELS = (
    "generator",
    "encoder",
    "text_encoder",
    "guide",
    "latent_tagger",
    "text_mapper",
    "referee",
)
_STEPS = {
    "photograph": "before",
    "inversion": "inversion",
    "edit": "after",
}  # -> column of edits.csv


@dataclass(frozen=True)
class Sources:
    """The folders that other stages made. models: holds a folder for each of MODELS."""

    dataset: Path
    models: Path
    evaluation: Path
    edits: Path
    generated: Path
    manipulated: Path
    showcase: Path
    composed: Path
    sources: Path


def write_summary(
    folder: Path, sources: Sources, *, title: str, max_examples: int
) -> dict[str, Any]:
    """Write summary.json and its pictures, and return the summary.

    max_examples: rows of each kind of example.
    """
    summary = {
        "title": title,
        "texts": _texts(sources.generated, folder, max_examples),
        "edits": _edits(sources.manipulated, folder, max_examples),
        "showcase": _showcase(sources.showcase, folder, max_examples),
        "composed": composed.read_composed(sources.composed, folder, max_examples),
        "holds": composed.read_holds(sources.sources),
        "judged": judged_edits.read_edits(sources.edits, folder),
        "layers": read_layers(sources.models / "layers"),
        "reconstructions": _reconstructions(sources.evaluation, folder, max_examples),
        "metrics": read_json(sources.evaluation / "metrics.json"),
        "curves": {name: _curves(sources.models / name / "log.csv") for name in MODELS},
        "dataset": _dataset(sources.dataset, folder),
        "files": _digests(sources),
    }
    write_json(folder / "summary.json", summary)
    return summary


def read_summary(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The summary, and the bytes of each picture that it names."""
    summary = read_json(folder / "summary.json")
    return summary, {name: read_picture_file(folder / name) for name in _picture_names(summary)}


def _texts(source: Path, folder: Path, most: int) -> list[dict[str, Any]]:
    """The first captions, their first faces, and what the first of these is with other noise."""
    table, others = source / "variants.csv", dict[str, dict[str, Any]]()
    if table.is_file():
        others = _by_text(
            table, folder, "variant", most, most_pictures=MAX_VARIANTS, max_px=VARIANT_PX
        )
    return [
        row | {"variants": others[index]["pictures"] if index in others else []}
        for index, row in _by_text(source / "faces.csv", folder, "text", most).items()
    ]


def _by_text(
    table: Path,
    folder: Path,
    name: str,
    most: int,
    *,
    columns: tuple[str, str] = ("caption", "file"),
    most_pictures: int = MAX_FACES,
    max_px: int = MAX_PX,
) -> dict[str, dict[str, Any]]:
    """The first texts of a table, by their index, and the first pictures of each. columns: of text, picture."""
    text, picture = columns
    rows: dict[str, dict[str, Any]] = {}
    for row in read_rows(table):
        key = row[f"{text}_index"]
        if key not in rows and len(rows) == most:
            break
        words = {"text": row[text], "understood": row["understood"]}
        group = rows.setdefault(key, words | {"pictures": []})
        if len(group["pictures"]) < most_pictures:
            place = f"pictures/{name}-{key}-{len(group['pictures'])}.webp"
            shown = copied(table.parent / row[picture], folder, place, max_px=max_px)
            group["pictures"].append(shown)
    return rows


def _edits(source: Path, folder: Path, most: int) -> list[dict[str, Any]]:
    edits = []
    for index, row in enumerate(read_rows(source / "edits.csv")[:most]):
        shown = {
            step: copied(source / row[column], folder, f"pictures/edit-{index}-{step}.webp")
            for step, column in _STEPS.items()
        }
        strip = None
        if row["strip"]:
            name = f"pictures/edit-{index}-strip.webp"
            strip = copied(source / row["strip"], folder, name, max_px=STRIP_PX)
        edits.append({"text": row["text"], **shown, "strip": strip})
    return edits


def _showcase(source: Path, folder: Path, most: int) -> dict[str, Any] | None:
    """The same sentences by models that come along, and on which terms these are given; None without any."""
    recipe = read_json(source / "recipe.json")
    if not recipe["models"]:
        return None
    faces, strips = source / "generated" / "faces.csv", source / "edited" / "edits.csv"
    columns = ("text", "strip")
    texts = _by_text(faces, folder, "showcase-text", most)
    edits = _by_text(strips, folder, "showcase-edit", most, columns=columns, max_px=STRIP_PX)
    shown = {"texts": [*texts.values()], "edits": [*edits.values()]}
    return shown | {"licence": recipe["licence"]}


def _reconstructions(evaluation: Path, folder: Path, most: int) -> list[dict[str, str]]:
    source = evaluation / "reconstructions"
    count = min(most, len(list(source.glob("*-photograph.png"))))
    return [
        {
            kind: copied(source / f"{index}-{kind}.png", folder, f"pictures/{kind}-{index}.webp")
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


def _dataset(source: Path, folder: Path) -> dict[str, Any]:
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
    pictures.save(folder / name, pictures.load(source / "examples.png"))
    return {"facts": shown, "examples": name}


def _digests(sources: Sources) -> dict[str, str]:
    """sha256 of the data set's tables, of every network, the showcase's too, and of the metrics."""
    names = ("dataset.json", "index.parquet")
    files = {f"dataset/{name}": sources.dataset / name for name in names}
    for model in MODELS:
        tensors = sorted((sources.models / model).glob("*.safetensors"))
        files |= {f"{model}/{path.name}": path for path in tensors}
    files["evaluation/metrics.json"] = sources.evaluation / "metrics.json"
    files["edits/metrics.json"] = sources.edits / "metrics.json"
    files["sources/metrics.json"] = sources.sources / "metrics.json"
    shown = read_json(sources.showcase / "recipe.json")["models"]
    return {name: sha256_file(path) for name, path in files.items()} | {
        f"showcase/{name}": digest for name, digest in shown.items()
    }


def _picture_names(summary: dict[str, Any]) -> list[str]:
    shown = summary["showcase"] or {"texts": [], "edits": []}
    by_text = [*summary["texts"], *shown["texts"], *shown["edits"]]
    names = [name for row in by_text for name in row["pictures"]]
    names += [name for row in summary["texts"] for name in row["variants"]]
    names += [row[step] for row in summary["edits"] for step in _STEPS]
    names += [row["strip"] for row in summary["edits"] if row["strip"] is not None]
    names += composed.picture_names(summary["composed"])
    names += judged_edits.picture_names(summary["judged"])
    names += [name for row in summary["reconstructions"] for name in row.values()]
    return [*names, summary["dataset"]["examples"]]
