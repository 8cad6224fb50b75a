"""Scores of a yes/no judge: AUROC, balanced accuracy, the best threshold; and bootstrap intervals.

`scores` are higher where the answer should be yes. All arithmetic is float64 on the CPU. The first three say None
where scikit-learn's warn, and tests hold them to equal scikit-learn's.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor


def auroc(scores: Float[Tensor, " n"], truth: Bool[Tensor, " n"]) -> float | None:
    """P(score of a yes > score of a no), ties count half; None where one of the two is missing."""
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return None
    _, place, counts = scores.double().unique(return_inverse=True, return_counts=True)
    ranks = (
        counts.cumsum(0) - (counts - 1) / 2
    )  # from 1; the mean of the ranks that equal scores share
    rank_sum = float(ranks.double()[place][truth].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def balanced_accuracy(said: Bool[Tensor, " n"], truth: Bool[Tensor, " n"]) -> float | None:
    """Mean of the share of yes found and the share of no found; None where one of the two is missing."""
    if not bool(truth.any()) or bool(truth.all()):
        return None
    found = said[truth].double().mean() + (~said[~truth]).double().mean()
    return float(found / 2)


def best_threshold(scores: Float[Tensor, " n"], truth: Bool[Tensor, " n"]) -> float | None:
    """The threshold with the best balanced accuracy, in the middle of its gap; None without both answers.

    Of equally good gaps the one in the middle is taken.
    """
    if not bool(truth.any()) or bool(truth.all()):
        return None
    order = torch.argsort(scores.double(), stable=True)
    values, is_yes = scores.double()[order], truth[order]
    below_no = torch.cumsum(~is_yes, 0).double() / (~is_yes).sum()
    below_yes = torch.cumsum(is_yes, 0).double() / is_yes.sum()
    quality = ((1 - below_yes) + below_no)[:-1]
    quality[values[1:] == values[:-1]] = -1  # no threshold separates equal scores
    best = torch.nonzero(quality >= quality.max() - 1e-12).flatten()
    cut = int(best[len(best) // 2])
    return float((values[cut] + values[cut + 1]) / 2)


def bootstrap_interval(
    num_items: int,
    statistic: Callable[[Int64[Tensor, " n"]], float | None],
    generator: torch.Generator,
    *,
    num_draws: int = 1000,
) -> tuple[float, float] | None:
    """The 2.5 % and 97.5 % points of `statistic(indices)` over draws of the items with replacement.

    None where no draw has a value.
    """
    draws = torch.randint(num_items, (num_draws, num_items), generator=generator)
    values = [value for row in draws if (value := statistic(row)) is not None]
    if not values:
        return None
    low, high = torch.tensor(values, dtype=torch.float64).quantile(
        torch.tensor([0.025, 0.975], dtype=torch.float64)
    )
    return float(low), float(high)


def ratio_interval(
    got: Float[Tensor, " n"], of: Float[Tensor, " n"], generator: torch.Generator
) -> tuple[float, float]:
    """`bootstrap_interval` of sum(got) / sum(of) over items, all draws at once; every `of` is above 0."""
    draws = torch.randint(len(got), (1000, len(got)), generator=generator)
    shares = got.double()[draws].sum(dim=1) / of.double()[draws].sum(dim=1)
    low, high = shares.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64))
    return float(low), float(high)


def same_person_pairs(
    embeddings: Float[Tensor, "n d"], identities: Int64[Tensor, " n"]
) -> tuple[Float[Tensor, " p"], Bool[Tensor, " p"]]:
    """The cosine of every pair of photographs, and whether the two show one person."""
    first, second = torch.triu_indices(len(embeddings), len(embeddings), offset=1)
    cosines = (embeddings @ embeddings.T)[first, second]
    return cosines, identities[first] == identities[second]
