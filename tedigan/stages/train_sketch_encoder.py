"""sketches + generator + codes -> models/sketch_encoder: sketch -> W+, trained here or adopted."""

from tedigan.annotators.parser import load_parser
from tedigan.stages.training_encoders import train
from tedigan.training.drawing_lessons import sketches_and_outlines, sketches_of
from tedigan.workspace import Outcome, Workspace


def run(workspace: Workspace) -> Outcome:
    """Learn from our own sketches and outlines of generated faces, and from the data set's sketches."""
    params = workspace.params.train_sketch_encoder
    if params.parser is None:
        return train(workspace, params, "sketch", sketches_of, [])
    folder = workspace.given(params.parser)
    of_pairs = sketches_and_outlines(load_parser(str(folder), workspace.device))
    return train(workspace, params, "sketch", sketches_of, [folder], of_pairs=of_pairs)
