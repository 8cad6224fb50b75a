"""Params small enough that every stage of the lifecycle trains for real in seconds."""

from pathlib import Path

from tedigan.workspace import Workspace
from tests.stages.toy import toy_workspace

SMALL: dict[str, dict[str, object]] = {
    "train_generator": {
        "init": None,
        "total_nimg": 32,
        "z_dim": 16,
        "w_dim": 16,
        "num_mapping_layers": 2,
        "channel_base": 128,
        "channel_max": 8,
        "batch_size": 4,
        "checkpoint_every": 2,
    },
    "train_encoder": {
        "head_dim": 16,
        "num_synthetic_steps": 3,
        "num_steps": 3,
        "batch_size": 4,
        "checkpoint_every": 2,
    },
    "invert": {"batch_size": 16},
    "train_text_encoder": {
        "hidden_dim": 16,
        "captions_per_image": 1,
        "num_steps": 10,
        "batch_size": 8,
        "checkpoint_every": 4,
    },
    "generate": {"captions": "captions.txt", "faces_per_caption": 2, "batch_size": 4},
    "manipulate": {
        "edits": "edits.csv",
        "max_photographs": 2,
        "num_steps": 2,
        "num_edit_steps": 1,
        "batch_size": 2,
    },
}


def small_workspace(root: Path, **sections: dict[str, object]) -> Workspace:
    """40 toy photographs, two captions, one edit for each photograph."""
    (root / "captions.txt").write_text("She is young.\nThe man has a beard.\n")
    (root / "edits.csv").write_text("photograph,text\n*,She has blond hair.\n")
    merged = {name: SMALL[name] | sections.get(name, {}) for name in SMALL}
    return toy_workspace(root, num_images=40, **merged)
