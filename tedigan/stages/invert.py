"""photographs + encoder -> data/codes: the W+ code of every photograph, the text encoder's targets."""

import torch

from tedigan.dataset.folder import Dataset
from tedigan.jobs.invert_photographs import invert_photographs
from tedigan.method.losses import latent_loss
from tedigan.models.opening import load_encoder, load_generator
from tedigan.store.files import finished_folder, sha256_file, write_json
from tedigan.store.model_folders import save_tensors
from tedigan.workspace import Outcome, Workspace


def run(workspace: Workspace) -> Outcome:
    """Write codes.safetensors: `ids` int64 [n], `ws` float32 [n, num_ws, w_dim], in id order."""
    data, source = Dataset.open(workspace.dataset), workspace.model("encoder")
    generator = load_generator(workspace.model("generator"), workspace.device)
    encoder = load_encoder(source, generator)
    ws = invert_photographs(data, encoder, batch_size=workspace.params.invert.batch_size)
    with finished_folder(workspace.codes) as folder:
        save_tensors(folder / "codes.safetensors", {"ids": torch.tensor(data.ids), "ws": ws})
        sha256 = sha256_file(source / "encoder.safetensors")
        write_json(folder / "codes.json", {"encoder_sha256": sha256, "num_images": len(data.ids)})
    mean = encoder.w_avg.cpu().expand_as(ws)
    return Outcome(
        metrics={"num_images": float(len(ws)), "spread": latent_loss(ws, mean).item() ** 0.5}
    )
