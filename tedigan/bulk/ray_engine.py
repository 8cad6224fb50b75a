"""The engine `ray`: an actor a worker, on the cluster of RAY_ADDRESS, or on a Ray of this machine alone.

A cluster's machines need tedigan and the extra `ray` installed, and the models under the path that they have
here. A worker takes as many CPUs as its plan has threads, and a GPU where the cluster has any and the device is
not "cpu"; TEDIGAN_RAY_GPUS says another number, such as 0.5 where two share one.
"""

import logging
import os
import sys
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from tedigan.bulk.engines import WorkersDied, in_rounds, portions
from tedigan.bulk.worker import Worker
from tedigan.errors import ParamsError
from tedigan.progress import note

DEATHS = (
    3  # of one worker that Ray makes good by itself, before we look whether anything was committed
)
OBJECTS_BYTES = 100 * 2**20  # Ray's shared memory: what passes through it are numbers of shards
PLACE_WITHIN_S = 60.0  # after which we say that nobody has found room


def run_ray(worker: Worker, shards: Sequence[int], num_workers: int) -> Iterator[int]:
    """An engine; see tedigan.bulk.engines."""
    with joined(num_workers * worker.ledger.plan.num_threads):
        yield from in_rounds(worker, shards, partial(_round, worker, num_workers))


@contextmanager
def joined(num_cpus: int) -> Iterator[None]:
    """A Ray to work on: this process' if it has one, else a cluster's, else one of our own, which ends here."""
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    address = os.environ.get("RAY_ADDRESS")
    own = {"num_cpus": num_cpus, "object_store_memory": OBJECTS_BYTES, "include_dashboard": False}
    ray.init(
        address or "local",
        log_to_driver=False,
        logging_level=logging.ERROR,
        runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}},
        **({} if address else own),
    )
    try:
        yield
    finally:
        ray.shutdown()


class Hand:
    """A worker in a process of Ray's."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def work(self, shards: list[int]) -> list[int]:
        """Draw and commit; the numbers of what is settled."""
        return list(self._worker.work(shards))


def _round(
    worker: Worker, num_workers: int, shards: Sequence[int]
) -> Generator[list[int], None, None]:
    """Shards go to those who have answered, so that none waits for a place which the cluster lacks."""
    needs = {"num_cpus": worker.ledger.plan.num_threads, "num_gpus": num_gpus(worker.device)}
    kind = ray.remote(max_restarts=DEATHS, max_task_retries=-1, **needs)(Hand)
    hands = [kind.remote(worker) for _ in range(num_workers)]
    waiting = deque(portions(shards, num_workers))
    greeted: dict[Any, Any] = {hand.work.remote([]): hand for hand in hands}
    given: dict[Any, Any] = {}
    try:
        while waiting or given:
            ready, _ = ray.wait([*greeted, *given], timeout=PLACE_WITHIN_S)
            if not ready and not given:
                note(f"Ray has no place for a worker yet, which needs {needs}")
            for call in ready:
                hand = given.pop(call, None) or greeted.pop(call)
                done = _answer(call)
                if waiting:
                    given[hand.work.remote(waiting.popleft())] = hand
                yield done
    finally:
        for hand in hands:
            ray.kill(hand)


def num_gpus(device: str) -> float:
    """How many GPUs a worker takes."""
    asked = os.environ.get("TEDIGAN_RAY_GPUS")
    if asked is None:
        return float(device != "cpu" and ray.cluster_resources().get("GPU", 0) > 0)
    try:
        return float(asked)
    except ValueError:
        raise ParamsError(
            f"TEDIGAN_RAY_GPUS is {asked!r}; expected how many GPUs a worker takes, such as 0, 0.5 or 1. Set it, "
            "or leave it out."
        ) from None


def _answer(call: Any) -> list[int]:
    """What a worker has settled; its own error as itself, and its death as one."""
    try:
        done: list[int] = ray.get(call)
    except RayTaskError as error:
        raise error.cause from error
    except RayError as error:
        raise WorkersDied(str(error)) from error
    return done
