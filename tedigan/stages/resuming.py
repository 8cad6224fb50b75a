"""The loop of a training stage, found again after a kill by all that its result depends on."""

from pathlib import Path

from tedigan.code_lock import digest_of_stage
from tedigan.training.loop import Loop
from tedigan.workspace import Workspace


def open_loop(
    workspace: Workspace,
    stage: str,
    inputs: list[Path],
    *,
    lengths: frozenset[str] = frozenset(),
) -> Loop:
    """lengths: parameters that only say how long to train; a checkpoint serves a longer run too."""
    section = getattr(workspace.params, stage)
    depends_on = {
        "stage": stage,
        "code": digest_of_stage(stage),
        "params": section.model_dump(mode="json", exclude=lengths | {"checkpoint_every"}),
    }
    return Loop(
        stage,
        work=workspace.work,
        depends_on=depends_on,
        inputs=inputs,
        every=section.checkpoint_every,
    )
