"""The stages: the one table that both doors (`python -m tedigan <stage>` and the flows) read.

A stage is a function of a `Workspace` that reads its own section of params.yaml and the outputs of
earlier stages, writes its outputs, and returns an `Outcome`. Its outputs hold no time, host or commit.
"""

import importlib
from dataclasses import dataclass

from tedigan.stages.outcome import Outcome, Workspace

__all__ = ["STAGES", "Outcome", "Stage", "Workspace", "run_stage"]


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
        Stage("manipulate", "photographs + text -> edited photographs"),
        Stage("report", "one self-contained page"),
    ]
}


def run_stage(name: str, workspace: Workspace) -> Outcome:
    """Run one stage. Its module, `tedigan.stages.<name>`, is imported only now."""
    outcome: Outcome = importlib.import_module(f"tedigan.stages.{name}").run(workspace)
    return outcome
