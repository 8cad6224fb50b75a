"""Runs a job to its end, budget or cancellation: checks that it may, has an engine draw, counts commits."""

import time
from dataclasses import replace
from random import SystemRandom

from tedigan.bulk.engines import Engine
from tedigan.bulk.worker import Worker
from tedigan.errors import ParamsError
from tedigan.progress import progress


def run_job(
    worker: Worker, engine: Engine, num_workers: int, *, max_hours: float | None = None
) -> int:
    """How many shards are left when it ends: 0, or what a budget or a cancellation left.

    Raises StoreError for a job that may not run or a store that fails for long; what is committed stays.
    """
    if num_workers < 1 or (max_hours is not None and max_hours <= 0):
        raise ParamsError(
            f"{num_workers} workers and {max_hours} hours were asked for; expected at least one worker, and hours "
            "above 0 or none. Set them."
        )
    worker.ledger.check_runs()
    left = worker.ledger.remaining()
    SystemRandom().shuffle(left)  # in one order, runs that meet would draw the rest side by side
    until = None if max_hours is None else time.time() + 3600 * max_hours
    total = worker.ledger.plan.num_shards
    with progress(total=total, initial=total - len(left), desc="job", unit="shard") as bar:
        for _ in engine(replace(worker, until=until), left, num_workers):
            bar.update()
    return len(worker.ledger.remaining())
