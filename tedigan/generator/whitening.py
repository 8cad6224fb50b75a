"""W in coordinates of its own, in which a random code is near N(0, 1): the PN space of arXiv:2012.09036.

The mapping network ends in a leaky ReLU, which folds W along every axis. Its inverse unfolds it; then come
principal axes, each in its own deviations. One step there means as much in any direction, and a code as long as
random ones are is a code that the generator has learnt: what optimisation and a prior on codes need.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.generator.ops import LRELU_SLOPE
from tedigan.generator.stylegan import Generator

# Of the widest axis. A narrower one draws next to nothing, and along it all but random codes are far out: w_avg
# of assets/celebahq-64 lies 6.8 deviations from the mean along the narrowest 50 of 251, and 1.2 along the others.
LEAST_DEVIATION = 0.02


class Whitening(nn.Module):
    """w `[..., w_dim]` <-> u `[..., num_axes]`, widest axis first; a W+ code row by row.

        p = w where w >= 0, w / slope elsewhere      u = (p - mean) to_u      p = mean + u to_p

    What a code has outside of the kept axes is lost on the way, but not by `moved`.
    """

    mean: Tensor
    to_u: Tensor
    to_p: Tensor
    slope: Tensor

    def __init__(self, w_dim: int, num_axes: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(w_dim))
        self.register_buffer("to_u", torch.zeros(w_dim, num_axes))
        self.register_buffer("to_p", torch.zeros(num_axes, w_dim))
        self.register_buffer("slope", torch.tensor(LRELU_SLOPE))

    @property
    def num_axes(self) -> int:
        """Numbers of u."""
        return len(self.to_p)

    def whiten(self, w: Float[Tensor, "*rows w_dim"]) -> Float[Tensor, "*rows num_axes"]:
        """w -> u."""
        return (_unfolded(w, self.slope) - self.mean) @ self.to_u

    def colour(self, u: Float[Tensor, "*rows num_axes"]) -> Float[Tensor, "*rows w_dim"]:
        """u -> w."""
        return self._folded(self.mean + u @ self.to_p)

    def moved(
        self, w: Float[Tensor, "*rows w_dim"], shift: Float[Tensor, "*broadcast num_axes"]
    ) -> Float[Tensor, "*rows w_dim"]:
        """w, its u moved by this; what it has outside of the kept axes stays. To the bit w itself by 0."""
        p = _unfolded(w, self.slope)
        return w + (self._folded(p + shift @ self.to_p) - self._folded(p))

    def _folded(self, p: Tensor) -> Tensor:
        return torch.where(p < 0, p * self.slope, p)


def _unfolded(w: Tensor, slope: Tensor | float) -> Tensor:
    return torch.where(w < 0, w / slope, w)


@torch.no_grad()
def whitening_of(
    generator: Generator, rng: torch.Generator, *, num_samples: int = 20_000
) -> Whitening:
    """The axes of a generator's W over random z, on its device; where each layer has a w of its own, all count."""
    z = torch.randn(num_samples, generator.config.z_dim, generator=rng)
    w = generator.mapping(z.to(generator.mapping.w_avg.device)).flatten(0, -2)
    p = _unfolded(w, LRELU_SLOPE)
    mean = p.mean(dim=0)
    variances, axes = torch.linalg.eigh(torch.cov((p - mean).T.double()).cpu())
    deviations, axes = variances.clamp_min(0).sqrt().flip(0), axes.flip(1)
    kept = deviations > LEAST_DEVIATION * deviations[0]
    deviations, axes = deviations[kept], axes[:, kept]
    whitening = Whitening(*axes.shape)
    whitening.mean.copy_(mean)
    whitening.to_u.copy_(axes / deviations)
    whitening.to_p.copy_(axes.T * deviations[:, None])
    return whitening.to(mean.device)
