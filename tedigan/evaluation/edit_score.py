"""A share or a mean over edits, summed for any of the attributes, with an interval over faces."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from tedigan.evaluation.metric import Metric, or_null
from tedigan.evaluation.statistics import ratio_interval
from tedigan.tensors import stream


@dataclass(frozen=True)
class Score:
    """A metric before it is summed: sum(got) / sum(of) over rows, and the floor's likewise.

    judge: who says so. way: whose edits. reason: why there is nothing to sum.
    """

    name: str
    judge: str
    way: str
    better: str
    said: str
    face: Int64[Tensor, " n"]
    attribute: Sequence[str]
    got: Float[Tensor, " n"]
    of: Float[Tensor, " n"]
    floor_got: Float[Tensor, " n"]
    ceiling: float
    reason: str = ""

    @property
    def each(self) -> list[float | None]:
        """got / of, row by row; None where there is nothing to say."""
        known = (self.of > 0) & (not self.reason)
        values = (self.got / self.of.clamp_min(1e-9)).tolist()
        return [value if is_known else None for value, is_known in zip(values, known, strict=True)]

    def metric(self, attributes: Sequence[str], suffix: str, seed: int) -> Metric:
        """Over the rows of these attributes; the interval is over faces, each with all of its edits."""
        rows = torch.tensor([one in attributes for one in self.attribute], dtype=torch.bool)
        rows &= self.of > 0
        n, name = int(rows.sum()), f"{self.name}[{self.judge},{self.way}{suffix}]"
        if self.reason or not n:
            why = self.reason or "Not told: no edit to measure it on."
            return Metric(name, None, n, self.better, f"{self.said} {why}", None, self.ceiling)
        face, of = self.face[rows], self.of[rows]
        value, interval = _ratio(face, self.got[rows], of, stream(seed, name))
        floor = float(self.floor_got[rows].sum() / of.sum())
        said = f"{self.said} {n} edits of {len(face.unique())} faces."
        metric = Metric(name, value, n, self.better, said, floor, self.ceiling, interval)
        return or_null(metric)


def _ratio(
    face: Int64[Tensor, " n"],
    got: Float[Tensor, " n"],
    of: Float[Tensor, " n"],
    rng: torch.Generator,
) -> tuple[float, tuple[float, float]]:
    """sum(got) / sum(of), and its interval over faces, each with all of its rows."""
    faces, place = face.unique(return_inverse=True)
    empty = torch.zeros(len(faces), dtype=torch.float64)
    interval = ratio_interval(empty.index_add(0, place, got), empty.index_add(0, place, of), rng)
    return float(got.sum() / of.sum()), interval
