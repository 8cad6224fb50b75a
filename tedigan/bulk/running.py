"""Runs a job to its end, budget or cancellation: by an engine's workers, or as one of several strangers."""

import math
import time
from bisect import bisect_left
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from random import SystemRandom

from tedigan.bulk.engines import Engine, in_rounds, patiently
from tedigan.bulk.heartbeat import hours_spent
from tedigan.bulk.ledger import Ledger
from tedigan.bulk.worker import Worker
from tedigan.errors import ParamsError
from tedigan.progress import progress


def run_job(
    worker: Worker, engine: Engine, num_workers: int, *, max_hours: float | None = None
) -> int:
    """How many shards are left when it ends: 0, or what a budget or a cancellation left.

    Each worker gets its part of the worker-hours that are left, and max_hours at most. Raises StoreError for a job
    that may not run or a store that fails for long; what is committed stays.
    """
    if num_workers < 1 or (max_hours is not None and not max_hours > 0):
        raise ParamsError(
            f"{num_workers} workers and {max_hours} hours were asked for; expected at least one worker, and hours "
            "above 0 or none. Set them."
        )
    worker.ledger.check_runs()
    left = worker.ledger.remaining()
    hours = min(hours_left(worker.ledger) / num_workers, max_hours or math.inf)
    if not left or hours == 0:
        return len(left)
    SystemRandom().shuffle(left)  # in one order, runs that meet would draw the rest side by side
    deadline = None if hours == math.inf else time.monotonic() + 3600 * hours
    total = worker.ledger.plan.num_shards
    with progress(total=total, initial=total - len(left), desc="job", unit="shard") as bar:
        for _ in engine(replace(worker, deadline=deadline), left, num_workers):
            bar.update()
    return len(patiently(worker.ledger.remaining))


def work_among_others(worker: Worker, begin: int) -> Iterator[int]:
    """One worker, in this process, beside any number that it knows nothing of; their commits come too.

    begin: the shard that it begins with. Raises as `run_job` does, but waits for a bucket that is away from the
    first: whoever started it, perhaps an hour ago, does not look.
    """
    patiently(worker.ledger.check_runs)
    left = patiently(worker.ledger.remaining)
    return in_rounds(worker, left, partial(_walked, worker, begin))


def walk(ledger: Ledger, shards: Sequence[int], begin: int) -> Iterator[int]:
    """Shards that nobody has yet: from `begin` on until another's work is met, from there on in random order.

    Whoever went on behind another would draw each shard beside him. What has been met is listed anew.
    """
    place = bisect_left(shards, begin)
    left, given = [*shards[place:], *shards[:place]], set[int]()
    while left:
        for shard in left:
            if ledger.is_committed(shard):
                break
            given.add(shard)
            yield shard
        left = [one for one in ledger.remaining() if one not in given]
        SystemRandom().shuffle(left)


def hours_left(ledger: Ledger) -> float:
    """Worker-hours of the budget that no worker has spent; infinity without a budget."""
    budget = ledger.budget()
    return math.inf if budget is None else max(0.0, budget - hours_spent(ledger.bucket))


def why_left(ledger: Ledger) -> str:
    """What ended a run that left shards, and how to go on."""
    if ledger.is_cancelled:
        return f"the job was cancelled; go on with `tedigan jobs resume {ledger.address}`"
    if hours_left(ledger) == 0:
        return (
            f"its {ledger.budget():g} worker-hours are used; grant more with "
            f"`tedigan jobs approve {ledger.address} --worker-hours N`, then run it again"
        )
    return "the time of this run is over; run the job again"


def _walked(worker: Worker, begin: int, shards: Sequence[int]) -> Generator[list[int], None, None]:
    for shard in worker.work(walk(worker.ledger, shards, begin)):
        yield [shard]
