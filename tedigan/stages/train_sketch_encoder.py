"""sketches + generator + codes -> models/sketch_encoder: sketch -> W+, trained here or adopted."""

from tedigan.stages.training_encoders import train
from tedigan.training.drawing_lessons import sketches_of
from tedigan.workspace import Outcome, Workspace


def run(workspace: Workspace) -> Outcome:
    """Learn from our own sketches of generated faces, and from the data set's."""
    return train(workspace, workspace.params.train_sketch_encoder, "sketch", sketches_of, [])
