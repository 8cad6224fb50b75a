"""An official encoder in the place of a trained one: pictures of any size -> ws, with the statistics of W."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.encoders.idinvert import IdinvertEncoder
from tedigan.encoders.modalities import CHANNELS
from tedigan.encoders.psp import PyramidEncoder

OFFICIAL_ENCODERS = ("idinvert_encoder", "psp_encoder", "e4e_encoder")


def official_encoder(config: dict[str, Any]) -> IdinvertEncoder | PyramidEncoder:
    """One of OFFICIAL_ENCODERS, not yet filled, of the numbers that its import wrote."""
    if config["architecture"] == "idinvert_encoder":
        return IdinvertEncoder.from_json(config)
    return PyramidEncoder.from_json(config)


class AdoptedEncoder(nn.Module):
    """inputs `[n, input_channels, r, r]` -> ws `[n, num_ws, w_dim]` by a network that may want another size.

    w_avg, w_std: mean and deviation of the generator's W, which optimisation is measured in.
    """

    w_avg: Tensor
    w_std: Tensor

    def __init__(self, network: IdinvertEncoder | PyramidEncoder) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("w_avg", torch.zeros(network.w_dim))
        self.register_buffer("w_std", torch.ones(network.w_dim))

    @property
    def input_channels(self) -> int:
        """Of what it reads: 3 photographs, 1 sketches, 19 label maps."""
        return self.network.input_channels

    def forward(self, inputs: Float[Tensor, "n c r r"]) -> Float[Tensor, "n num_ws w_dim"]:
        """inputs: aligned as the network's training faces; resized if need be, so that no class is invented."""
        size = (self.network.input_size_px,) * 2
        if inputs.shape[2:] != size and self.input_channels == CHANNELS["label"]:
            inputs = F.interpolate(inputs, size, mode="nearest-exact")
        elif inputs.shape[2:] != size:
            inputs = F.interpolate(inputs, size, mode="bilinear", antialias=True)
        ws: Tensor = self.network(inputs)
        return ws
