"""Counts over a job's images, one shard's table at a time: ten million take no more memory than a thousand."""

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from tedigan.bulk.marks import LACKING, faults_of, kind_of, lacks_of, wishes_of

NUM_WORST = 18
MEASURED = ("face_share", "nearest_similarity", "inversion_mse")
HUNDREDTHS = 100  # of a measured value, in which it is counted
COLUMNS = (
    "image", "prompt", "text", "understood", "attempt", "lacks", "seen", "faults", "photograph", "strength",
    "failed", *MEASURED,
)  # fmt: skip


class Agreement(NamedTuple):
    """An attribute: how many faces were to have it and have it, were not to and do not, and have it at all.

    have, have_not, seen: None where no guide looked for it.
    """

    name: str
    wanted: int
    have: int | None
    unwanted: int
    have_not: int | None
    seen: int | None

    @property
    def share(self) -> float | None:
        """Of the faces of whose prompts it is part, those that are as these say."""
        if self.have is None or self.have_not is None:
            return None
        return (self.have + self.have_not) / (self.wanted + self.unwanted)


@dataclass
class Tally:
    """is_judged: whether a guide looked at the faces.

    lacking: how many things of its prompt a face lacks -> faces. attempts: which attempt was kept, from 1 ->
    faces. reasons: kind of mark -> faces. failed: why images could not be drawn -> how many. measured: column ->
    hundredths of its value -> faces.
    """

    is_judged: bool
    num_images: int = 0
    num_marked: int = 0
    lacking: Counter[int] = field(default_factory=Counter)
    attempts: Counter[int] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    measured: dict[str, Counter[int]] = field(
        default_factory=lambda: {name: Counter() for name in MEASURED}
    )
    _wanted: Counter[str] = field(default_factory=Counter)
    _have: Counter[str] = field(default_factory=Counter)
    _unwanted: Counter[str] = field(default_factory=Counter)
    _have_not: Counter[str] = field(default_factory=Counter)
    _seen: Counter[str] = field(default_factory=Counter)
    _lacked: set[str] = field(default_factory=set)
    _worst: list[tuple[int, int, dict[str, Any]]] = field(default_factory=list)

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Count the images of a table."""
        for row in rows:
            self.num_images += 1
            if row.get("failed"):
                self.failed[kind_of(row["failed"])] += 1
                continue
            lacks, faults = lacks_of(row), faults_of(row)
            self.num_marked += bool(lacks or faults)
            self.lacking[len(lacks)] += 1
            self.attempts[1 + (row.get("attempt") or 0)] += 1
            self.reasons.update({*map(kind_of, faults), *[LACKING] * bool(lacks)})
            self._count_wishes(wishes_of(row.get("understood") or ""), row.get("seen") or [])
            self._lacked.update(lack.removeprefix("not ") for lack in lacks)
            self._count_measured(row)
            self._keep_worst(len(lacks) + len(faults), row)

    def agreements(self) -> list[Agreement]:
        """Every attribute that a prompt names, the most frequent first."""
        names = sorted(self._wanted | self._unwanted, key=lambda name: (-self._named(name), name))
        return [self._agreement(name) for name in names]

    def worst(self) -> list[dict[str, Any]]:
        """The rows of the marked images with the most faults, the earlier first among equals."""
        return [row for _, _, row in sorted(self._worst, key=lambda one: (-one[0], -one[1]))]

    def shares(self) -> tuple[dict[str, float], dict[str, float]]:
        """Attribute -> share of the images whose prompts want it, and of those in which the guide sees it."""
        rows, count = self.agreements(), max(1, self.num_images)
        wanted = {row.name: row.wanted / count for row in rows}
        seen = self._seen | {row.name: row.seen for row in rows if row.seen is not None}
        return wanted, {name: number / count for name, number in seen.items()}

    def _count_wishes(self, wishes: Mapping[str, bool], seen: Iterable[str]) -> None:
        found = set(seen)
        self._seen.update(found)
        for name, is_wanted in wishes.items():
            if is_wanted:
                self._wanted[name] += 1
                self._have[name] += name in found
            else:
                self._unwanted[name] += 1
                self._have_not[name] += name not in found

    def _count_measured(self, row: Mapping[str, Any]) -> None:
        for name, counts in self.measured.items():
            if (value := row.get(name)) is not None:
                counts[math.floor(HUNDREDTHS * value)] += 1

    def _keep_worst(self, num_faults: int, row: dict[str, Any]) -> None:
        if num_faults:
            heapq.heappush(self._worst, (num_faults, -row["image"], row))
        if len(self._worst) > NUM_WORST:
            heapq.heappop(self._worst)

    def _named(self, name: str) -> int:
        return self._wanted[name] + self._unwanted[name]

    def _agreement(self, name: str) -> Agreement:
        """What is wanted, but neither seen nor missed in any face, the guide does not know."""
        is_known = bool(self._seen[name]) or name in self._lacked or not self._wanted[name]
        wanted, unwanted = self._wanted[name], self._unwanted[name]
        if not (self.is_judged and is_known):
            return Agreement(name, wanted, None, unwanted, None, None)
        have, have_not, seen = self._have[name], self._have_not[name], self._seen[name]
        return Agreement(name, wanted, have, unwanted, have_not, seen)


def read_columns(table: Path) -> list[dict[str, Any]]:
    """A shard's table, a mapping an image, of COLUMNS those that it has."""
    with pq.ParquetFile(table) as file:
        names = [name for name in COLUMNS if name in file.schema_arrow.names]
        rows: list[dict[str, Any]] = file.read(columns=names).to_pylist()
    return rows
