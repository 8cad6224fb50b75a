"""A thousand workers that know nothing of each other and really commit what nothing draws, in a few processes.

Each begins at a part of its own, as a flow run or a pod does, and goes on among the others. Pictures are noise,
and the time of drawing is slept. Then what is asked of a large job: what is left, how far is it, may it be sealed.
"""

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from benchmarks.bulk.jobs import FakeWorker, approved, local_bucket, plain_plan, save
from benchmarks.pairing import table
from tedigan.bulk.ledger import Ledger
from tedigan.bulk.running import work_among_others
from tedigan.bulk.seal import seal
from tedigan.bulk.status import Watch
from tedigan.processes import pool_of

IMAGES = 2  # a shard


@dataclass(frozen=True)
class Part:
    """What the workers of one process did. num_drawn: shards that they asked for, some beside another worker."""

    num_workers: int
    num_drawn: int
    errors: list[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many."""
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--shards", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20.0, help="that a shard is drawn")
    parser.add_argument("--store", choices=["folder", "s3"], default="s3")


def run(arguments: argparse.Namespace, folder: Path) -> None:
    """Measure, print, save."""
    if arguments.store == "folder":
        _run(arguments, folder, str(folder / "jobs"))
        return
    with local_bucket(folder / "platform") as place:
        _run(arguments, folder, place)


def _run(arguments: argparse.Namespace, folder: Path, place: str) -> None:
    draft = folder / "draft"
    plan = plain_plan(draft, IMAGES * arguments.shards, IMAGES)
    worker = approved(
        plan, draft, place, FakeWorker, folder, folder / "scratch", seconds=arguments.seconds
    )
    began = time.monotonic()
    parts = _work(worker, arguments)
    seconds = time.monotonic() - began
    measured = _questions(worker.ledger)
    text = _table(arguments, worker.ledger, parts, seconds, measured)
    print(text)
    given = {
        name: getattr(arguments, name)
        for name in ("workers", "shards", "processes", "seconds", "store")
    }
    said = [asdict(one) for one in parts]
    name = f"workers-{arguments.workers}-{arguments.store}"
    print(f"\n{save(name, text, given=given, seconds=seconds, parts=said, questions=measured)}")


def _work(worker: FakeWorker, arguments: argparse.Namespace) -> list[Part]:
    """Every worker's, in all processes."""
    starts = [row * arguments.shards // arguments.workers for row in range(arguments.workers)]
    parts = [starts[row :: arguments.processes] for row in range(arguments.processes)]
    with pool_of(arguments.processes, _start, worker) as pool:
        return [*pool.map(_part, parts)]


_worker: FakeWorker


def _start(worker: FakeWorker) -> None:
    global _worker
    _worker = worker


def _part(begins: list[int]) -> Part:
    """A thread a worker; each has a ledger, a scratch folder and a heartbeat of its own."""
    counts = list[int]()
    errors = list[str]()

    def work(begin: int) -> None:
        mine = FakeWorker(**{one.name: getattr(_worker, one.name) for one in fields(_worker)})
        mine = replace(mine, scratch=_worker.scratch / str(begin))
        try:
            for _ in work_among_others(mine, begin):
                pass
        except Exception as error:  # every worker's end is counted, and the run says so
            errors.append(f"{type(error).__name__}: {error}"[:200])
        counts.append(mine.painter.counts[0])

    with ThreadPoolExecutor(len(begins)) as threads:
        list(threads.map(work, begins))
    return Part(len(begins), sum(counts), errors)


def _questions(ledger: Ledger) -> dict[str, float]:
    """Seconds of each."""
    watch = Watch(ledger)
    asked: dict[str, Callable[[], Any]] = {
        "remaining": ledger.remaining,
        "status": watch.look,
        "status, again": watch.look,
        "commits": lambda: list(ledger.commits()),
        "seal": lambda: seal(ledger),
    }
    found = {}
    for name, question in asked.items():
        began = time.perf_counter()
        question()
        found[name] = time.perf_counter() - began
    return found


def _table(
    arguments: argparse.Namespace,
    ledger: Ledger,
    parts: list[Part],
    seconds: float,
    measured: dict[str, float],
) -> str:
    commits = list(ledger.commits())
    shards = [one.shard for one in commits]
    is_whole = shards == [*range(arguments.shards)] and {one.num_images for one in commits} == {
        IMAGES
    }
    num_drawn, errors = (
        sum(one.num_drawn for one in parts),
        [e for one in parts for e in one.errors],
    )
    rows = [
        ["workers, shards", f"{arguments.workers:,}, {arguments.shards:,}, {arguments.store}"],
        ["settled", f"{len(commits) / seconds:.0f} shards/s, {seconds:.0f} s in all"],
        ["every shard committed once, whole", "yes" if is_whole else "NO"],
        ["conflicts", str(len(ledger.conflicts()))],
        ["drawn beside another worker", f"{num_drawn - arguments.shards:,} shards"],
        ["workers that ended with an error", f"{len(errors)} {errors[:1] or ''}"],
        *([f"{name}, s", f"{value:.2f}"] for name, value in measured.items()),
    ]
    return table(["", ""], rows)
