"""Pools of worker processes that start clean and end with the process that started them."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any


def pool_of(num_workers: int, start: Callable[[Any], None], subject: Any) -> ProcessPoolExecutor:
    """Spawned processes, each of which begins with `start(subject)`."""
    return ProcessPoolExecutor(
        num_workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(start, subject),
    )


def _begin(start: Callable[[Any], None], subject: Any) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    start(subject)


def _end_with_parent() -> None:
    """A parent that was killed says no goodbye; its workers would wait for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "only worker processes wait for their parent"
    parent.join()
    os._exit(1)
