"""Photographs of a data set -> their W+ codes."""

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.encoders.encoder import Encoder
from tedigan.progress import progress
from tedigan.tensors import to_images


@torch.no_grad()
def invert_photographs(
    data: Dataset, encoder: Encoder, *, batch_size: int
) -> Float[Tensor, "n num_ws w_dim"]:
    """The encoder's code of every photograph, in the order of ids, on the CPU."""
    parts = []
    for start in progress(range(0, len(data.ids), batch_size), desc="invert", unit="batch"):
        ids = data.ids[start : start + batch_size]
        padded = ids + [ids[-1]] * (batch_size - len(ids))  # one shape, so one set of float bits
        images = to_images(data.pixels(padded).to(encoder.w_avg.device))
        parts.append(encoder(images)[: len(ids)].cpu())
    return torch.cat(parts)
