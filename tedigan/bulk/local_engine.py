"""The engine `local`: processes of this machine."""

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial

from tedigan.bulk.engines import WorkersDied, in_rounds, portions
from tedigan.bulk.worker import Worker
from tedigan.processes import pool_of


def run_local(worker: Worker, shards: Sequence[int], num_workers: int) -> Iterator[int]:
    """An engine; see tedigan.bulk.engines."""
    return in_rounds(worker, shards, partial(_round, worker, num_workers))


def _round(
    worker: Worker, num_workers: int, shards: Sequence[int]
) -> Generator[list[int], None, None]:
    pool = pool_of(num_workers, _start, worker)
    try:
        calls = [pool.submit(_work, one) for one in portions(shards, num_workers)]
        for call in as_completed(calls):
            yield call.result()
    except BrokenProcessPool as error:
        raise WorkersDied from error
    finally:
        pool.shutdown(cancel_futures=True)


_worker: Worker


def _start(worker: Worker) -> None:
    global _worker
    _worker = worker


def _work(shards: list[int]) -> list[int]:
    return list(_worker.work(shards))
