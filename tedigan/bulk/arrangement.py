"""Rows by quotas: each value as often as asked, by chance otherwise, and never beside what excludes it.

A `Column` is what is drawn as one: an attribute that holds or not, or a group of which one holds. Rivals are
claims of which at most one may be true of a row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from tedigan.captions.grammar import Claim
from tedigan.errors import CaptionError
from tedigan.tensors import stream

Rivals = tuple[Claim, ...]


@dataclass(frozen=True)
class Column:
    """faces: what each value says of the attributes. counts: rows that have it."""

    faces: Sequence[Mapping[str, bool]]
    counts: Sequence[int]

    def hits(self, rivals: Rivals) -> list[int]:
        """How many of the rivals each value makes true."""
        return [sum(claim.is_true_of(face) for claim in rivals) for face in self.faces]

    def count(self, claim: Claim) -> int:
        """The rows in which the claim is true."""
        pairs = zip(self.faces, self.counts, strict=True)
        return sum(count for face, count in pairs if claim.is_true_of(face))


def largest_remainder(count: int, shares: Sequence[Fraction]) -> list[int]:
    """Whole numbers that add up to `count`, each less than 1 off its share of it; ties go to the first.

    shares: add up to 1.
    """
    exact = [count * share for share in shares]
    counts = [int(one) for one in exact]
    nearest = sorted(range(len(exact)), key=lambda place: counts[place] - exact[place])
    for place in nearest[: count - sum(counts)]:
        counts[place] += 1
    return counts


def arrange(
    columns: Sequence[Column], rivals: Sequence[Rivals], *, seed: int
) -> list[Int64[Tensor, " n"]]:
    """For each column the number of its value in every row.

    Columns are independent of each other, but for values that change places with those of other rows, by chance,
    where rivals would meet. CaptionError if no such order is found; it names the rivals that are in the way.
    """
    order = [*range(len(columns))]
    for _ in columns:
        found, failed = _fill(columns, rivals, order, seed)
        if failed is None:
            return [found[place] for place in range(len(columns))]
        order.remove(failed)  # what could not be placed among the others is placed before them
        order.insert(0, failed)
    raise _refusal(columns, rivals, columns[order[0]])


def _fill(
    columns: Sequence[Column], rivals: Sequence[Rivals], order: Sequence[int], seed: int
) -> tuple[dict[int, Int64[Tensor, " n"]], int | None]:
    """The columns, filled in this order, and the first that cannot be, if there is one."""
    num_rows = sum(columns[0].counts)
    taken = torch.zeros(len(rivals), num_rows, dtype=torch.int64)  # rivals true of each row
    found: dict[int, Int64[Tensor, " n"]] = {}
    for place in order:
        column, generator = columns[place], stream(seed, "quotas", place)
        allowed = torch.ones(len(column.faces), num_rows, dtype=torch.bool)
        hits = torch.tensor([column.hits(one) for one in rivals], dtype=torch.int64)
        for hit, held in zip(hits, taken, strict=True):
            allowed &= (hit == 0)[:, None] | (hit[:, None] + held <= 1)
        values = torch.arange(len(column.faces)).repeat_interleave(torch.tensor(column.counts))
        found[place] = values[torch.randperm(num_rows, generator=generator)]
        if not _swap(found[place], allowed, generator):
            return found, place
        for hit, held in zip(hits, taken, strict=True):
            held += hit[found[place]]
    return found, None


def _swap(
    values: Int64[Tensor, " n"], allowed: Bool[Tensor, "v n"], generator: torch.Generator
) -> bool:
    """Swap values, in place, with those of rows by chance until each row is allowed its own; whether it is."""
    rows = torch.arange(len(values))
    kinds = _kinds(allowed)
    has_moved = True
    while has_moved:
        has_moved = False
        for kind in range(int(kinds.max()) + 1):
            welcome = allowed[:, (kinds == kind).nonzero()[0, 0]]
            for value in (~welcome).nonzero().flatten().tolist():
                wrong = rows[(values == value) & (kinds == kind)]
                fitting = rows[allowed[value] & welcome[values]]
                count = min(len(wrong), len(fitting))
                wrong = wrong[torch.randperm(len(wrong), generator=generator)[:count]]
                fitting = fitting[torch.randperm(len(fitting), generator=generator)[:count]]
                values[wrong], values[fitting] = values[fitting], values[wrong]
                has_moved = has_moved or count > 0
    return bool(allowed[values, rows].all())


def _kinds(allowed: Bool[Tensor, "v n"]) -> Int64[Tensor, " n"]:
    """A number a row, equal where the same values are allowed."""
    kinds = torch.zeros(allowed.shape[1], dtype=torch.int64)
    for one in allowed:
        kinds = (2 * kinds + one).unique(return_inverse=True)[1]
    return kinds


def _refusal(columns: Sequence[Column], rivals: Sequence[Rivals], failed: Column) -> CaptionError:
    """Names the rivals that are asked for too often, or else those of the column that failed."""
    num_rows = sum(failed.counts)
    asked = [{claim: sum(one.count(claim) for one in columns) for claim in set_} for set_ in rivals]
    blamed = [one for one in asked if sum(one.values()) > num_rows] or [
        one for one, set_ in zip(asked, rivals, strict=True) if any(failed.hits(set_))
    ]
    lines = [
        "  at most one of "
        + ", ".join(
            f"{'' if claim.holds else 'not '}{claim.name} ({count})"
            for claim, count in one.items()
            if count
        )
        for one in blamed
    ]
    return CaptionError(
        f"the quotas cannot be met together in {num_rows} prompts; expected of each face, by the grammar:\n"
        + "\n".join(dict.fromkeys(lines))
        + "\nLower their shares (in brackets: the prompts asked for), or put them into one group of `one_of`."
    )
