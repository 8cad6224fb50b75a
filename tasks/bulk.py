"""The engine `prefect`: workers are flow runs of a deployment, on whatever work pool that has.

Each begins at a place of its own and goes on among the others' (`tedigan.bulk.running.walk`), so that nobody
hands out shards, and none waits for one that is lost. The deployment is `draw/bulk-worker` of infra/prefect.yaml,
or that of TEDIGAN_BULK_DEPLOYMENT.
"""

import os
import signal
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateType
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound

from tasks import policy
from tedigan.bulk.engines import WorkersDied, in_rounds
from tedigan.bulk.running import work_among_others
from tedigan.bulk.worker import Worker
from tedigan.errors import StoreError
from tedigan.progress import note
from tedigan.releases.release_store import ReleaseStore

DEPLOYMENT = "draw/bulk-worker"


def run_prefect(worker: Worker, shards: Sequence[int], num_workers: int) -> Iterator[int]:
    """An engine; see tedigan.bulk.engines."""
    with _ended_by_sigterm(), _team(worker, sorted(shards), num_workers) as team:
        yield from in_rounds(worker, shards, team.round)


@task(task_run_name="shards from {begin} on", cache_policy=NO_CACHE)
def draw_shards(worker: Worker, begin: int) -> None:
    """Draw until nothing is left, or a budget or a cancellation ends it."""
    for _ in work_among_others(worker, begin):
        continue


def worker_here(sent: Mapping[str, Any]) -> Worker:
    """The worker that was sent; where its release does not lie yet, as in a pod, it is fetched."""
    worker = Worker.from_json(sent)
    release, cache = worker.ledger.plan.release, worker.models.parent.parent
    if release and not worker.models.is_dir():
        place = os.environ.get("TEDIGAN_RELEASES") or str(cache.parent / "release-store")
        ReleaseStore(place).fetch(release, cache)
    return worker


@dataclass
class Team:
    """Flow runs that draw one job. runs: the shard that each begins with -> its flow run, or None before it
    has one.
    """

    worker: Worker
    runs: dict[int, UUID | None]
    name: str = field(default_factory=lambda: os.environ.get("TEDIGAN_BULK_DEPLOYMENT", DEPLOYMENT))

    def round(self, shards: Sequence[int]) -> Generator[list[int], None, None]:
        """Start who is missing, and give what is settled until all have ended; who died is a WorkersDied."""
        left, started, is_over = set(shards), time.monotonic(), False
        self._start()
        while left and not is_over:
            time.sleep(policy.BULK_POLL_S)
            states = self._states()
            is_over = all(state.is_final() for state in states.values())
            done = left & self.worker.ledger.committed()
            left -= done
            yield sorted(done)
            self._look(states)
            if started and time.monotonic() > started + policy.BULK_START_S:
                self._say_if_nobody_came(states)
                started = 0.0

    def end(self, *, within_s: float) -> None:
        """Leave them some time to end by themselves, then cancel those that go on."""
        deadline = time.monotonic() + within_s
        while any(not one.is_final() for one in self._states().values()):
            if time.monotonic() >= deadline:
                break
            time.sleep(min(1.0, policy.BULK_POLL_S))
        with get_client(sync_client=True) as client:
            for begin, state in self._states().items():
                run = self.runs[begin]
                if run is not None and not state.is_final():
                    client.set_flow_run_state(run, State(type=StateType.CANCELLING))

    def _start(self) -> None:
        given = {"worker": self.worker.to_json()}
        for begin, run in self.runs.items():
            if run is None:
                self.runs[begin] = _started(self.name, given | {"begin": begin})

    def _states(self) -> dict[int, State]:
        with get_client(sync_client=True) as client:
            found = {
                begin: client.read_flow_run(run).state
                for begin, run in self.runs.items()
                if run is not None
            }
        return {begin: state for begin, state in found.items() if state is not None}

    def _look(self, states: dict[int, State]) -> None:
        """Forget who crashed, to be started again; an error is an answer, that all others would give too."""
        for state in states.values():
            if state.is_failed():
                raise StoreError(
                    f"a flow run of {self.name} failed: {state.message}. What is committed is kept; mend it, and "
                    "resume the job."
                )
        crashed = [begin for begin, state in states.items() if state.is_crashed()]
        self.runs |= dict.fromkeys(crashed)
        if crashed:
            raise WorkersDied(f"{len(crashed)} flow runs of {self.name} crashed")

    def _say_if_nobody_came(self, states: dict[int, State]) -> None:
        if all(state.is_scheduled() for state in states.values()):
            note(
                f"no worker has taken a flow run of {self.name} yet; `prefect worker start --pool ...` starts one"
            )


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, where nobody has seen to it: by itself it would end this process and
    leave the flow runs. Other threads than the main one hear no signal.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def _team(worker: Worker, shards: Sequence[int], num_workers: int) -> Iterator[Team]:
    """At most as many as there are shards; whatever happens here, none is left to draw for nobody."""
    count = min(num_workers, len(shards))
    team = Team(worker, {shards[len(shards) * one // count]: None for one in range(count)})
    try:
        yield team
        team.end(within_s=policy.BULK_END_S)
    except BaseException:
        team.end(within_s=0.0)
        raise


def _started(deployment: str, parameters: dict[str, Any]) -> UUID:
    """A new flow run; a StoreError where Prefect does not know the deployment."""
    try:
        run: Any = run_deployment(deployment, parameters=parameters, timeout=0)
    except ObjectNotFound as error:
        raise StoreError(
            f"Prefect knows no deployment {deployment}, whose flow runs are to draw. Run `prefect deploy --all "
            "--prefect-file infra/prefect.yaml`, or name another with TEDIGAN_BULK_DEPLOYMENT."
        ) from error
    started: UUID = run.id
    return started
