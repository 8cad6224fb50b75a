"""Twenty steps of each training on toy data, and the losses that they were recorded to have.

A change of the mathematics changes them: of a term, its weight, the order of the steps, the data or the noise, a
schedule; so does another number in params.yaml. `python -m tests.stages.recorded` writes them anew; say in the
commit why.
"""

import csv
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from tedigan.stages import (
    train_encoder,
    train_generator,
    train_label_encoder,
    train_referee,
    train_sketch_encoder,
    train_text_encoder,
    train_text_mapper,
)
from tedigan.store.model_folders import load_tensors
from tedigan.training.parser_and_tagger import Settings, train_parser, train_tagger
from tedigan.workspace import Workspace
from tests.dataset import datasets_made
from tests.stages.small import small_workspace, write_codes, write_models
from tests.stages.toy import TINY_REFEREE

RECORD = Path(__file__).parent / "recorded_losses.json"
NUM_STEPS = 20
DRAWING: dict[str, object] = {
    "num_synthetic_steps": 6,
    "num_steps": NUM_STEPS - 6,
    "checkpoint_every": 100,
    "weight_delta": 0.1,
}
SECTIONS: dict[str, dict[str, object]] = {
    "train_generator": {
        "total_nimg": 4 * NUM_STEPS,
        "learning_rate": 0.001,
        "checkpoint_every": 100,
        "r1_interval": 4,
        "ema_halflife_nimg": 40,
        "ema_rampup": 0.5,
        "augment": "color,translation",
    },
    "train_encoder": {
        "checkpoint_every": 100,
        "num_synthetic_steps": 6,
        "num_steps": NUM_STEPS - 6,
        "r1_interval": 4,
        "weight_adversarial": 0.3,
        "weight_latent": 3.0,
    },
    "train_sketch_encoder": DRAWING,
    "train_label_encoder": DRAWING | {"weight_adversarial": 0.3, "r1_interval": 4},
    "train_text_encoder": {"num_steps": NUM_STEPS, "checkpoint_every": 100},
    "train_text_mapper": {
        "num_reader_steps": NUM_STEPS,
        "num_mover_steps": NUM_STEPS,
        "checkpoint_every": 100,
    },
    "train_referee": TINY_REFEREE | {"num_steps": NUM_STEPS, "batch_size": 16},
}
SETTINGS = Settings(base_channels=4, num_steps=NUM_STEPS, batch_size=8, learning_rate=0.002)
Losses = dict[str, list[float]]


def generator_losses(root: Path) -> Losses:
    """With the distance of the average from G, which no loss shows."""
    workspace = small_workspace(root, **SECTIONS)
    train_generator.run(workspace)
    folder = workspace.model("generator")
    live, average = (load_tensors(folder / f"{name}.safetensors") for name in ("G", "G_ema"))
    distance = sum((live[name] - average[name]).square().sum().item() for name in live)
    return _logged(folder) | {"distance_of_average": [distance**0.5]}


def encoder_losses(root: Path) -> Losses:
    """Of the encoder and of its adversary, against an untrained generator."""
    workspace = small_workspace(root, **SECTIONS)
    write_models(workspace)
    train_encoder.run(workspace)
    return _logged(workspace.model("encoder"))


def sketch_encoder_losses(root: Path) -> Losses:
    """Of our sketches of generated faces, and of a data set's drawings."""
    workspace = _inverted(root)
    train_sketch_encoder.run(workspace)
    return _logged(workspace.model("sketch_encoder"))


def label_encoder_losses(root: Path) -> Losses:
    """Of a data set's maps alone, with the adversary."""
    workspace = _inverted(root)
    train_label_encoder.run(workspace)
    return _logged(workspace.model("label_encoder"))


def text_encoder_losses(root: Path) -> Losses:
    """Of captions and drawn codes."""
    workspace = small_workspace(root, **SECTIONS)
    write_codes(workspace)
    train_text_encoder.run(workspace)
    return _logged(workspace.model("text_encoder"))


def text_mapper_losses(root: Path) -> Losses:
    """Of composed sentences, then of random codes and wishes under untrained networks."""
    workspace = small_workspace(root, **SECTIONS)
    write_models(workspace)
    train_text_mapper.run(workspace)
    return _logged(workspace.model("text_mapper"))


def referee_losses(root: Path) -> Losses:
    """Of attributes and identities."""
    workspace = small_workspace(root, **SECTIONS)
    train_referee.run(workspace)
    return _logged(workspace.model("referee"))


def tagger_losses(root: Path) -> Losses:
    """Of attributes."""
    workspace = small_workspace(root)
    options = {"work": root / "work", "device": torch.device("cpu")}
    train_tagger(workspace.dataset, root / "tagger", SETTINGS, **options)
    return _logged(root / "tagger")


def parser_losses(root: Path) -> Losses:
    """Of label maps of drawn faces."""
    sizes = {"resolution": 32, "num_images": 12, "kinds": ["label"], "val_fraction": 0.5}
    data, _ = datasets_made.run(root / "w", source="drawn", test_fraction=0.0, **sizes)
    options = {"work": root / "work", "device": torch.device("cpu")}
    train_parser(data.folder, root / "parser", SETTINGS, **options)
    return _logged(root / "parser")


def _inverted(root: Path) -> Workspace:
    workspace = small_workspace(root, **SECTIONS)
    write_models(workspace)
    write_codes(workspace)
    return workspace


def _logged(folder: Path) -> Losses:
    """The columns of a model folder's log.csv; one may have fewer numbers than there were steps."""
    with (folder / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name != "step"]
    return {name: [float(row[name]) for row in rows if row[name]] for name in names}


TRAININGS: dict[str, Callable[[Path], Losses]] = {
    "train_generator": generator_losses,
    "train_encoder": encoder_losses,
    "train_sketch_encoder": sketch_encoder_losses,
    "train_label_encoder": label_encoder_losses,
    "train_text_encoder": text_encoder_losses,
    "train_text_mapper": text_mapper_losses,
    "train_referee": referee_losses,
    "tagger": tagger_losses,
    "parser": parser_losses,
}


def main() -> None:
    """Write the losses of every training, here and now: a line a column."""
    found = {}
    for name, losses in TRAININGS.items():
        with tempfile.TemporaryDirectory() as folder:
            columns = losses(Path(folder)).items()
        lines = [f"{json.dumps(column)}: {json.dumps(values)}" for column, values in columns]
        found[name] = f"{json.dumps(name)}: {{\n  " + ",\n  ".join(lines) + "\n }"
    RECORD.write_text("{\n " + ",\n ".join(found.values()) + "\n}\n")


if __name__ == "__main__":
    torch.set_num_threads(1)  # as the tests: sums over two are rounded otherwise
    main()
