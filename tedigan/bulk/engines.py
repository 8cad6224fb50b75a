"""Who runs workers: processes of this machine.

An engine hands out shards, starts workers again that died, and scales; it decides nothing about a job. What is
done is what is committed, so that a shard which was handed out twice, or whose worker died after its commit,
costs time and nothing else.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool

from tedigan.bulk.worker import Worker
from tedigan.errors import StoreError
from tedigan.processes import pool_of
from tedigan.progress import note

# Waits while no shard is committed: after a death, or a bucket that did not answer.
PATIENCE_S = (1.0, 3.0, 10.0, 30.0, 60.0)
SHARDS_AT_ONCE = 8  # given to a worker in one call, at most, so that sending overlaps drawing

Engine = Callable[[Worker, Sequence[int], int], Iterator[int]]


def run_local(worker: Worker, shards: Sequence[int], num_workers: int) -> Iterator[int]:
    """Processes of this machine."""
    left, failures = list(shards), 0
    while left:
        pool = pool_of(num_workers, _start, worker)
        done, trouble = list[int](), None
        try:
            for future in as_completed(
                [pool.submit(_work, one) for one in portions(left, num_workers)]
            ):
                done += future.result()
                yield from future.result()
        except (BrokenProcessPool, StoreError) as error:
            trouble = error
        finally:
            pool.shutdown(cancel_futures=True)
        try:
            committed = worker.ledger.committed()
        except StoreError as error:  # a bucket that is gone is gone for this listing too
            trouble, committed = error, set(done)
        late = [shard for shard in left if shard in committed and shard not in done]
        yield from late
        left = [shard for shard in left if shard not in committed]
        if trouble is None:
            break
        failures = 0 if done or late else failures + 1
        wait_or_raise(trouble, failures)


def portions(shards: Sequence[int], num_workers: int) -> list[list[int]]:
    """Runs of shards for one call of a worker: a few for each, so that none waits long for the last."""
    size = max(1, min(SHARDS_AT_ONCE, len(shards) // (4 * num_workers)))
    return [list(shards[i : i + size]) for i in range(0, len(shards), size)]


def wait_or_raise(error: BaseException, failures: int) -> None:
    """Wait before another try; raise what does not pass by itself, or has not for long."""
    is_death = isinstance(error, BrokenProcessPool)
    if not is_death and not (isinstance(error, StoreError) and error.may_pass):
        raise error
    if failures > len(PATIENCE_S):
        if not is_death:
            raise error
        raise StoreError(
            f"workers died {failures} times without one shard committed, perhaps for want of memory; what is "
            f"committed "
            "is kept. Resume the job with fewer workers, or plan it with smaller batches."
        ) from error
    pause = PATIENCE_S[max(failures - 1, 0)]
    what = "a worker died" if is_death else str(error)
    note(f"{what}; goes on in {pause:g} s with what is not committed")
    time.sleep(pause)


_worker: Worker


def _start(worker: Worker) -> None:
    global _worker
    _worker = worker


def _work(shards: list[int]) -> list[int]:
    return list(_worker.work(shards))
