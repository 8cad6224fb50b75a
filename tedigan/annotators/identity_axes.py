"""Who it is: directions of a tagger's features in which people differ, and one person's photographs do not.

    max_a (a' B a) / (a' W a)        Fisher's discriminant: W within a person's photographs, B of people's means

A closed form of features that are there anyway: nothing is trained. It tells an edit whom to keep, and judges
nothing; whether a person was kept is for a descriptor that no method follows.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

NUM_AXES = 64
SHRINKAGE = 0.1  # of W, towards features that do not go together
DEAD = 1e-6  # of the largest spread; a feature counts as spread so much that never moves


class IdentityAxes(nn.Module):
    """Features -> unit vectors; the cosine of two says how alike two people are."""

    mean: Tensor
    axes: Tensor

    def __init__(self, num_features: int, num_axes: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(num_features))
        self.register_buffer("axes", torch.zeros(num_features, num_axes))

    def forward(self, features: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """Differentiable."""
        return F.normalize((features - self.mean) @ self.axes, dim=1)


def find_identity_axes(
    features: Float[Tensor, "n d"], people: Int64[Tensor, " n"]
) -> IdentityAxes | None:
    """Of photographs' features and whom they show, below 0 where nobody knows.

    None where fewer than two people are shown twice, or where photographs of one person never differ.
    """
    _, who, counts = torch.unique(people, return_inverse=True, return_counts=True)
    is_shown_twice = (counts[who] > 1) & (people >= 0)
    features = features[is_shown_twice].double()
    _, who, counts = torch.unique(people[is_shown_twice], return_inverse=True, return_counts=True)
    if len(counts) < 2:
        return None
    means = features.new_zeros(len(counts), features.shape[1]).index_add_(0, who, features)
    means /= counts[:, None]
    own = features - means[who]
    within = own.T @ own / (len(own) - len(counts))
    alone = within.diagonal()
    if not alone.any():
        return None
    alone = torch.diag(alone.clamp_min(DEAD * alone.max()))
    spreads, vectors = torch.linalg.eigh((1 - SHRINKAGE) * within + SHRINKAGE * alone)
    white = vectors * spreads.rsqrt()
    apart = (means - features.mean(dim=0)) @ white
    _, turned = torch.linalg.eigh(apart.T @ (counts[:, None] * apart))
    found = IdentityAxes(features.shape[1], min(NUM_AXES, len(counts) - 1, features.shape[1]))
    found.mean.copy_(features.mean(dim=0))
    found.axes.copy_(white @ turned[:, -found.axes.shape[1] :])
    return found
