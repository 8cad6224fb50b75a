"""An official encoder in the place of a trained one: photographs of any size -> ws, with the statistics of W."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.encoders.idinvert import IdinvertEncoder
from tedigan.encoders.psp import PyramidEncoder

OFFICIAL_ENCODERS = ("idinvert_encoder", "psp_encoder", "e4e_encoder")


def official_encoder(config: dict[str, Any]) -> IdinvertEncoder | PyramidEncoder:
    """One of OFFICIAL_ENCODERS, not yet filled, of the numbers that its import wrote."""
    if config["architecture"] == "idinvert_encoder":
        return IdinvertEncoder.from_json(config)
    return PyramidEncoder.from_json(config)


class AdoptedEncoder(nn.Module):
    """images `[n, 3, r, r]` -> ws `[n, num_ws, w_dim]` by a network that may want another size.

    w_avg, w_std: mean and deviation of the generator's W, which optimisation is measured in.
    """

    w_avg: Tensor
    w_std: Tensor

    def __init__(self, network: IdinvertEncoder | PyramidEncoder) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("w_avg", torch.zeros(network.w_dim))
        self.register_buffer("w_std", torch.ones(network.w_dim))

    def forward(self, images: Float[Tensor, "n 3 r r"]) -> Float[Tensor, "n num_ws w_dim"]:
        """images in -1..1, aligned as the network's training faces; resized (bilinear, antialiased) if need be."""
        size = self.network.input_size_px
        if images.shape[-1] != size:
            images = F.interpolate(images, (size, size), mode="bilinear", antialias=True)
        ws: Tensor = self.network(images)
        return ws
