"""What manipulate and evaluate_edits share: a workspace's way from photographs to edits, opened."""

from tedigan.method.edit import Editor
from tedigan.method.inversion import InversionSettings, Inverter
from tedigan.method.steering import SteeringSettings
from tedigan.models.makers import open_inverter, open_sentence_reader, open_steering
from tedigan.params import chosen
from tedigan.workspace import Workspace


def open_editor(workspace: Workspace) -> tuple[Inverter, Editor]:
    """What inverts its photographs and what edits their codes, with manipulate's numbers."""
    params, models, device = workspace.params.manipulate, workspace.models, workspace.device
    inverter = open_inverter(models, device, chosen(params, InversionSettings))
    numbers = chosen(params, SteeringSettings)
    steering = open_steering(models, device, numbers, generator=inverter.generator)
    place, known = workspace.model("text_mapper"), steering.tagger.names
    reader = open_sentence_reader(workspace.grammar, place, device, known=known)
    return inverter, Editor(reader.reading, steering)
