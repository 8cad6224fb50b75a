"""Distances between two sets of features: Frechet, and the kernel distance without its bias.

Their values depend on the feature network and, for Frechet, on the number of images; both belong to a
metric's name. None of them is "FID", which is Inception-v3 on 50,000 images.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.errors import ShapeError

ROUNDING = 1e-10  # of the traces: what float64 leaves of a distance that is zero


def frechet_distance(features: Float[Tensor, "n d"], others: Float[Tensor, "m d"]) -> float:
    """|mu1 - mu2|^2 + tr(S1 + S2 - 2 (S1 S2)^1/2)        arXiv:1706.08500, Eq. 6

    With S = A^T A, tr (S1 S2)^1/2 is the sum of the singular values of A1 A2^T: exact also where there are fewer
    images than features, and never complex. float64; 0 for a set with itself; symmetric.
    """
    _check(features, others)
    (mean, half), (other_mean, other_half) = _moments(features), _moments(others)
    traces = half.square().sum() + other_half.square().sum()
    cross = torch.linalg.svdvals(half @ other_half.T).sum()
    offset = (mean - other_mean).square().sum()
    distance = float(offset + traces - 2 * cross)
    return 0.0 if distance < ROUNDING * float(traces) else distance


def kernel_distance(features: Float[Tensor, "n d"], others: Float[Tensor, "m d"]) -> float:
    """Unbiased squared MMD with the kernel (x.y / d + 1)^3        KID, arXiv:1801.01401

    Its mean does not depend on the number of images; it can be a little below 0.
    """
    _check(features, others)
    x, y = features.double(), others.double()
    within = [_off_diagonal_mean(_kernel(one, one)) for one in (x, y)]
    return float(sum(within) - 2 * _kernel(x, y).mean())


def _moments(features: Tensor) -> tuple[Float[Tensor, " d"], Float[Tensor, "r d"]]:
    """The mean, and A with A^T A = covariance and at most d rows."""
    x = features.double()
    mean = x.mean(dim=0)
    half = (x - mean) / (len(x) - 1) ** 0.5
    if len(half) > half.shape[1]:
        half = torch.linalg.qr(half, mode="r").R
    return mean, half


def _kernel(x: Tensor, y: Tensor) -> Float[Tensor, "n m"]:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _off_diagonal_mean(square: Float[Tensor, "n n"]) -> Tensor:
    n = len(square)
    return (square.sum() - square.diagonal().sum()) / (n * (n - 1))


def _check(features: Tensor, others: Tensor) -> None:
    if len(features) < 2 or len(others) < 2:
        raise ShapeError(
            f"a distance between sets of {len(features)} and {len(others)} images was asked for; a spread "
            "takes 2 of each. Raise evaluate.num_images, or use a larger test split."
        )
