"""The stages: the one table that both doors (`python -m tedigan <stage>` and the flows) read.

A stage is a function of a `Workspace` that reads its own section of params.yaml and the outputs of
earlier stages, writes its outputs, and returns an `Outcome`. Its outputs hold no time, host or commit.
"""

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tedigan import code_lock
from tedigan.store.disk_errors import on_disk

if TYPE_CHECKING:
    from tedigan.workspace import Outcome, Workspace

__all__ = ["STAGES", "Finished", "Stage", "check_code", "check_stages", "run_stage"]


@dataclass(frozen=True)
class Stage:
    """name: the same word in dvc.yaml, params.yaml and the flows. summary: for people."""

    name: str
    summary: str


STAGES = {
    stage.name: stage
    for stage in [
        Stage("dataset", "photographs (or drawn faces) -> MM-CelebA-HQ layout"),
        Stage("train_generator", "StyleGAN2 on the photographs, or a ready-made one"),
        Stage("train_encoder", "inversion encoder: photograph -> W+"),
        Stage("invert", "the W+ code of every photograph"),
        Stage("train_sketch_encoder", "sketch -> W+"),
        Stage("train_label_encoder", "label map -> W+"),
        Stage("train_text_encoder", "text encoder: caption -> W+"),
        Stage("train_guide", "the tagger that steering follows"),
        Stage("train_latent_tagger", "attributes read off codes"),
        Stage("analyse_layers", "which layers draw which attribute"),
        Stage("train_text_mapper", "open wording -> wishes, and wishes -> shifts of codes"),
        Stage("train_referee", "the independent judge of attributes and identity"),
        Stage("train_rivals", "published methods, to compare with; none unless they are named"),
        Stage("evaluate", "text fidelity, distances, reconstruction, identity"),
        Stage("evaluate_edits", "edits and inversions of test photographs, beside their rivals"),
        Stage("evaluate_sources", "faces of test drawings, beside their rivals"),
        Stage("generate", "captions -> faces"),
        Stage("compose", "sketches, label maps, photographs, styles and texts -> faces"),
        Stage("manipulate", "photographs + text -> edited photographs"),
        Stage("showcase", "the same captions and edits, by models that come along"),
        Stage("report", "one self-contained page"),
    ]
}


@dataclass(frozen=True)
class Finished:
    """A stage that ran: what it did, and the run record that says when, where and of what."""

    outcome: "Outcome"
    record: Path


def run_stage(
    name: str, workspace: "Workspace", *, ids: Mapping[str, str | None] | None = None
) -> Finished:
    """Run one stage and write its run record, also where it fails. Its module is imported only now.

    ids: under which other tools know this run (tedigan.provenance).
    """
    from tedigan import in_ranks, provenance

    check_code(workspace, [name])
    stage = importlib.import_module(f"tedigan.stages.{name}")
    section = getattr(workspace.params, name).model_dump(mode="json")
    with provenance.run_record(
        workspace.runs,
        stage=name,
        code=code_lock.digest_of_stage(name),
        params=section,
        ids=ids or {},
    ) as record:
        record.add(surroundings=in_ranks.surroundings(name, workspace))
        with on_disk(f"the stage {name}"):
            outcome: Outcome = in_ranks.run(name, workspace, stage.run)
        record.add(outcome=asdict(outcome))
    return Finished(outcome, record.path)


def check_stages(workspace: "Workspace") -> None:
    """Ask each stage that offers `check(workspace)` to refuse now what it would refuse when it runs."""
    check_code(workspace, STAGES)
    from tedigan import in_ranks

    for name in STAGES:
        in_ranks.num_processes(name, workspace)
        check = getattr(importlib.import_module(f"tedigan.stages.{name}"), "check", None)
        if check is not None:
            with on_disk(f"the check of the stage {name}"):
                check(workspace)


def check_code(workspace: "Workspace", stages: Iterable[str]) -> None:
    """Where there is a dvc.yaml, DVC records the digests of code.lock; they must be those of this code."""
    if (workspace.root / "dvc.yaml").exists():
        code_lock.check_lock(workspace.code_lock, stages)
