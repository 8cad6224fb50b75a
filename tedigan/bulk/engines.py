"""Engines: who runs workers, found by name.

An engine hands out shards, starts workers again that died, and scales; it decides nothing about a job. What is
done is what is committed, so that a shard which was handed out twice, or whose worker died after its commit,
costs time and nothing else. Any installed package may offer one, as an entry point of the group
`tedigan.engines`; this one offers prefect so.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from tedigan.bulk.worker import Worker
from tedigan.errors import ParamsError, StoreError
from tedigan.extras import advised
from tedigan.progress import note

T = TypeVar("T")
GROUP = "tedigan.engines"
# Needed by everybody, and so not left to what an old installation says of itself.
OWN = {
    name: EntryPoint(name, f"tedigan.bulk.{name}_engine:run_{name}", GROUP)
    for name in ("local", "ray")
}
# Waits while no shard is committed: after a death, or a bucket that did not answer.
PATIENCE_S = (1.0, 3.0, 10.0, 30.0, 60.0)
SHARDS_AT_ONCE = 8  # given to a worker in one call, at most, so that sending overlaps drawing

# The worker, the shards that are left and how many workers -> each shard's number when it is committed.
Engine = Callable[[Worker, Sequence[int], int], Iterator[int]]
# Draws these shards with new workers; the numbers of those that are settled, some at a time.
Round = Callable[[Sequence[int]], Generator[list[int], None, None]]


class WorkersDied(Exception):
    """Workers that ended without an answer: killed, or with their machine, or for want of memory."""


def open_engine(name: str) -> Engine:
    """An engine; a ParamsError for a name that nothing installed offers, and advice where its extra is missing."""
    found = OWN | {one.name: one for one in entry_points(group=GROUP)}
    if name not in found:
        raise ParamsError(
            f"no engine {name!r} is installed; expected one of {', '.join(sorted(found))}. Name one of "
            "these, or install tedigan again (`pip install --editable .`), which says what engines it has."
        )
    with advised():
        engine: Engine = found[name].load()
    return engine


def in_rounds(worker: Worker, shards: Sequence[int], one_round: Round) -> Iterator[int]:
    """Rounds over what is not committed, until one ends without trouble or there is too much of it."""
    left, failures = set(shards), 0
    while left:
        before = len(left)
        try:
            late = left & worker.ledger.committed()
            left -= late
            yield from late
            with closing(one_round([one for one in shards if one in left])) as settled:
                for done in settled:
                    left -= set(done)
                    yield from done
            return
        except (WorkersDied, StoreError) as error:
            failures = 0 if len(left) < before else failures + 1
            wait_or_raise(error, failures)


def patiently(ask: Callable[[], T]) -> T:
    """What a bucket says, when it answers; raises what does not pass by itself, or has not for long."""
    failures = 0
    while True:
        try:
            return ask()
        except StoreError as error:
            failures += 1
            wait_or_raise(error, failures)


def portions(shards: Sequence[int], num_workers: int) -> list[list[int]]:
    """Runs of shards for one call of a worker: a few for each, so that none waits long for the last."""
    size = max(1, min(SHARDS_AT_ONCE, len(shards) // (4 * num_workers)))
    return [list(shards[i : i + size]) for i in range(0, len(shards), size)]


def wait_or_raise(error: WorkersDied | StoreError, failures: int) -> None:
    """Wait before another try; raise what does not pass by itself, or has not for long."""
    is_death = isinstance(error, WorkersDied)
    if not is_death and not (isinstance(error, StoreError) and error.may_pass):
        raise error
    if failures > len(PATIENCE_S):
        if not is_death:
            raise error
        raise StoreError(
            f"workers died {failures} times without one shard committed, perhaps for want of memory; what is "
            "committed is kept. Resume the job with fewer workers, or plan it with smaller batches."
        ) from error
    pause = PATIENCE_S[max(failures - 1, 0)]
    what = "a worker died" if is_death else str(error)
    note(f"{what}; goes on in {pause:g} s with what is not committed")
    time.sleep(pause)
