"""models that come along + sentences -> results/showcase: the same captions and edits, drawn by other models.

Every face is generated, also those that are edited, which are random codes: no photograph is read. All numbers but
the showcase's own are generate's and manipulate's. Without models the record is empty, and says so.
"""

from pathlib import Path
from typing import Any

from tedigan.jobs.render_faces import RenderSettings, render_faces
from tedigan.jobs.render_strips import render_strips
from tedigan.method.text_to_face import random_ws
from tedigan.models.ready_made import check_holds
from tedigan.stages.making_showcase import HELD, first_sentences, open_showcase, recipe_of
from tedigan.store.files import finished_folder, write_json
from tedigan.workspace import Outcome, Workspace

NOTHING: dict[str, Any] = {"models": {}, "licence": None, "num_faces": 0, "num_strips": 0}


def check(workspace: Workspace) -> None:
    """Refuse models that are not all there now."""
    named = workspace.params.showcase.models
    if named is not None:
        check_holds(
            workspace.given(named), HELD, advice="Set showcase.models to such a folder, or to null."
        )


def run(workspace: Workspace) -> Outcome:
    """Write generated/ and edited/ faces, and recipe.json; of null models recipe.json alone, which names none."""
    check(workspace)
    params, folder = workspace.params.showcase, workspace.result("showcase")
    models = workspace.at_or_none(params.models)
    with finished_folder(folder) as fresh:
        recipe = NOTHING if models is None else show(workspace, models, fresh)
        write_json(fresh / "recipe.json", {"params": params.model_dump(mode="json")} | recipe)
    return Outcome(
        metrics={name: float(recipe[name]) for name in ("num_faces", "num_strips")},
        pictures=[folder / place / "grid.png" for place in ("generated", "edited") if models],
    )


def show(workspace: Workspace, models: Path, folder: Path) -> dict[str, Any]:
    """Draw faces of the captions, and edit random faces by the texts; returns the recipe."""
    params, numbers = workspace.params.showcase, workspace.params.generate
    captions, texts = first_sentences(workspace)
    maker, editor, engine = open_showcase(workspace, models)
    num_faces = render_faces(
        folder / "generated",
        maker,
        captions,
        RenderSettings(
            faces_per_caption=params.faces_per_caption,
            seed=params.seed,
            image_format=numbers.image_format,
            noise_variants=0,
            variant_layers=None,
        ),
        read=editor.read,
        stage="showcase",
    )
    rows, psi = range(params.num_faces), numbers.truncation_psi
    num_strips = render_strips(
        folder / "edited",
        editor,
        random_ws(maker.generator, rows, seed=params.seed, truncation_psi=psi),
        texts,
        strengths=params.strengths,
        batch_size=workspace.params.manipulate.batch_size,
        stage="showcase",
    )
    counts = {"num_faces": num_faces, "num_strips": num_strips}
    return recipe_of(workspace, models) | counts | {"engine": engine.record()}
