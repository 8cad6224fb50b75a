"""The stages: the one table that both doors (`python -m tedigan <stage>` and the flows) read.

A stage is a function of a `Workspace` that reads its own section of params.yaml and the outputs of
earlier stages, writes its outputs, and returns an `Outcome`. Its outputs hold no time, host or commit.
"""

import importlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tedigan.workspace import Outcome, Workspace

__all__ = ["STAGES", "Finished", "Outcome", "Stage", "Workspace", "run_stage"]


@dataclass(frozen=True)
class Stage:
    """name: the same word in dvc.yaml, params.yaml and the flows. summary: for people.

    version: raised by hand when the stage's results change for equal inputs; checkpoints of another
    version are not resumed.
    """

    name: str
    summary: str
    version: int = 1


STAGES = {
    stage.name: stage
    for stage in [
        Stage("dataset", "photographs (or drawn faces) -> MM-CelebA-HQ layout"),
        Stage("train_generator", "StyleGAN2 on the photographs, or a ready-made one"),
        Stage("train_encoder", "inversion encoder: photograph -> W+"),
        Stage("invert", "the W+ code of every photograph"),
        Stage("train_text_encoder", "text encoder: caption -> W+"),
        Stage("train_referee", "the independent judge of attributes and identity"),
        Stage("evaluate", "text fidelity, distances, reconstruction, identity"),
        Stage("generate", "captions -> faces"),
        Stage("manipulate", "photographs + text -> edited photographs", version=2),
        Stage("report", "one self-contained page"),
    ]
}


@dataclass(frozen=True)
class Finished:
    """A stage that ran: what it did, and the run record that says when, where and of what."""

    outcome: "Outcome"
    record: Path


def run_stage(name: str, workspace: "Workspace") -> Finished:
    """Run one stage and write its run record, also where it fails. Its module is imported only now."""
    from tedigan import provenance

    stage = importlib.import_module(f"tedigan.stages.{name}")
    section = getattr(workspace.params, name).model_dump(mode="json")
    with provenance.run_record(
        workspace.work / "runs", stage=name, version=STAGES[name].version, params=section
    ) as record:
        outcome: Outcome = stage.run(workspace)
        record.add(outcome=asdict(outcome))
    return Finished(outcome, record.path)


def check_stages(workspace: "Workspace") -> None:
    """Ask each stage that offers `check(workspace)` to refuse now what it would refuse when it runs."""
    for name in STAGES:
        check = getattr(importlib.import_module(f"tedigan.stages.{name}"), "check", None)
        if check is not None:
            check(workspace)


def __getattr__(name: str) -> Any:
    """`Outcome` and `Workspace` bring torch, which a command line's help does without."""
    if name in ("Outcome", "Workspace"):
        return getattr(importlib.import_module("tedigan.workspace"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
