"""Mean and covariance of features that pass by once, in memory that does not grow with their number."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from tedigan.errors import ShapeError
from tedigan.evaluation.distances import ROUNDING


@dataclass
class Moments:
    """count, mean and scatter (the sum of outer products about the mean) of what was added; float64.

    Batches are merged as Chan, Golub and LeVeque do (1979), without differences of large sums.
    """

    count: int
    mean: Float64[Tensor, " d"]
    scatter: Float64[Tensor, "d d"]

    @classmethod
    def none(cls, width: int) -> "Moments":
        """Of nothing yet."""
        zero = torch.zeros(width, dtype=torch.float64)
        return cls(0, zero, torch.zeros(width, width, dtype=torch.float64))

    def add(self, features: Float[Tensor, "n d"]) -> None:
        """Some more."""
        x = features.double()
        mean = x.mean(dim=0)
        away, total = mean - self.mean, self.count + len(x)
        own = (x - mean).T @ (x - mean)
        self.scatter += own + torch.outer(away, away) * (self.count * len(x) / total)
        self.mean += away * (len(x) / total)
        self.count = total

    @property
    def covariance(self) -> Float64[Tensor, "d d"]:
        """Without bias; of at least two."""
        if self.count < 2:
            raise ShapeError(
                f"a covariance of {self.count} images was asked for; a spread takes 2."
            )
        return self.scatter / (self.count - 1)


def frechet_of_moments(ours: Moments, theirs: Moments) -> float:
    """|mu1 - mu2|^2 + tr(S1 + S2 - 2 (S1 S2)^1/2)        arXiv:1706.08500, Eq. 6

    By eigenvalues of S1^1/2 S2 S1^1/2, which is symmetric, so that nothing complex comes up.
    """
    values, vectors = torch.linalg.eigh(ours.covariance)
    half = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(half @ theirs.covariance @ half).clamp(min=0).sqrt().sum()
    traces = ours.covariance.trace() + theirs.covariance.trace()
    distance = float((ours.mean - theirs.mean).square().sum() + traces - 2 * cross)
    return 0.0 if distance < ROUNDING * float(traces) else distance
