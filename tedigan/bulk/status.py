"""How far a job is, for people and machines: by two listings, and a read for each worker that has spoken since.

`Watch` looks at one job again and again. Nobody's date is believed: ages come from the store's clock, durations
from each worker's own.
"""

import io
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tedigan.bulk.amounts import duration
from tedigan.bulk.heartbeat import WORKERS, Heartbeat, hours_of, read_heartbeats
from tedigan.bulk.ledger import SEALED, Ledger
from tedigan.bulk.prompt_table import QUARANTINE
from tedigan.errors import DataError

SILENT_S = (
    120.0  # a worker that has not spoken for so long was killed, cut off, or has nothing to draw
)
RECENT_S, RECENT_SHARDS = 600.0, 10  # the recent past holds both
GAPS = "sealed, but commits are missing"  # the state of a job of which some went since the seal
_FIRST = ("stopped", "silent", "draws", "waits", "ended")


@dataclass(frozen=True)
class Seen:
    """A worker as it looks from here. age_s: since it last spoke."""

    said: Heartbeat
    age_s: float

    @property
    def rate(self) -> float:
        """Images a second of its work."""
        return self.said.num_images / self.said.seconds if self.said.seconds else 0.0


@dataclass(frozen=True)
class Status:
    """Of a job, now. Counts are of images unless they say otherwise.

    num_marked, num_failed: as workers counted; one that was killed had not counted its last ones. rate,
    rate_in_all: images a second, of the recent past and since the first shard, pauses included; None = too few
    shards to tell. eta_s: None = nobody draws, or no rate.
    """

    job: str
    address: str
    state: str
    num_prompts: int
    num_quarantined: int
    num_images: int
    num_committed: int
    num_marked: int
    num_failed: int
    num_shards: int
    num_shards_committed: int
    num_conflicts: int
    rate: float | None
    rate_in_all: float | None
    eta_s: float | None
    hours_spent: float
    hours_granted: float | None
    workers: list[Seen]

    @property
    def is_finished(self) -> bool:
        """Whether no shard is left."""
        return self.num_shards_committed == self.num_shards

    def to_json(self) -> dict[str, Any]:
        """For machines: the fields by name, and a worker's without its wrapping."""
        workers = [
            asdict(one.said) | {"age_s": one.age_s, "rate": one.rate} for one in self.workers
        ]
        return vars(self) | {"workers": workers}

    def lines(self, max_workers: int) -> list[str]:
        """For a terminal; of the workers those first that need somebody."""
        shards = f"{self.num_shards_committed:,} of {self.num_shards:,} shards"
        granted = "(no limit)" if self.hours_granted is None else f"of {self.hours_granted:,.2f}"
        states = Counter(one.said.state for one in self.workers)
        counts = ", ".join(f"{states[name]:,} {name}" for name in _FIRST if states[name])
        return [
            f"job {self.job}: {self.num_images:,} images of {self.num_prompts:,} prompts",
            f"state: {self.state}",
            *self._missing(),
            f"committed: {shards}, {self.num_committed:,} images "
            f"({self.num_committed / self.num_images:.1%}); {self.num_marked:,} marked, "
            f"{self.num_failed:,} could not be drawn",
            f"images/s: {_number(self.rate)} of late, {_number(self.rate_in_all)} in all; left: "
            f"{duration(self.eta_s)}",
            f"worker-hours: {self.hours_spent:,.2f} {granted}",
            f"quarantined prompts: {self.num_quarantined:,}",
            f"conflicts: {self.num_conflicts:,}",
            f"workers: {counts or 'none'}",
            *_table(self.workers, max_workers),
        ]

    def _missing(self) -> list[str]:
        """What to do about a job whose seal speaks of commits that are gone."""
        if self.state != GAPS:
            return []
        num_left = self.num_shards - self.num_shards_committed
        return [
            f"missing: {num_left:,} commits; `tedigan jobs verify {self.address}` says which, and what else is "
            f"wrong, `tedigan jobs run {self.address}` draws them again"
        ]


