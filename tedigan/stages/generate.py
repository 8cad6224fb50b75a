"""A captions file -> results/generated: `faces_per_caption` faces for each caption."""

from tedigan.captions.lists import read_captions
from tedigan.jobs.render_faces import render_faces
from tedigan.method.text_to_face import FaceSettings
from tedigan.models.makers import open_face_maker
from tedigan.params import chosen
from tedigan.store.files import finished_folder, write_json
from tedigan.store.model_folders import model_digests
from tedigan.workspace import Outcome, Workspace


def check(workspace: Workspace) -> None:
    """Refuse a bad captions file now."""
    read_captions(workspace.at(workspace.params.generate.captions))


def run(workspace: Workspace) -> Outcome:
    """Write the faces, faces.csv, grid.png and recipe.json.

    The captions file is read and checked before any network is loaded.
    """
    params = workspace.params.generate
    captions = read_captions(workspace.at(params.captions))
    settings = chosen(params, FaceSettings)
    maker, engine = open_face_maker(
        workspace.models,
        workspace.device,
        settings,
        precision=params.precision,
        compilation=params.compile,
    )
    with finished_folder(workspace.result("generated")) as folder:
        num_faces = render_faces(
            folder,
            maker,
            captions,
            faces_per_caption=params.faces_per_caption,
            seed=params.seed,
            image_format=params.image_format,
        )
        recipe = {
            "params": params.model_dump(mode="json"),
            "models": model_digests(
                workspace.model(name) for name in ("generator", "text_encoder")
            ),
            "style_layers": maker.style_layers,
            "engine": engine.record(),
        }
        write_json(folder / "recipe.json", recipe)
    return Outcome(
        metrics={"num_captions": float(len(captions)), "num_faces": float(num_faces)},
        pictures=[workspace.result("generated") / "grid.png"],
    )
