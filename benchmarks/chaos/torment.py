"""Jobs drawn while workers are killed, S3 goes and comes back, two finish one shard, and a clock is wrong."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.chaos.noted import NotedWorker, Notes, is_alive
from benchmarks.chaos.wrong_clock import wrong_clock
from benchmarks.toy_jobs import toy_job
from infra.services import S3, die_with_parent, local_s3
from tedigan.bulk.ledger import Ledger
from tedigan.bulk.replay import rows_of
from tedigan.bulk.seal import seal, verify

CLOCK_OFF_S = 600
MEETING = 0  # the shard with which the stranger begins
IMAGES_PER_SHARD = 2
LOOK_S = 0.1


@dataclass(frozen=True)
class Plague:
    """What befalls each engine and number of workers.

    kills: of workers, in jobs one after another until there are so many, or within_s is over. restarts: of S3.
    shards: of a job; shard_s: for a worker to draw one, stranger_s: for the one whose clock is wrong. life_s: the
    longest that all live after the first of them has drawn something; early: how often it is counted from their
    beginning instead, since who is always killed then draws nothing. down_s: the longest that S3 is gone.
    """

    kills: int = 50
    restarts: int = 2
    shards: int = 100
    shard_s: float = 0.5
    stranger_s: float = 4.0
    life_s: float = 4.0
    early: float = 0.2
    down_s: float = 4.0
    within_s: float = float("inf")


@dataclass
class Outcome:
    """What befell them, and what came of it. faults: what does not hold of a job that it should have left whole.

    drawn: shards, to the end; in_vain: of them, those that another had committed by then. The rest of what is more
    than `shards` went with who was killed before the commit, or with S3. met: shards that two finished at once.
    """

    engine: str
    workers: int
    kills_wanted: int
    kills: int = 0
    s3_restarts: int = 0
    clock_off_s: int = 0
    met: int = 0
    jobs: int = 0
    shards: int = 0
    drawn: int = 0
    in_vain: int = 0
    seconds: float = 0.0
    root: str = ""
    faults: list[str] = field(default_factory=list)

    def is_enough(self, plague: Plague) -> bool:
        """Whether all of it has befallen them."""
        has_happened = self.kills >= plague.kills and self.s3_restarts >= plague.restarts
        return has_happened and self.met > 0


class Server:
    """An S3 server that can be stopped, and comes back at the same address with what it held."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._running = folder, ExitStack()
        self._port: int | None = None

    def start(self) -> S3:
        """When it answers."""
        s3 = self._running.enter_context(local_s3(self._folder, self._port))
        self._port = int(s3.endpoint_url.rpartition(":")[2])
        return s3

    def stop(self) -> None:
        """When it is gone."""
        self._running.close()


def quiet_root(folder: Path, shards: int) -> str:
    """That of one worker whom nothing befalls, on a folder."""
    worker = toy_job(folder / "jobs", folder, **_sizes(shards))
    list(worker.work(range(shards)))
    root: str = seal(worker.ledger)["root"]
    return root


def torment(
    engine: str,
    num_workers: int,
    plague: Plague,
    *,
    place: str,
    server: Server,
    root: str,
    folder: Path,
    environment: Mapping[str, str],
    dice: Random,
) -> Outcome:
    """Draw jobs below `place` until enough has befallen them.

    root: what each must be sealed with. environment: of the runs.
    """
    outcome, started = Outcome(engine, num_workers, plague.kills), time.monotonic()
    while not outcome.jobs or (
        not outcome.is_enough(plague) and time.monotonic() < started + plague.within_s
    ):
        name = f"{engine}-{num_workers}-{outcome.jobs}"
        trial = _Trial(plague, outcome, server, folder / name, dice, started + plague.within_s)
        trial.run(f"{place}/{name}", environment, root)
    outcome.seconds = round(time.monotonic() - started, 1)
    return outcome


