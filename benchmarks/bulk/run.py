"""One long job of two workers, to a folder: its rate and its workers' memory over time.

    python -m benchmarks.bulk_throughput --work DISK run --workspace WORKSPACE --minutes 40

Every five seconds each worker's resident memory and CPU seconds are read, and what is committed is counted. A
worker's own meter says how much of its CPU time its drawing thread had; the rest is the platform's.
"""

import argparse
import json
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.bulk.jobs import Meter, cpu_seconds_of, default_job, memory_mib_of, save
from benchmarks.pairing import table
from tedigan.bulk.engines import open_engine
from tedigan.bulk.heartbeat import WORKERS, Heartbeat, read_heartbeats
from tedigan.bulk.ledger import Ledger
from tedigan.bulk.running import run_job
from tedigan.bulk.shard_files import ShardFiles
from tedigan.bulk.worker import Worker
from tedigan.workspace import Workspace

SAMPLE_S = 5.0
SETTLED_AT = 1000  # images of a worker, from which on its memory is to be flat
NUM_ROWS = 12


@dataclass(frozen=True)
class MeteredWorker(Worker):
    """Keeps beside its scratch files what CPU seconds its drawing thread has had, and its process since then."""

    @cached_property
    def painter(self) -> Any:
        """The plan's, measured."""
        meter = Meter(super().painter)
        vars(self)["began"] = time.process_time()
        return meter

    def draw(self, shard: int, folder: Path) -> ShardFiles:
        """As any worker; then the meter is read."""
        files = super().draw(shard, folder)
        cpu_s = {"drawing": self.painter.cpu_s, "all": time.process_time() - vars(self)["began"]}
        self.scratch.with_name(f"meter-{os.getpid()}.json").write_text(json.dumps(cpu_s))
        return files


@dataclass(frozen=True)
class Sample:
    """At `seconds` from the start: images committed in all; of each worker, by its pid, MiB, CPU s, images."""

    seconds: float
    num_images: int
    memory_mib: dict[int, float]
    cpu_s: dict[int, float]
    drawn: dict[int, int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long."""
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--images", type=int, default=200_000, help="at most")
    parser.add_argument("--images-per-shard", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=40.0, help="after which no shard is begun")
    parser.add_argument("--workers", type=int, default=2)


def run(arguments: argparse.Namespace, folder: Path) -> None:
    """Measure, print, save."""
    sizes = {"num_images": arguments.images, "images_per_shard": arguments.images_per_shard}
    workspace = Workspace.open(arguments.workspace)
    plain = default_job(workspace, str(folder / "jobs"), folder, **sizes)
    worker = MeteredWorker(**{one.name: getattr(plain, one.name) for one in fields(Worker)})
    samples, is_over = list[Sample](), threading.Event()
    sampler = threading.Thread(target=_sample, args=(worker.ledger, samples, is_over))
    sampler.start()
    engine = open_engine("local")
    try:
        left = run_job(worker, engine, arguments.workers, max_hours=arguments.minutes / 60)
    finally:
        is_over.set()
        sampler.join()
    spoken = _heartbeats(worker.ledger)
    meters = [json.loads(one.read_text()) for one in sorted(folder.glob("meter-*.json"))]
    num_bytes = sum(one.tar.num_bytes + one.table.num_bytes for one in worker.ledger.commits())
    text = "\n\n".join([_summary(samples, meters, num_bytes, left), _curve(samples)])
    print(text)
    measured = {"samples": [asdict(one) for one in samples], "cpu_s": meters, "bytes": num_bytes}
    given = sizes | {"minutes": arguments.minutes, "workers": arguments.workers}
    said = [asdict(one) | {"host": "", "worker": ""} for one in spoken]
    print(f"\n{save('run', text, given=given, workers=said, **measured)}")


def _heartbeats(ledger: Ledger) -> list[Heartbeat]:
    return [*read_heartbeats(ledger.bucket, ledger.bucket.names(WORKERS)).values()]


def _sample(ledger: Ledger, samples: list[Sample], is_over: threading.Event) -> None:
    started = time.monotonic()
    while not is_over.wait(SAMPLE_S):
        workers = {one.pid: one.num_images for one in _heartbeats(ledger)}
        num_images = sum(len(ledger.plan.images_of(shard)) for shard in ledger.committed())
        memory = {pid: round(memory_mib_of(pid), 1) for pid in workers}
        cpu_s = {pid: cpu_seconds_of(pid) for pid in workers}
        seconds = round(time.monotonic() - started, 1)
        samples.append(Sample(seconds, num_images, memory, cpu_s, workers))


def _summary(
    samples: Sequence[Sample], meters: Sequence[dict[str, float]], num_bytes: int, left: int
) -> str:
    last = samples[-1]
    seconds = last.seconds - next(one.seconds for one in samples if one.num_images)
    first = next(one.num_images for one in samples if one.num_images)
    rows = [
        ["images committed", f"{last.num_images:,} in {last.seconds:,.0f} s; {left:,} shards left"],
        [
            "images/s from the first commit on",
            f"{(last.num_images - first) / max(seconds, SAMPLE_S):.1f}",
        ],
        ["images a CPU second of the workers", f"{last.num_images / sum(last.cpu_s.values()):.1f}"],
        ["bytes", f"{num_bytes / 1e6:,.1f} MB, {num_bytes / last.num_images:,.0f} an image"],
        ["platform's share of CPU", f"{1 - _sum(meters, 'drawing') / _sum(meters, 'all'):.1%}"],
        *([f"memory of worker {row}, MiB", said] for row, said in enumerate(_flatness(samples), 1)),
    ]
    return table(["", ""], rows)


def _sum(meters: Sequence[dict[str, float]], name: str) -> float:
    return sum(one[name] for one in meters)


def _flatness(samples: Sequence[Sample]) -> list[str]:
    """Of each worker from its SETTLED_AT-th image on: the median of the first tenth of samples and of the last."""
    said = []
    for pid in samples[-1].memory_mib:
        settled = [one for one in samples if one.drawn.get(pid, 0) >= SETTLED_AT]
        values = [one.memory_mib[pid] for one in settled if one.memory_mib.get(pid)]
        most = max(one.memory_mib.get(pid, 0.0) for one in samples)
        ends = "fewer than 1,000 images"
        if values:
            part = max(1, len(values) // 10)
            ends = f"{median(values[:part]):,.0f} at first, {median(values[-part:]):,.0f} at last"
        said.append(f"{ends}; {most:,.0f} at most")
    return said


def _curve(samples: Sequence[Sample]) -> str:
    """NUM_ROWS parts of the time."""
    step = max(1, len(samples) // NUM_ROWS)
    rows = []
    for before, now in zip(samples[::step], samples[step::step], strict=False):
        rate = (now.num_images - before.num_images) / (now.seconds - before.seconds)
        memory = " ".join(f"{value:,.0f}" for value in now.memory_mib.values())
        rows.append([f"{now.seconds:,.0f}", f"{now.num_images:,}", f"{rate:.1f}", memory])
    return table(["s", "images", "images/s since the row before", "MiB of each worker"], rows)
