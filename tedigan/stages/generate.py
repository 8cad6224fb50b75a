"""A captions file -> results/generated: `faces_per_caption` faces for each caption."""

from collections.abc import Iterator

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.method.text_to_face import FaceMaker
from tedigan.progress import progress
from tedigan.store import pictures
from tedigan.store.files import finished_folder, write_json
from tedigan.store.model_folders import model_digests
from tedigan.store.tables import read_captions, write_table
from tedigan.workspace import Outcome, Workspace

GRID_CAPTIONS = 32
COLUMNS = ["file", "caption_index", "image_index", "seed", "caption"]


def check(workspace: Workspace) -> None:
    """Refuse a bad captions file now."""
    read_captions(workspace.at(workspace.params.generate.captions))


def run(workspace: Workspace) -> Outcome:
    """Write faces/{caption}-{face}.{format}, faces.csv, grid.png (a row a caption) and recipe.json.

    The captions file is read and checked before any network is loaded. Faces are written as they come, so
    memory does not grow with their number; the grid shows the first captions.
    """
    params = workspace.params.generate
    captions = read_captions(workspace.at(params.captions))
    maker = FaceMaker.load(workspace)
    ws = _codes(maker, captions)
    shown: list[Tensor] = []
    rows = []
    with finished_folder(workspace.result("generated")) as folder:
        for index, picture in enumerate(_faces(maker, ws)):
            caption, face = divmod(index, params.faces_per_caption)
            name = f"faces/{caption:05d}-{face:03d}.{params.image_format}"
            pictures.save(folder / name, picture)
            rows.append([name, caption, index, params.seed, captions[caption]])
            if caption < GRID_CAPTIONS:
                shown.append(picture)
        write_table(folder / "faces.csv", COLUMNS, rows)
        grid = pictures.grid(torch.stack(shown), params.faces_per_caption)
        pictures.save(folder / "grid.png", grid)
        models = [workspace.model("generator"), workspace.model("text_encoder")]
        recipe = {
            "params": params.model_dump(mode="json"),
            "models": model_digests(models),
            "style_layers": maker.style_layers,
            "engine": maker.engine.record(),
        }
        write_json(folder / "recipe.json", recipe)
    return Outcome(
        metrics={"num_captions": float(len(captions)), "num_faces": float(len(ws))},
        pictures=[workspace.result("generated") / "grid.png"],
    )


def _codes(maker: FaceMaker, captions: list[str]) -> Float[Tensor, "n num_ws w_dim"]:
    """`faces_per_caption` codes for each caption, in the order of the captions."""
    params = maker.params
    count = params.faces_per_caption
    style = maker.random_ws(
        range(len(captions) * count), seed=params.seed, truncation_psi=params.truncation_psi
    )
    return maker.text_ws(maker.captions.ws(captions).repeat_interleave(count, dim=0), style)


def _faces(
    maker: FaceMaker, ws: Float[Tensor, "n num_ws w_dim"]
) -> Iterator[UInt8[Tensor, "3 r r"]]:
    total = -(-len(ws) // maker.params.batch_size)
    batches = maker.faces(ws, seed=maker.params.seed)
    for batch in progress(batches, total=total, desc="generate", unit="batch"):
        yield from batch
