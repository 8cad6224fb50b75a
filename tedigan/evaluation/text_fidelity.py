"""Text fidelity: does a face show what its caption says, as far as the referee can tell?

A `mention` is an attribute that a caption states or denies ("she" denies Male), restricted to those that the
referee is reliable on. `found` is what the referee finds in a face.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from tedigan.evaluation.statistics import bootstrap_interval

GROUPS = ("Male", "Young", "Pale_Skin")  # by which releases are compared besides: sex, age, skin


@dataclass(frozen=True)
class Mentions:
    """is_mentioned: which attributes the referee has to look for. wanted: what it should find there."""

    is_mentioned: Bool[Tensor, "n k"]
    wanted: Bool[Tensor, "n k"]

    @classmethod
    def read(
        cls,
        captions: Sequence[str],
        reader: Callable[[str], Mapping[str, bool]],
        names: Sequence[str],
        is_reliable: Bool[Tensor, " k"],
    ) -> "Mentions":
        """reader: a caption -> the attributes that it states (True) or denies (False). names: the columns'."""
        named = [reader(caption) for caption in captions]
        rows = [[name in one for name in names] for one in named]
        wanted = [[one.get(name, False) for name in names] for one in named]
        shape = (len(captions), len(names))
        is_mentioned = torch.tensor(rows, dtype=torch.bool).reshape(shape) & is_reliable
        return cls(is_mentioned, torch.tensor(wanted, dtype=torch.bool).reshape(shape))

    def of(self, rows: Int64[Tensor, " m"]) -> "Mentions":
        """Those of some prompts."""
        return Mentions(self.is_mentioned[rows], self.wanted[rows])


def text_fidelity(found: Bool[Tensor, "n k"], mentions: Mentions) -> float | None:
    """Share of all mentions that the referee finds as the caption says; None without a mention."""
    total = int(mentions.is_mentioned.sum())
    hits = (found == mentions.wanted) & mentions.is_mentioned
    return int(hits.sum()) / total if total else None


def fidelity_per_attribute(
    found: Bool[Tensor, "n k"], mentions: Mentions
) -> list[tuple[int, float | None]]:
    """For each attribute its mentions, and the share of them that is found."""
    hits = ((found == mentions.wanted) & mentions.is_mentioned).sum(dim=0).tolist()
    totals = mentions.is_mentioned.sum(dim=0).tolist()
    return [
        (total, hit / total if total else None) for hit, total in zip(hits, totals, strict=True)
    ]


def macro_fidelity(found: Bool[Tensor, "n k"], mentions: Mentions) -> float | None:
    """Mean over the mentioned attributes of `fidelity_per_attribute`: rare ones count as much."""
    shares = [share for _, share in fidelity_per_attribute(found, mentions) if share is not None]
    return sum(shares) / len(shares) if shares else None


def interval_over_prompts(
    statistic: Callable[[Int64[Tensor, " n"]], float | None], num_prompts: int, rng: torch.Generator
) -> tuple[float, float] | None:
    """95 % bootstrap interval of a statistic of the prompts that are drawn.

    Whoever is compared is compared on the same draw, so that a hard prompt is hard for both (paired bootstrap).
    """
    return bootstrap_interval(num_prompts, statistic, rng)


def unmentioned_share(
    found: Bool[Tensor, "n k"], mentions: Mentions, is_reliable: Bool[Tensor, " k"]
) -> float | None:
    """Share of the reliable attributes that nobody mentioned and the referee finds all the same.

    A generator that shows everything at once would win text fidelity; it loses here.
    """
    silent = is_reliable & ~mentions.is_mentioned
    return float(found[silent].double().mean()) if bool(silent.any()) else None


def drift(
    before: Bool[Tensor, "n k"],
    after: Bool[Tensor, "n k"],
    mentions: Mentions,
    is_reliable: Bool[Tensor, " k"],
) -> float | None:
    """Share of the reliable, unmentioned attributes that an edit changed."""
    silent = is_reliable & ~mentions.is_mentioned
    return float((before != after)[silent].double().mean()) if bool(silent.any()) else None


def per_prompt(
    found: Bool[Tensor, "n k"], mentions: Mentions, counted: Bool[Tensor, " k"]
) -> list[dict[str, int]]:
    """For each prompt its mentions, those found as said, what it leaves out, and what of that is found anyway."""
    silent = counted & ~mentions.is_mentioned
    columns = {
        "mentioned": mentions.is_mentioned,
        "found_as_said": (found == mentions.wanted) & mentions.is_mentioned,
        "unmentioned": silent,
        "unmentioned_found": found & silent,
    }
    counts = [column.sum(dim=1).tolist() for column in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*counts, strict=True)]


def shown_groups(found: Bool[Tensor, "n k"], names: Sequence[str]) -> list[dict[str, int]]:
    """For each photograph, of which groups the person in it is; an attribute that `names` lacks is left out."""
    columns = {f"is_{name}": names.index(name) for name in GROUPS if name in names}
    return [{key: int(row[column]) for key, column in columns.items()} for row in found]


def normalised(value: float | None, floor: float | None, ceiling: float | None) -> float | None:
    """(value - floor) / (ceiling - floor): 0 at the floor, 1 at the ceiling; None where they meet."""
    if value is None or floor is None or ceiling is None or abs(ceiling - floor) < 1e-9:
        return None
    return (value - floor) / (ceiling - floor)
