"""Path length regularisation: a step of one length in W changes the picture by as much everywhere (StyleGAN2)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.draws import normal
from tedigan.training import ranks

DECAY = 0.01  # of the running mean, a step


class PathLength(nn.Module):
    """The running mean of path lengths, which the penalty pulls every path towards.

    Karras et al., arXiv:1912.04958, section 3.2; decay as in stylegan2-ada-pytorch.
    """

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros([]))

    def penalty(
        self,
        images: Float[Tensor, "n 3 r r"],
        ws: Float[Tensor, "n num_ws w_dim"],
        rng: torch.Generator,
    ) -> Float[Tensor, ""]:
        """mean (|J^T y| - a)^2 for noise y, where images depend on ws; moves a towards these lengths."""
        noise = normal(rng, *images.shape).to(images) / math.sqrt(images[0, 0].numel())
        (gradient,) = torch.autograd.grad((images * noise).sum(), ws, create_graph=True)
        lengths = gradient.square().sum(dim=2).mean(dim=1).sqrt()
        self.mean.lerp_(ranks.mean(lengths.detach().mean()), DECAY)
        return (lengths - self.mean).square().mean()
