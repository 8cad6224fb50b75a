"""Runs a job to its end, budget or cancellation: checks that it may, has an engine draw, counts commits."""

import math
import time
from dataclasses import replace

from tedigan.bulk.engines import Engine
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
    begin = time.time_ns() % len(left)  # two runs of one job seldom meet
    left = left[begin:] + left[:begin]
    deadline = None if hours == math.inf else time.monotonic() + 3600 * hours
    total = worker.ledger.plan.num_shards
    with progress(total=total, initial=total - len(left), desc="job", unit="shard") as bar:
        for _ in engine(replace(worker, deadline=deadline), left, num_workers):
            bar.update()
    return len(worker.ledger.remaining())


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