class Watch:
    """Looks at one job; what cannot have changed since the last look is not read again."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._said: dict[str, Heartbeat] = {}
        self._looked: float | None = None
        self._num_quarantined: int | None = None

    def look(self) -> Status:
        """How far the job is now; a StoreError where the store does not answer."""
        ledger, plan = self._ledger, self._ledger.plan
        sizes = [(age, shard) for shard, age in ledger.commit_ages().items()]
        settled = [(age, len(plan.images_of(shard))) for age, shard in sorted(sizes)]
        num_committed = sum(size for _, size in settled)
        is_finished = len(settled) == plan.num_shards
        workers = self.workers(is_finished=is_finished)
        state = state_of(ledger, plan.num_shards - len(settled), lambda: workers)
        rate = None if is_finished else recent_rate(settled)
        is_on = state == "running" and rate
        return Status(
            job=plan.name,
            address=ledger.address,
            state=state,
            num_prompts=plan.num_prompts,
            num_quarantined=self._quarantined(),
            num_images=plan.num_images,
            num_committed=num_committed,
            num_marked=sum(one.said.num_marked for one in workers),
            num_failed=sum(one.said.num_failed for one in workers),
            num_shards=plan.num_shards,
            num_shards_committed=len(settled),
            num_conflicts=len(ledger.conflicts()),
            rate=rate,
            rate_in_all=rate_in_all(settled),
            eta_s=(plan.num_images - num_committed) / rate if is_on and rate else None,
            hours_spent=hours_of(one.said for one in workers),
            hours_granted=ledger.budget(),
            workers=workers,
        )

    def workers(self, *, is_finished: bool = False) -> list[Seen]:
        """Everybody who has spoken, in the state in which they look from here. is_finished: no shard is left."""
        return [_seen(one, is_finished=is_finished) for one in self._heard()]

    def _heard(self) -> list[Seen]:
        """Every worker's word; read are those that spoke since the last look began, or a clock's second before."""
        ages, now = self._ledger.bucket.ages(WORKERS), time.monotonic()
        since = float("inf") if self._looked is None else now - self._looked + 2.0
        new = [name for name, age in ages.items() if age <= since or name not in self._said]
        self._said |= read_heartbeats(self._ledger.bucket, new)
        self._looked = now
        return [Seen(self._said[name], age) for name, age in ages.items() if name in self._said]

    def _quarantined(self) -> int:
        """Rows of the job's quarantine; read once."""
        bucket = self._ledger.bucket
        if self._num_quarantined is None and bucket.exists(QUARANTINE):
            self._num_quarantined = _num_rows(bucket.read(QUARANTINE), self._ledger.address)
        return self._num_quarantined or 0


def recent_rate(settled: Sequence[tuple[float, int]]) -> float | None:
    """Images a second of late. settled: (age in s, images) of each shard, the youngest first.

    What went before the first shard's end is not known, so that a young job is measured from there.
    """
    if len(settled) < 2:
        return None
    span = max(RECENT_S, settled[min(len(settled), RECENT_SHARDS) - 1][0])
    if settled[-1][0] <= span:
        span, settled = settled[-1][0], settled[:-1]
    return sum(size for age, size in settled if age <= span) / span if span else None


def rate_in_all(settled: Sequence[tuple[float, int]]) -> float | None:
    """Images a second between the first shard's end and the last one's."""
    span = settled[-1][0] - settled[0][0] if settled else 0.0
    return sum(size for _, size in settled[:-1]) / span if span else None


def _seen(one: Seen, *, is_finished: bool) -> Seen:
    """With the state that its silence, or a finished job, gives it."""
    state = one.said.state
    if state in ("draws", "waits"):
        if is_finished:
            state = "ended"
        elif one.age_s > SILENT_S:
            state = "silent"
    return replace(one, said=replace(one.said, state=state))


def state_of(ledger: Ledger, num_left: int, workers: Callable[[], Sequence[Seen]]) -> str:
    """A job's, in words. num_left: shards without a commit. workers: asked for where they matter alone."""
    if ledger.bucket.exists(SEALED):
        return GAPS if num_left else "sealed"
    if not num_left:
        return "finished; seal it"
    if ledger.is_cancelled:
        return "cancelled"
    if not ledger.is_approved:
        return "not approved"
    seen, granted = workers(), ledger.budget()
    if any(one.said.state in ("draws", "waits") for one in seen):
        return "running"
    is_used = granted is not None and hours_of(one.said for one in seen) >= granted
    return "budget used" if is_used else "open"


def _num_rows(content: bytes, address: str) -> int:
    try:
        return int(pq.read_metadata(io.BytesIO(content)).num_rows)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{address}/{QUARANTINE} cannot be read: {error}; expected the parquet that planning wrote. Put it "
            "back, or plan the job again."
        ) from error


def _table(workers: list[Seen], max_workers: int) -> list[str]:
    if not workers or max_workers < 1:
        return []
    order = sorted(
        workers, key=lambda one: (_FIRST.index(one.said.state), one.said.host, one.said.pid)
    )
    heads = ("host", "pid", "state", "shard", "images", "failed", "images/s", "spoke", "")
    more = len(order) - max_workers
    return [
        *aligned([heads, *(_row(one) for one in order[:max_workers])]),
        *([f"and {more:,} more"] if more > 0 else []),
    ]


def _row(one: Seen) -> tuple[str, ...]:
    said = one.said
    return (
        said.host[:24],
        str(said.pid),
        said.state,
        "" if said.shard is None else str(said.shard),
        f"{said.num_images:,}",
        f"{said.num_failed:,}",
        f"{one.rate:.1f}",
        f"{duration(one.age_s)} ago",
        said.error,
    )


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of equally many cells as lines, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"