class _Trial:
    """One job, and what befalls it; counted in an outcome."""

    def __init__(
        self,
        plague: Plague,
        outcome: Outcome,
        server: Server,
        folder: Path,
        dice: Random,
        until: float,
    ) -> None:
        self._plague, self._outcome, self._server = plague, outcome, server
        self._folder, self._dice, self._until = folder, dice, until
        self._notes = Notes(folder / "notes")
        self._is_early = False
        self._due: float | None = None  # when somebody dies
        self._num_restarts = 0

    def run(self, place: str, environment: Mapping[str, str], root: str) -> None:
        """Draw the job, and look at what came of it."""
        plague, outcome = self._plague, self._outcome
        job = toy_job(place, self._folder, **_sizes(plague.shards)).job
        drawer = self._worker(job, plague.shard_s)
        clock = wrong_clock(self._folder, CLOCK_OFF_S)
        stranger = self._worker(job, plague.stranger_s)
        command = (outcome.engine, outcome.workers)
        with (
            _process("alone", 1, stranger, {**environment, **(clock or {})}) as other,
            _process(*command, drawer, environment) as process,
        ):
            while process.poll() is None:
                self._befall(spared=other.pid)
                time.sleep(LOOK_S)
        self._count(is_clock_wrong=clock is not None)
        outcome.faults += self._faults(Ledger(job), process.returncode, root)

    def _worker(self, job: str, seconds: float) -> NotedWorker:
        return NotedWorker(
            job,
            self._folder,
            self._folder / "scratch",
            "cpu",
            seconds=seconds,
            notes=self._notes.folder,
            meeting=MEETING,
        )

    def _befall(self, *, spared: int) -> None:
        """What is due."""
        if time.monotonic() >= self._until:
            return
        self._kill_if_due(spared)
        share = len(self._notes.who("settled")) / self._plague.shards
        if (
            self._outcome.s3_restarts < self._plague.restarts
            and share > (self._num_restarts + 1) / 6
        ):
            self._num_restarts += 1
            self._restart_s3(spared)

    def _kill_if_due(self, spared: int) -> None:
        living = [pid for pid in self._notes.living() if pid != spared]
        if not living or self._outcome.kills >= self._plague.kills:
            return
        if self._due is None and (self._is_early or self._notes.has_drawn(living)):
            self._due = time.monotonic() + self._dice.uniform(0.0, self._plague.life_s)
        is_due = self._due is not None and time.monotonic() >= self._due
        if is_due and not self._notes.are_meeting():
            self._due, self._is_early = None, self._dice.random() < self._plague.early
            self._kill(living)

    def _kill(self, living: list[int]) -> None:
        """One, some or all of them."""
        left = self._plague.kills - self._outcome.kills
        count = self._dice.choice([len(living), self._dice.randint(1, len(living))])
        victims = self._dice.sample(living, count)
        for pid in victims[:left]:
            with suppress(ProcessLookupError):
                was_alive = is_alive(pid)
                os.kill(pid, signal.SIGKILL)
                self._outcome.kills += was_alive

    def _restart_s3(self, spared: int) -> None:
        """Workers may die meanwhile too."""
        self._server.stop()
        over = time.monotonic() + self._dice.uniform(0.0, self._plague.down_s)
        while time.monotonic() < over:
            self._kill_if_due(spared)
            time.sleep(LOOK_S)
        self._server.start()
        self._outcome.s3_restarts += 1

    def _count(self, *, is_clock_wrong: bool) -> None:
        outcome, notes = self._outcome, self._notes
        outcome.jobs += 1
        outcome.shards += self._plague.shards
        outcome.drawn += notes.num_drawn
        outcome.in_vain += notes.num_in_vain
        outcome.met += notes.num_met
        outcome.clock_off_s = CLOCK_OFF_S * is_clock_wrong

    def _faults(self, ledger: Ledger, code: int, root: str) -> list[str]:
        if code or ledger.remaining():
            said = (self._folder / f"{self._outcome.engine}.log").read_text()[-2000:]
            return [f"{ledger.address}: the run ended with {code}: {said}"]
        self._outcome.root = seal(ledger)["root"]
        return [f"{ledger.address}: {one}" for one in _untrue(ledger, root, self._folder)]


def _untrue(ledger: Ledger, root: str, folder: Path) -> list[str]:
    """What does not hold of a sealed job."""
    plan, commits = ledger.plan, list(ledger.commits())
    images = sorted(row["image"] for row in rows_of(ledger, folder / "cache"))
    claims = {
        "the root is the quiet run's": ledger.read("sealed.json")["root"] == root,
        "every image is there once": images == list(range(plan.num_images)),
        "every shard is committed once": [one.shard for one in commits]
        == [*range(plan.num_shards)],
        "a shard has two files": len(list(ledger.bucket.names("shards/"))) == 2 * plan.num_shards,
        "nobody drew other bytes": not ledger.conflicts(),
    }
    problems = verify(ledger, folder / "cache").problems
    return [f"not so: {claim}" for claim, holds in claims.items() if not holds] + problems


@contextmanager
def _process(
    engine: str, num_workers: int, worker: NotedWorker, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A run in a process of its own, which ends with the block, and its children with it."""
    file = worker.models / f"{engine}.worker"
    file.write_bytes(pickle.dumps(worker))
    command = [
        sys.executable,
        "-m",
        "benchmarks.chaos.one_run",
        engine,
        str(num_workers),
        str(file),
    ]
    with (
        file.with_suffix(".log").open("wb") as log,
        subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=die_with_parent,
        ) as process,
    ):
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _sizes(shards: int) -> dict[str, int]:
    return {"num_images": shards * IMAGES_PER_SHARD, "images_per_shard": IMAGES_PER_SHARD}
