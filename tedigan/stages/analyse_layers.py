"""generator + guide + latent tagger -> models/layers: which layers draw which attribute.

layers.json  a row an attribute: gain with its interval, leak, and the layers that control moves
layers.csv   the same as a table
"""

from tedigan.method.layer_analysis import analyse_layers, layer_table
from tedigan.method.steering import SteeringSettings
from tedigan.method.text_to_face import random_ws
from tedigan.models.layers import save_layers
from tedigan.models.makers import open_steering
from tedigan.params import chosen
from tedigan.progress import progress
from tedigan.workspace import Outcome, Workspace


def run(workspace: Workspace) -> Outcome:
    """Search, on random faces, a shift for each attribute, and make it on one layer at a time."""
    params = workspace.params.analyse_layers
    steering = open_steering(
        workspace.models, workspace.device, chosen(params, SteeringSettings), has_layers=False
    )
    ws = random_ws(
        steering.generator,
        range(params.num_faces),
        seed=params.seed,
        truncation_psi=params.truncation_psi,
    )
    names = steering.tagger.names
    found = analyse_layers(steering, ws, batch_size=params.batch_size)
    bar = progress(found, total=len(names), desc="analyse_layers", unit="attribute")
    table = layer_table(names, list(bar), seed=params.seed)
    save_layers(workspace.model("layers"), table, num_faces=params.num_faces)
    drawn = table.acts.any(dim=1)
    return Outcome(
        metrics={
            "num_attributes_drawn": float(drawn.sum()),
            "layers_per_attribute": table.acts[drawn].float().sum(dim=1).mean().nan_to_num().item(),
        }
    )
