"""What manipulate and evaluate_edits share: a workspace's way from photographs to edits, opened."""

from tedigan.method.edit import Editor
from tedigan.method.inversion import InversionSettings, Inverter
from tedigan.method.steering import SteeringSettings
from tedigan.models import makers
from tedigan.params import chosen
from tedigan.workspace import Workspace


def open_editor(workspace: Workspace) -> tuple[Inverter, Editor]:
    """What inverts its photographs and what edits their codes, with manipulate's numbers."""
    params = workspace.params.manipulate
    return makers.open_editor(
        workspace.models,
        workspace.grammar,
        workspace.device,
        chosen(params, InversionSettings),
        chosen(params, SteeringSettings),
        region_cells=params.region_cells,
    )
