"""photographs + text -> results/manipulated: edited photographs."""

from dataclasses import astuple

from tedigan.captions.lists import read_edits
from tedigan.dataset.folder import Dataset
from tedigan.errors import DataError
from tedigan.jobs.render_edits import jobs_of, render_edits
from tedigan.method.tuning import TuningSettings
from tedigan.models.makers import EDITED
from tedigan.params import chosen
from tedigan.stages.making_edits import open_editor
from tedigan.store.files import finished_folder, write_json
from tedigan.store.listing import QUARANTINE
from tedigan.store.model_folders import model_digests
from tedigan.store.photographs import Photographs, read_photographs
from tedigan.store.tables import write_table
from tedigan.workspace import Outcome, Workspace


def check(workspace: Workspace) -> None:
    """Refuse a bad edits file or an absent folder of photographs now."""
    params = workspace.params.manipulate
    read_edits(workspace.at(params.edits))
    if params.photographs != "test" and not workspace.at(params.photographs).exists():
        raise DataError(
            f"manipulate.photographs is {params.photographs}, which does not exist. Set it to a "
            "folder or a .tar of aligned faces, or to `test`."
        )


def run(workspace: Workspace) -> Outcome:
    """Write before/, inversion/, after/, strips/, edits.csv, trace.csv, grid.png, recipe.json, quarantine.csv."""
    params = workspace.params.manipulate
    edits = read_edits(workspace.at(params.edits))
    found = _photographs(workspace)
    jobs = jobs_of(edits, found.names, set_aside=found.stems_left_out)
    models = [workspace.model(name) for name in EDITED]
    inverter, editor = open_editor(workspace)
    with finished_folder(workspace.result("manipulated")) as folder:
        residual = render_edits(
            folder,
            inverter,
            editor,
            found.names,
            found.pixels,
            jobs,
            strip=params.strip,
            batch_size=params.batch_size,
            tuning=chosen(params, TuningSettings),
        )
        recipe = {"params": params.model_dump(mode="json"), "models": model_digests(models)}
        write_json(folder / "recipe.json", recipe)
        write_table(folder / "quarantine.csv", QUARANTINE, map(astuple, found.left_out))
    return Outcome(
        num_quarantined=len(found.left_out),
        metrics={"num_edits": float(len(jobs)), "inversion_pixel_mse": residual},
        pictures=[workspace.result("manipulated") / "grid.png"],
    )


def _photographs(workspace: Workspace) -> Photographs:
    """The photographs to edit, at the generator's resolution."""
    data, params = Dataset.open(workspace.dataset), workspace.params.manipulate
    if params.photographs == "test":
        ids = data.split("test")[: params.max_photographs]
        return Photographs([str(id) for id in ids], data.pixels(ids), [])
    return read_photographs(
        workspace.at(params.photographs), data.resolution, limit=params.max_photographs
    )
