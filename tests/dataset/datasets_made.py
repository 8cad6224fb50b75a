"""Runs the dataset stage in a folder of its own, with params small enough for seconds."""

from pathlib import Path

from tedigan.dataset.folder import Dataset
from tedigan.params import read_params
from tedigan.stages import dataset
from tedigan.workspace import Outcome, Workspace

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared/data"
SMALL = {"resolution": 16, "num_images": None, "captions_per_image": 2, "records_per_shard": 4}
SMALL |= {"kinds": ["text", "sketch", "label"], "split": "identity"}
SMALL |= {"faceless": "keep"}  # what tests make pictures of is noise


def workspace(folder: Path, *, num_workers: int = 1, **changes: object) -> Workspace:
    params = read_params(ROOT / "params.yaml")
    folder.mkdir(exist_ok=True)
    section = params.dataset.model_copy(update=SMALL | changes)
    runtime = params.runtime.model_copy(update={"num_workers": num_workers})
    return Workspace(folder, params.model_copy(update={"dataset": section, "runtime": runtime}))


def run(folder: Path, **changes: object) -> tuple[Dataset, Outcome]:
    place = workspace(folder, **changes)
    outcome = dataset.run(place)
    return Dataset.open(place.dataset), outcome
