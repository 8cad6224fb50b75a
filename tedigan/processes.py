"""Processes: pools that start clean and end with who started them, and work that ends where it can go on."""

import multiprocessing
import os
import select
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

END_S = 120.0  # for a step and its checkpoint


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


def end_with(pid: int) -> None:
    """From now on this process is asked to end (SIGTERM) when that one is gone, and ended if it does not."""
    try:
        other = os.pidfd_open(pid)
    except ProcessLookupError:
        os.kill(os.getpid(), signal.SIGTERM)
        return
    threading.Thread(target=_end_after, args=[other], daemon=True).start()


def _end_after(other: int) -> None:
    poll = select.poll()
    poll.register(other, select.POLLIN)
    poll.poll()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(END_S)
    os._exit(1)


@cache
def outlive_readers() -> None:
    """From now on nobody ends this process by reading no more what it prints: that goes nowhere then.

    A worker of Prefect reads what its flow runs print. Where it dies, their next line is a BrokenPipeError, and
    MLflow prints one when it closes a run.
    """
    for number in (1, 2):
        if stat.S_ISFIFO(os.fstat(number).st_mode):
            threading.Thread(target=_print_nowhere_when_unread, args=[number], daemon=True).start()


def _print_nowhere_when_unread(number: int) -> None:
    poll = select.poll()
    poll.register(number, 0)  # errors are always told: nobody holds the other end
    poll.poll()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


@dataclass
class End:
    """Whether somebody asked the work to end, and by which signal."""

    signal: int | None = None

    @property
    def is_asked(self) -> bool:
        """To end at the next good place."""
        return self.signal is not None


@contextmanager
def asked_to_end() -> Iterator[End]:
    """Within the block SIGTERM and Ctrl-C only ask; after it, they do what they would have done before.

    Asked twice, they do so at once. Only the main thread hears signals: in another, nothing is changed.
    """
    end = End()
    if threading.current_thread() is not threading.main_thread():
        yield end
        return
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}

    def hear(number: int, _frame: Any) -> None:
        if end.is_asked:
            restore()
            signal.raise_signal(number)
        end.signal = number

    def restore() -> None:
        for one, handler in before.items():
            signal.signal(one, handler)

    for one, handler in before.items():
        if handler is not signal.SIG_IGN:  # of a command in a shell's background
            signal.signal(one, hear)
    try:
        yield end
    finally:
        restore()
    if end.signal is not None:
        if before[signal.Signals(end.signal)] is signal.SIG_DFL:
            raise SystemExit(128 + end.signal)
        signal.raise_signal(end.signal)
