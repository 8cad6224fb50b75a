"""Worker processes that hold one object and call its methods: results in order, memory bounded."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Any

import torch

from tedigan.errors import StoreError
from tedigan.processes import pool_of

_IN_FLIGHT = 8  # items a worker; they wait for the slowest in memory


class Workers:
    """Calls methods of `subject`, in `num_workers` processes or, if that is 1, in this one.

    The processes start with the first call and end with this one, however it ends.
    """

    def __init__(self, subject: Any, *, num_workers: int) -> None:
        self._subject = subject
        self._num_workers = num_workers
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def each(self, method: str, items: Iterable[Any]) -> Iterator[Any]:
        """`subject.method(item)` of each item, in the order of items."""
        if self._num_workers == 1:
            yield from map(getattr(self._subject, method), items)
            return
        pool = self._started()
        waiting: deque[Future[Any]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(_call, method, item))
                if len(waiting) == _IN_FLIGHT * self._num_workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise StoreError(
                "a worker process was ended from outside, perhaps for want of memory; finished "
                "shards are kept. Run again, with runtime.num_workers lower."
            ) from error

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = pool_of(self._num_workers, _start, self._subject)
        return self._pool


_subject: Any


def _start(subject: Any) -> None:
    """Prepare a worker: one thread, since there is one worker a core."""
    global _subject
    _subject = subject
    torch.set_num_threads(1)


def _call(method: str, item: Any) -> Any:
    return getattr(_subject, method)(item)
