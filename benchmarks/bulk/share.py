"""The platform's share of a worker's time: drawing alone beside drawing, writing, hashing and committing, in turn.

On two cores writing overlaps drawing, so that wall seconds hide what another core did; CPU seconds hide nothing.
`accounted` is the CPU time of the worker's process that was not the drawing thread's, in the same run: it resolves
what pairs of runs do not.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.bulk.jobs import (
    Meter,
    children_of,
    cpu_seconds_of,
    default_job,
    job_of_random_weights,
    local_bucket,
    save,
)
from benchmarks.pairing import table
from tedigan.bulk.worker import Worker
from tedigan.workspace import Workspace


@dataclass(frozen=True)
class Round:
    """Seconds of one round: the same shards drawn and thrown away, and worked. server: CPU of the S3 server.

    drawing_cpu: of the drawing thread while the shards were worked.
    """

    draw_wall: float
    draw_cpu: float
    work_wall: float
    work_cpu: float
    drawing_cpu: float
    server_cpu: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much of it."""
    parser.add_argument("--workspace", type=Path, required=True, help="with the models of 64 px")
    parser.add_argument("--resolution", type=int, choices=[64, 256], default=64)
    parser.add_argument("--images-per-shard", type=int, default=256)
    parser.add_argument("--shards", type=int, default=2, help="of one round")
    parser.add_argument("--batch", type=int, default=8, help="at 256 px; at 64 px the workspace's")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="that the worker may use")


def run(arguments: argparse.Namespace, folder: Path) -> None:
    """Measure, print, save."""
    with local_bucket(folder / "platform") as place:
        (server,) = children_of(os.getpid())
        os.sched_setaffinity(0, [*os.sched_getaffinity(0)][: arguments.cores])
        rounds = _rounds(_job(arguments, place, folder), server, arguments)
    each = arguments.shards * arguments.images_per_shard
    text = _table(rounds, each)
    print(text)
    names = ("resolution", "images_per_shard", "shards", "cores")
    given = {name: getattr(arguments, name) for name in names}
    name = f"share-{arguments.resolution}-{arguments.cores}-cores"
    print(f"\n{save(name, text, given=given, rounds=[asdict(one) for one in rounds])}")


def _job(arguments: argparse.Namespace, place: str, folder: Path) -> Worker:
    sizes = {
        "num_images": arguments.images_per_shard * arguments.shards * (arguments.rounds + 1),
        "images_per_shard": arguments.images_per_shard,
    }
    if arguments.resolution == 64:
        return default_job(Workspace.open(arguments.workspace), place, folder, **sizes)
    return job_of_random_weights(place, folder, batch_size=arguments.batch, **sizes)


def _rounds(worker: Worker, server: int, arguments: argparse.Namespace) -> list[Round]:
    """The first warms up and is not kept; which of the two goes first changes from round to round."""
    meter = Meter(worker.painter)
    rounds = list[Round]()
    for number in range(arguments.rounds + 1):
        shards = range(number * arguments.shards, (number + 1) * arguments.shards)
        if number % 2:
            drawn = _timed(partial(_draw, worker, shards))
        meter.cpu_s, before = 0.0, cpu_seconds_of(server)
        worked = _timed(partial(_work, worker, meter, shards))
        served = cpu_seconds_of(server) - before
        if not number % 2:
            drawn = _timed(partial(_draw, worker, shards))
        rounds.append(Round(*drawn, *worked, meter.cpu_s, served))
        print(f"round {number}/{arguments.rounds}: {rounds[-1]}", flush=True)
    return rounds[1:]


def _timed(call: Callable[[], None]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def _draw(worker: Worker, shards: Sequence[int]) -> None:
    for shard in shards:
        images = worker.ledger.plan.images_of(shard)
        for _ in worker.painter.faces(images, worker.asked(images)):
            pass


def _work(worker: Worker, meter: Meter, shards: Sequence[int]) -> None:
    plain, vars(worker)["painter"] = worker.painter, meter
    try:
        assert list(worker.work(shards)) == [*shards], "each shard is settled"
    finally:
        vars(worker)["painter"] = plain


def _table(rounds: Sequence[Round], num_images: int) -> str:
    """Shares are of what working takes."""
    shares = {
        "wall": [1 - one.draw_wall / one.work_wall for one in rounds],
        "CPU, paired": [1 - one.draw_cpu / one.work_cpu for one in rounds],
        "CPU, accounted": [1 - one.drawing_cpu / one.work_cpu for one in rounds],
    }
    milliseconds = {
        "draw, wall": [one.draw_wall for one in rounds],
        "work, wall": [one.work_wall for one in rounds],
        "draw, CPU": [one.draw_cpu for one in rounds],
        "work, CPU": [one.work_cpu for one in rounds],
        "platform, CPU": [one.work_cpu - one.drawing_cpu for one in rounds],
        "S3 server, CPU": [one.server_cpu for one in rounds],
    }
    rows = [
        [f"share: {name}", _range([100 * one for one in of], "%")] for name, of in shares.items()
    ]
    rows += [
        [f"ms an image: {name}", _range([1e3 * one / num_images for one in of], "")]
        for name, of in milliseconds.items()
    ]
    return table(["", "median [least - largest]"], rows)


def _range(values: Sequence[float], unit: str) -> str:
    return f"{median(values):.2f}{unit} [{min(values):.2f} - {max(values):.2f}]"
