"""A captions file -> results/generated: faces for each caption, and the first of them with other noise."""

from tedigan.captions.lists import read_captions
from tedigan.jobs.render_faces import RenderSettings, render_faces
from tedigan.models.makers import MODELS_OF
from tedigan.params import chosen
from tedigan.stages.making_faces import open_maker
from tedigan.store.files import finished_folder, write_json
from tedigan.store.model_folders import model_digests
from tedigan.workspace import Outcome, Workspace


def check(workspace: Workspace) -> None:
    """Refuse a bad captions file now."""
    read_captions(workspace.at(workspace.params.generate.captions))


def run(workspace: Workspace) -> Outcome:
    """Write the faces and their variants, a table of each, grid.png and recipe.json.

    The captions file is read and checked before any network is loaded.
    """
    params, folder = workspace.params.generate, workspace.result("generated")
    captions = read_captions(workspace.at(params.captions))
    maker, read, engine = open_maker(workspace)
    with finished_folder(folder) as fresh:
        num_faces = render_faces(
            fresh,
            maker,
            captions,
            chosen(params, RenderSettings),
            read=read,
            stage="generate",
        )
        models = model_digests(workspace.model(name) for name in MODELS_OF[params.way])
        recipe = {"params": params.model_dump(mode="json"), "models": models}
        write_json(fresh / "recipe.json", recipe | {"engine": engine.record()})
    return Outcome(
        metrics={"num_captions": float(len(captions)), "num_faces": float(num_faces)},
        pictures=[folder / "grid.png"],
    )
