"""Do bulk jobs come out whole, whatever dies? `python -m benchmarks.bulk_chaos --engine all --kills 50`

Jobs of noise, on a real S3 server, drawn by each engine with each number of workers while workers are killed
(SIGKILL) at random moments, one, some or all at once, while S3 is stopped and started again, while a stranger
whose clock is ten minutes off draws too, and while he and another finish one shard at the same time. After each
job: the root of a quiet run of one worker on a folder, nothing to verify, every image and every commit once.
`--kills 200` is the long form; where `--minutes` are over, the table says how many kills there were.
"""

import argparse
import datetime
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from random import Random

from benchmarks.chaos.prefect_pool import prefect_pool
from benchmarks.chaos.torment import Outcome, Plague, Server, quiet_root, torment
from benchmarks.pairing import RESULTS, machine, table
from infra.local import BUCKET, environment_of
from tedigan.store.files import read_json
from tedigan.store.s3 import client

ENGINES = ("local", "ray", "prefect")
COLUMNS = [
    "engine", "workers", "kills", "of", "S3 restarts", "two at once", "clock off", "jobs", "shards",
    "drawn", "in vain", "seconds", "root", "faults",
]  # fmt: skip


def main() -> int:
    """Draw, print the table, write the result file; 1 where anything is lost, double or other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", choices=[*ENGINES, "all"], default="all")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--kills", type=int, default=50, help="of each engine and worker count")
    parser.add_argument("--shards", type=int, default=100, help="of each job")
    parser.add_argument("--minutes", type=float, default=1e9, help="for each engine")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=None, help="default: in results/")
    given = parser.parse_args()
    out = given.out or RESULTS / f"{datetime.date.today().isoformat()}-bulk-chaos.json"
    with tempfile.TemporaryDirectory() as work, _s3(Path(work)) as server:
        root = quiet_root(Path(work) / "quiet", given.shards)
        for outcome in _outcomes(given, Path(work), server, root):
            _save(out, root, outcome)
            print(asdict(outcome), file=sys.stderr, flush=True)
    outcomes = _read(out)
    print(f"{_table(outcomes)}\n\nthe quiet run's root: {root}\n{out}")
    return int(any(one.faults for one in outcomes))


@contextmanager
def _s3(work: Path) -> Iterator[Server]:
    """A server with a bucket, in this process' environment."""
    server = Server(work / "s3")
    os.environ.update(environment_of(server.start(), work))
    try:
        client().create_bucket(Bucket=BUCKET)
        yield server
    finally:
        server.stop()


def _outcomes(
    given: argparse.Namespace, work: Path, server: Server, root: str
) -> Iterator[Outcome]:
    """One engine after another; what is left of its minutes is shared by the worker counts to come."""
    for engine in ENGINES if given.engine == "all" else [given.engine]:
        with _environment(engine) as environment:
            until = time.monotonic() + 60 * given.minutes
            for place, num_workers in enumerate(given.workers):
                within_s = (until - time.monotonic()) / (len(given.workers) - place)
                plague = Plague(given.kills, shards=given.shards, within_s=within_s)
                yield torment(
                    engine,
                    num_workers,
                    plague,
                    place=f"s3://{BUCKET}",
                    server=server,
                    root=root,
                    folder=work,
                    environment=environment,
                    dice=Random(f"{given.seed} {engine} {num_workers}"),
                )


@contextmanager
def _environment(engine: str) -> Iterator[Mapping[str, str]]:
    """Of an engine's runs."""
    if engine != "prefect":
        yield {}
        return
    with prefect_pool() as found:
        yield found


def _table(outcomes: Iterable[Outcome]) -> str:
    return table(COLUMNS, [_row(one) for one in outcomes])


def _row(one: Outcome) -> list[str]:
    numbers = [
        one.workers, one.kills, one.kills_wanted, one.s3_restarts, one.met, f"{one.clock_off_s} s",
        one.jobs, one.shards, one.drawn, one.in_vain, round(one.seconds),
    ]  # fmt: skip
    return [one.engine, *map(str, numbers), one.root[:12], str(len(one.faults))]


def _read(out: Path) -> list[Outcome]:
    """What a result file holds."""
    return [Outcome(**one) for one in read_json(out)["cells"]] if out.exists() else []


def _save(out: Path, root: str, outcome: Outcome) -> None:
    """Into the file, in place of what it says of that engine and number of workers."""
    cells = {(ENGINES.index(one.engine), one.workers): one for one in [*_read(out), outcome]}
    outcomes = [cells[place] for place in sorted(cells)]
    content = {
        "machine": machine(),
        "quiet_root": root,
        "table": _table(outcomes).splitlines(),
        "cells": [asdict(one) for one in outcomes],
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
