"""W in coordinates of its own: principal axes, each in its own deviations, so that a random code is near N(0, 1).

One step there means as much in any direction, which is what optimisation, linear directions and a prior on codes
need (the PN space of Zhu et al., arXiv:2012.09036, here without the inverse of the last activation).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.generator.stylegan import Generator

LEAST_DEVIATION = 1e-3  # of the widest axis; a narrower one is rounding, and not kept


class Whitening(nn.Module):
    """w `[..., w_dim]` <-> u `[..., num_axes]`, widest axis first; a W+ code row by row.

    What a code has outside of the kept axes is lost on the way.
    """

    mean: Tensor
    to_u: Tensor
    to_w: Tensor

    def __init__(self, w_dim: int, num_axes: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(w_dim))
        self.register_buffer("to_u", torch.zeros(w_dim, num_axes))
        self.register_buffer("to_w", torch.zeros(num_axes, w_dim))

    @property
    def num_axes(self) -> int:
        """Numbers of u."""
        return len(self.to_w)

    def whiten(self, w: Float[Tensor, "*rows w_dim"]) -> Float[Tensor, "*rows num_axes"]:
        """w -> u."""
        return (w - self.mean) @ self.to_u

    def colour(self, u: Float[Tensor, "*rows num_axes"]) -> Float[Tensor, "*rows w_dim"]:
        """u -> w."""
        return self.mean + u @ self.to_w


@torch.no_grad()
def whitening_of(
    generator: Generator, rng: torch.Generator, *, num_samples: int = 20_000
) -> Whitening:
    """The axes of a generator's W over random z, on its device; where each layer has a w of its own, all count."""
    z = torch.randn(num_samples, generator.config.z_dim, generator=rng)
    w = generator.mapping(z.to(generator.mapping.w_avg.device)).flatten(0, -2)
    mean = w.mean(dim=0)
    variances, axes = torch.linalg.eigh(torch.cov((w - mean).T.double()).cpu())
    deviations, axes = variances.clamp_min(0).sqrt().flip(0), axes.flip(1)
    kept = deviations > LEAST_DEVIATION * deviations[0]
    deviations, axes = deviations[kept], axes[:, kept]
    whitening = Whitening(*axes.shape)
    whitening.mean.copy_(mean)
    whitening.to_u.copy_(axes / deviations)
    whitening.to_w.copy_(axes.T * deviations[:, None])
    return whitening.to(mean.device)
