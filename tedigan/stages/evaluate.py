"""networks + test photographs -> results/evaluation: metrics with floors, ceilings and protocols.

metrics.json         every metric: value, n, interval, floor, ceiling, better, protocol
per_attribute.csv    text fidelity of each attribute
subjects.json        the captions that were used, in order
*.png                reconstructions (photographs above inversions), texts, variants
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tedigan.annotators.referee import load_judge
from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.reader import Reader
from tedigan.dataset.folder import GRAMMAR, Dataset
from tedigan.evaluation.contestants import Networks, Subjects, gather
from tedigan.evaluation.faces import (
    measure_distances,
    measure_diversity,
    measure_fidelity,
)
from tedigan.evaluation.feature_nets import EfficientNetLite0
from tedigan.evaluation.metric import Instruments, Metric
from tedigan.evaluation.perceptual_distance import PerceptualDistance
from tedigan.evaluation.reconstruction import measure_identity, measure_reconstruction
from tedigan.params import Evaluate
from tedigan.progress import progress
from tedigan.store import pictures
from tedigan.store.files import finished_folder, write_json
from tedigan.store.model_folders import read_config
from tedigan.store.packaged_weights import (
    EFFICIENTNET,
    LPIPS_ALEX,
    STLPIPS_ALEX,
    load_alexnet_trunk,
    load_packaged,
)
from tedigan.store.tables import write_table
from tedigan.workspace import Outcome, Workspace

NUM_SHOWN = 8


def run(workspace: Workspace) -> Outcome:
    """Measure everything on the test split."""
    return evaluate(workspace, Networks.load(workspace))


def evaluate(workspace: Workspace, networks: Networks) -> Outcome:
    """As `run`, of given networks."""
    params = workspace.params.evaluate
    tools = load_instruments(workspace)
    people = read_config(workspace.model("referee"))["identity"]
    subjects = gather(Dataset.open(workspace.dataset), networks, params)
    metrics, per_attribute = measure(subjects, tools, params, people)
    folder = workspace.result("evaluation")
    with finished_folder(folder) as fresh:
        write_json(fresh / "metrics.json", {one.name: one.to_json() for one in metrics})
        _write_per_attribute(fresh / "per_attribute.csv", per_attribute)
        write_json(fresh / "subjects.json", {"captions": subjects.captions})
        names = _write_pictures(fresh, subjects)
    measured = {one.name: one.value for one in metrics if one.value is not None}
    return Outcome(
        metrics={plain_name(name): value for name, value in measured.items()},
        pictures=[folder / name for name in names],
    )


def load_instruments(workspace: Workspace) -> Instruments:
    """The referee, the data set's grammar, and the feature networks of packages or the given trunk."""
    params, device = workspace.params.evaluate, workspace.device
    if params.lpips_trunk is None:
        distance = PerceptualDistance.stlpips_alex(load_packaged(STLPIPS_ALEX))
    else:
        trunk = load_alexnet_trunk(workspace.at(params.lpips_trunk))
        distance = PerceptualDistance.lpips_alex(trunk, load_packaged(LPIPS_ALEX))
    return Instruments(
        load_judge(workspace.model("referee"), device),
        Reader(load_grammar(workspace.dataset / GRAMMAR)),
        EfficientNetLite0.build(load_packaged(EFFICIENTNET), device),
        distance.to(device),
        params.seed,
        params.batch_size,
    )


def measure(
    subjects: Subjects, tools: Instruments, params: Evaluate, people: dict[str, Any] | None
) -> tuple[list[Metric], list[dict[str, Any]]]:
    """All metrics in the order in which the report shows them, and text fidelity by attribute."""
    metrics, per_attribute = measure_fidelity(subjects, tools, params.num_prompts)
    groups: list[Callable[[], list[Metric]]] = [
        lambda: measure_distances(subjects, tools, params.num_images),
        lambda: measure_diversity(subjects, tools),
        lambda: measure_reconstruction(subjects, tools),
        lambda: measure_identity(subjects, tools, people),
    ]
    for group in progress(groups, desc="evaluate: metrics", unit="group"):
        metrics += group()
    return metrics, per_attribute


def plain_name(name: str) -> str:
    """A metric's name in the letters that MLflow takes: `text_fidelity/referee/n300`."""
    return re.sub(r"[\[,]", "/", name).replace("]", "").replace("=", "")


def _write_per_attribute(path: Path, rows: list[dict[str, Any]]) -> None:
    columns = list(rows[0])
    cells = [["" if row[name] is None else _show(row[name]) for name in columns] for row in rows]
    write_table(path, columns, cells)


def _show(value: str | int | float) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _write_pictures(folder: Path, subjects: Subjects) -> list[str]:
    """Small sheets for the report; photographs of people stay in results/, which git ignores."""
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
