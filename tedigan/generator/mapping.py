"""f: z -> w, and truncation."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.generator.config import GeneratorConfig
from tedigan.generator.ops import Linear


class Mapping(nn.Module):
    """StyleGAN's mapping network: an MLP on normalised z, with the running mean `w_avg` of what it gives.

    It gives one w for all layers (`rows` below is no axis at all) or, without config.repeat_w, one for
    each (`rows` is num_ws).
    """

    w_avg: Tensor

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.num_layers, self.w_shape = config.num_mapping_layers, config.w_shape
        for i in range(self.num_layers):
            layer = Linear(
                config.z_dim if i == 0 else config.w_dim,
                math.prod(self.w_shape) if i == self.num_layers - 1 else config.w_dim,
                lr_multiplier=config.mapping_lr_multiplier,
                activate=True,
            )
            self.add_module(f"fc{i}", layer)
        self.register_buffer("w_avg", torch.zeros(self.w_shape))

    def forward(self, z: Float[Tensor, "n z_dim"]) -> Float[Tensor, "n *rows w_dim"]:
        """z ~ N(0, 1) -> w, before truncation."""
        x = z * (z.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()
        for i in range(self.num_layers):
            x = self.get_submodule(f"fc{i}")(x)
        return x.unflatten(1, self.w_shape)

    @torch.no_grad()
    def track_w_avg(self, w: Float[Tensor, "n *rows w_dim"], *, beta: float = 0.995) -> None:
        """Move `w_avg` towards the batch's mean; called once per training step."""
        self.w_avg.copy_(w.mean(dim=0).lerp(self.w_avg, beta))


def truncate(
    ws: Float[Tensor, "n num_ws w_dim"],
    w_avg: Float[Tensor, "*rows w_dim"],
    *,
    truncation_psi: float,
    truncation_cutoff: int | None = None,
) -> Float[Tensor, "n num_ws w_dim"]:
    """Pull W+ codes towards the mean face.

        ws' = w_avg + psi (ws - w_avg)          StyleGAN, arXiv:1812.04948, appendix B

    truncation_psi: 1 leaves ws as it is, 0 gives the mean face; 0.7 trades variety for quality.
    truncation_cutoff: number of leading (coarse) layers to truncate; None means all.
    Returns a new tensor; ws is not changed.
    """
    pulled = w_avg.lerp(ws, truncation_psi)
    if truncation_cutoff is None:
        return pulled
    return torch.cat([pulled[:, :truncation_cutoff], ws[:, truncation_cutoff:]], dim=1)
