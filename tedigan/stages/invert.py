"""photographs + encoder -> data/codes: the W+ code of every photograph, the text encoder's targets."""

import torch

from tedigan.dataset.folder import Dataset
from tedigan.method.losses import latent_loss
from tedigan.models.opening import load_encoder
from tedigan.progress import progress
from tedigan.store.files import finished_folder, sha256_file, write_json
from tedigan.store.model_folders import save_tensors
from tedigan.tensors import to_images
from tedigan.workspace import Outcome, Workspace


@torch.no_grad()
def run(workspace: Workspace) -> Outcome:
    """Write codes.safetensors: `ids` int64 [n], `ws` float32 [n, num_ws, w_dim], in id order."""
    data, device = Dataset.open(workspace.dataset), workspace.device
    encoder = load_encoder(workspace.model("encoder"), device)
    size = workspace.params.invert.batch_size
    parts = []
    for start in progress(range(0, len(data.ids), size), desc="invert", unit="batch"):
        ids = data.ids[start : start + size]
        padded = ids + [ids[-1]] * (size - len(ids))  # one batch shape, so one set of float bits
        parts.append(encoder(to_images(data.pixels(padded).to(device)))[: len(ids)].cpu())
    ws = torch.cat(parts)
    with finished_folder(workspace.codes) as folder:
        save_tensors(folder / "codes.safetensors", {"ids": torch.tensor(data.ids), "ws": ws})
        sha256 = sha256_file(workspace.model("encoder") / "encoder.safetensors")
        write_json(folder / "codes.json", {"encoder_sha256": sha256, "num_images": len(data.ids)})
    mean = encoder.w_avg.cpu().expand_as(ws)
    return Outcome(
        metrics={"num_images": float(len(ws)), "spread": latent_loss(ws, mean).item() ** 0.5}
    )
