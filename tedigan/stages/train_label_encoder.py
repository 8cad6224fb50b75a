"""label maps + generator + codes -> models/label_encoder: label map -> W+, trained here or adopted."""

from tedigan.annotators.parser import load_parser
from tedigan.stages.training_encoders import train
from tedigan.training.drawing_lessons import labels_by
from tedigan.workspace import Outcome, Workspace


def run(workspace: Workspace) -> Outcome:
    """Learn from a parser's maps of generated faces, where one is named, and from the data set's."""
    params = workspace.params.train_label_encoder
    if params.parser is None:
        return train(workspace, params, "label", None, [])
    folder = workspace.given(params.parser)
    parser = load_parser(str(folder), workspace.device)
    return train(workspace, params, "label", labels_by(parser), [folder])
