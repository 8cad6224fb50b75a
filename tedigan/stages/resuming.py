"""What training stages share: a loop that is found again after a kill, the photographs it sees, its end."""

from collections.abc import Sequence, Set
from functools import partial
from pathlib import Path

from tedigan.code_lock import digest_of_stage
from tedigan.dataset.folder import Dataset
from tedigan.encoders.modalities import Drawing
from tedigan.training.data_order import Beside, TrainingImages, nothing
from tedigan.training.drawing_lessons import drawings_of
from tedigan.training.loop import Loop
from tedigan.workspace import Outcome, Workspace


def open_loop(
    workspace: Workspace,
    stage: str,
    inputs: Sequence[Path | None],
    *,
    lengths: Set[str] = frozenset(),
) -> Loop:
    """lengths: parameters that no weight depends on, as how long to train; a checkpoint serves others too."""
    section = getattr(workspace.params, stage)
    depends_on = {
        "stage": stage,
        "code": digest_of_stage(stage),
        "params": section.model_dump(mode="json", exclude={*lengths, "checkpoint_every"}),
    }
    return Loop(
        stage,
        work=workspace.work,
        depends_on=depends_on,
        inputs=[path for path in inputs if path is not None],
        every=section.checkpoint_every,
        batch_size=getattr(section, "batch_size", None),
        profile_steps=workspace.params.runtime.profile,
    )


def open_images(
    workspace: Workspace, data: Dataset, loop: Loop, *, beside: Beside = nothing
) -> TrainingImages:
    """The train split, in the order that the stage's section seeds; see TrainingImages."""
    section = getattr(workspace.params, loop.name)
    return TrainingImages(
        data,
        data.split("train"),
        batch_size=section.batch_size,
        seed=section.seed,
        name=loop.name,
        device=workspace.device,
        on_device=workspace.params.runtime.photographs == "device",
        meter=loop.meter,
        beside=beside,
    )


def open_drawn_images(
    workspace: Workspace, data: Dataset, loop: Loop, modality: Drawing
) -> TrainingImages | None:
    """The same with sketches or label maps beside; None where the data set has none."""
    if modality not in data.kinds:
        return None
    return open_images(workspace, data, loop, beside=partial(drawings_of, data, modality=modality))


def close_loop(
    loop: Loop, folder: Path, metrics: dict[str, float], *, pictures: Sequence[str] = ()
) -> Outcome:
    """The model stands in `folder`: forget the checkpoint, and say what was done."""
    loop.checkpoint.remove()
    return Outcome(
        metrics=metrics,
        curves=folder / "log.csv",
        pictures=[folder / name for name in pictures],
        resumed_from_step=loop.resumed_from_step,
    )
