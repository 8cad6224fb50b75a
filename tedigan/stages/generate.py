"""A captions file -> results/generated: `faces_per_caption` faces for each caption."""

import torch

from tedigan.stages.outcome import Outcome, Workspace
from tedigan.stages.progress import progress
from tedigan.stages.synthesis import FaceMaker
from tedigan.store import pictures
from tedigan.store.files import finished_folder, write_json
from tedigan.store.models import model_digests
from tedigan.store.tables import read_captions, write_table

COLUMNS = ["file", "caption_index", "image_index", "seed", "caption"]


def check(workspace: Workspace) -> None:
    """Refuse a bad captions file now."""
    read_captions(workspace.at(workspace.params.generate.captions))


def run(workspace: Workspace) -> Outcome:
    """Write faces/{caption}-{face}.png, faces.csv, grid.png (a row a caption) and recipe.json.

    The captions file is read and checked before any network is loaded.
    """
    params = workspace.params.generate
    captions = read_captions(workspace.at(params.captions))
    maker = FaceMaker.load(workspace)
    repeated = [caption for caption in captions for _ in range(params.faces_per_caption)]
    style = maker.random_ws(
        range(len(repeated)), seed=params.seed, truncation_psi=params.truncation_psi
    )
    text = maker.captions.ws(captions).repeat_interleave(params.faces_per_caption, dim=0)
    ws = maker.text_ws(text, style)

    with finished_folder(workspace.result("generated")) as folder:
        total = -(-len(ws) // params.batch_size)
        batches = progress(
            maker.faces(ws, seed=params.seed), total=total, desc="generate", unit="batch"
        )
        pixels = torch.cat(list(batches))
        rows = []
        for index, picture in enumerate(pixels):
            caption, face = divmod(index, params.faces_per_caption)
            name = f"faces/{caption:05d}-{face:03d}.png"
            pictures.save(folder / name, picture)
            rows.append([name, caption, index, params.seed, captions[caption]])
        write_table(folder / "faces.csv", COLUMNS, rows)
        pictures.save(folder / "grid.png", pictures.grid(pixels, params.faces_per_caption))
        models = [workspace.model("generator"), workspace.model("text_encoder")]
        recipe = {"params": params.model_dump(mode="json"), "models": model_digests(models)}
        write_json(folder / "recipe.json", recipe | {"style_layers": maker.style_layers})
    return Outcome(
        metrics={"num_captions": float(len(captions)), "num_faces": float(len(pixels))},
        pictures=[workspace.result("generated") / "grid.png"],
    )
