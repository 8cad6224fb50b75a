"""A list of sources -> results/composed: faces of sketches, label maps, photographs, styles and texts."""

from tedigan.dataset.folder import Dataset
from tedigan.jobs.compose_faces import ComposeSettings, compose_faces
from tedigan.jobs.source_list import read_sources
from tedigan.jobs.source_pictures import SourcePictures
from tedigan.method.steering import SteeringSettings
from tedigan.method.text_to_face import StartSettings
from tedigan.models.makers import COMPOSED, open_composer
from tedigan.params import chosen
from tedigan.store.files import finished_folder, write_json
from tedigan.store.model_folders import model_digests
from tedigan.workspace import Outcome, Workspace


def check(workspace: Workspace) -> None:
    """Refuse a bad list now."""
    read_sources(workspace.at(workspace.params.compose.sources))


def run(workspace: Workspace) -> Outcome:
    """Write the faces, a table of them, the rows' reports, grid.png and recipe.json."""
    params, numbers = workspace.params.compose, workspace.params.generate
    place = workspace.at(params.sources)
    sources = SourcePictures(Dataset.open(workspace.dataset), place.parent)
    rows = sources.there(read_sources(place))
    composer, reader = open_composer(
        workspace.models,
        workspace.grammar,
        workspace.device,
        chosen(numbers, StartSettings),
        chosen(numbers, SteeringSettings),
    )
    folder, settings = workspace.result("composed"), chosen(params, ComposeSettings)
    with finished_folder(folder) as fresh:
        num_faces = compose_faces(
            fresh, composer, reader, rows, settings, picture_of=sources.picture
        )
        models = model_digests(workspace.model(name) for name in COMPOSED)
        recipe = {"params": params.model_dump(mode="json"), "models": models}
        write_json(fresh / "recipe.json", recipe)
    return Outcome(
        metrics={"num_rows": float(len(rows)), "num_faces": float(num_faces)},
        pictures=[folder / "grid.png"],
    )
