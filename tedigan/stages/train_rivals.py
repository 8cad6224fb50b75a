"""photographs + captions -> models/rivals: published methods, written anew, to compare with; none unless named."""

from collections import ChainMap
from pathlib import Path

from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.reader import Reader
from tedigan.code_lock import digest_of_stage
from tedigan.dataset.folder import Dataset
from tedigan.rivals.rival_folder import gather_rivals, last_losses
from tedigan.rivals.training_run import RivalSettings, TrainingRun
from tedigan.store.disk import remove
from tedigan.training_sections import TrainRivals
from tedigan.workspace import Outcome, Workspace


def run(workspace: Workspace) -> Outcome:
    """Train those that are named, one after the other, upon encoders that they share.

    Where they lie until all are whole outlives a kill and DVC's removal of outputs, as checkpoints do.
    """
    section, under_way = workspace.params.train_rivals, workspace.work / "rivals"
    folder = under_way / digest_of_stage("train_rivals")[:16]
    training = open_training(workspace, section, folder)
    made = training.run(section.methods)
    losses = [last_losses(place) for place in made]
    gather_rivals(workspace.model("rivals"), made, training.data.licence)
    remove(under_way)
    return Outcome(metrics=dict(ChainMap(*losses)), resumed_from_step=training.resumed_from_step)


def open_training(workspace: Workspace, section: TrainRivals, folder: Path) -> TrainingRun:
    """Of this workspace's train split, by the numbers of a section; `folder` gets a folder for each rival."""
    return TrainingRun(
        Dataset.open(workspace.dataset),
        Reader(load_grammar(workspace.grammar)),
        RivalSettings(**section.model_dump(exclude={"methods"})),
        folder,
        workspace.work,
        workspace.device,
        code=digest_of_stage("train_rivals"),
        profile_steps=workspace.params.runtime.profile,
    )
