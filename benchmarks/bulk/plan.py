"""Ten million images planned, each way in a process of its own; and what a shard asks of a store, counted.

A plan without its sample: read, judge and write a million prompts, name the plan by its digest, put it in its
place. Requests are those that really go to an S3 server while workers settle shards.
"""

import argparse
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.bulk.jobs import FakeWorker, approved, captions_of, local_bucket, plain_plan, save
from benchmarks.pairing import Cell, run_in_turn, table
from benchmarks.timing import say
from tedigan.bulk.ledger import Ledger
from tedigan.bulk.planning import Estimate, plan_job
from tedigan.bulk.prompt_table import write_prompts
from tedigan.bulk.prompts import Prompt, Rejected, read_prompts
from tedigan.bulk.quotas import assign, draw_prompts, read_quotas
from tedigan.bulk.seal import seal
from tedigan.store.s3 import client
from tedigan.workspace import Workspace

T = TypeVar("T")
EACH = 10  # faces a prompt
IN_ONE_CALL = 8  # shards, as the engine `local` gives them out
QUOTAS = """count: {count}
quotas: {{Male: 0.5, Eyeglasses: 0.1, Young: 0.7}}
one_of:
  - [Black_Hair, Blond_Hair, Brown_Hair, Gray_Hair]
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much of it."""
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--prompts", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=64, help="settled to count requests")
    parser.add_argument("--seconds", type=float, default=0.0, help="that a counted shard takes")
    parser.add_argument("--cell", choices=["list", "quotas"], help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace, folder: Path) -> None:
    """Measure, print, save; or measure one cell, in the process of its own."""
    if arguments.cell:
        say(_cell(arguments, folder))
        return
    command = ["benchmarks.bulk_throughput", *sys.argv[1:], "--cell"]
    cells = [Cell(name, [*command, name]) for name in ("list", "quotas")]
    run_in_turn(cells, rounds=1)
    counted = _count(arguments, folder)
    text = "\n\n".join([_times(cells), _requests(counted, arguments)])
    text += "\n\n" + "\n".join(_estimate(cells[0].runs[0]["shards"]).lines(1000, 0.1))
    print(text)
    given = {"prompts": arguments.prompts, "shards": arguments.shards, "seconds": arguments.seconds}
    runs = {cell.name: cell.runs for cell in cells}
    print(f"\n{save('plan', text, given=given, cells=runs, counted=counted)}")


def _cell(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Seconds of each step, wall and CPU, and the process' largest memory."""
    workspace = Workspace.open(arguments.workspace)
    steps: dict[str, Any] = {}
    rows = (_list if arguments.cell == "list" else _quotas)(arguments, workspace, folder, steps)
    draft = folder / "draft"
    _timed(steps, "write the prompts", lambda: write_prompts(draft, rows))
    params = workspace.params.generate.model_dump(mode="json")
    numbers: dict[str, Any] = {"faces_per_prompt": EACH, "images_per_shard": 1000, "seed": 0}
    rest: dict[str, Any] = {
        "batch_size": 32,
        "num_threads": 1,
        "attempts": 1,
        "image_format": "png",
    }
    plan = _timed(
        steps, "plan", lambda: plan_job(draft, workspace.models, params, **numbers, **rest)
    )
    _timed(steps, "put in place", lambda: Ledger.create(str(folder / "jobs"), plan, draft))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = sum(one.stat().st_size for one in draft.iterdir())
    return {
        "images": plan.num_images,
        "wall_s": [sum(one["wall"] for one in steps.values())],
        "steps": steps,
        "peak_mib": peak,
        "bytes": size,
        "shards": plan.num_shards,
    }


def _list(
    arguments: argparse.Namespace, workspace: Workspace, folder: Path, steps: dict[str, Any]
) -> Iterator[Prompt | Rejected]:
    """A parquet of captions, of which no two are equal; they are read while they are written."""
    path = folder / "prompts.parquet"
    if not path.exists():
        texts = captions_of(workspace, arguments.prompts)
        column = [f"{text[:-1]}, {row}." for row, text in enumerate(texts)]
        pq.write_table(pa.table({"text": column}), path)
    return _timed(steps, "open", lambda: read_prompts(str(path), root=folder, cache=folder))


def _quotas(
    arguments: argparse.Namespace,
    workspace: Workspace,  # noqa: ARG001
    folder: Path,
    steps: dict[str, Any],
) -> Iterator[Prompt]:
    """Their sentences are drawn while they are written."""
    path = folder / "quotas.yaml"
    path.write_text(QUOTAS.format(count=arguments.prompts))
    quotas, grammar = read_quotas(path)
    assigned = _timed(steps, "meet the quotas", lambda: assign(quotas, grammar, seed=0))
    return draw_prompts(assigned, grammar, seed=0)


def _timed(steps: dict[str, Any], name: str, call: Callable[[], T]) -> T:
    wall, cpu = time.perf_counter(), time.process_time()
    found = call()
    steps[name] = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    return found


def _times(cells: list[Cell]) -> str:
    rows = []
    for cell in cells:
        (found,) = cell.runs
        rows += [
            [cell.name, name, f"{one['wall']:.1f}", f"{one['cpu']:.1f}"]
            for name, one in found["steps"].items()
        ]
        peak, size = found["peak_mib"], found["bytes"] / 1e6
        rows.append(
            [
                cell.name,
                f"all of {found['images']:,} images; {peak:,.0f} MiB at most, {size:,.1f} MB kept",
                f"{found['wall_s'][0]:.1f}",
                f"{sum(one['cpu'] for one in found['steps'].values()):.1f}",
            ]
        )
    return table(["prompts", "step", "s", "CPU s"], rows)


def _count(arguments: argparse.Namespace, folder: Path) -> dict[str, dict[str, int]]:
    """Requests to a real S3 server, by method and kind of object: to draw every shard but one, and to seal all."""
    with local_bucket(folder / "platform") as place:
        draft = folder / "counted"
        plan = plain_plan(draft, 2 * arguments.shards, 2)
        worker = approved(
            plan, draft, place, FakeWorker, folder, folder / "scratch", seconds=arguments.seconds
        )
        list(worker.work([0]))  # opens what is opened once
        draws, seals = Counter[str](), Counter[str]()
        with _counted(plan.name, draws):
            for first in range(1, arguments.shards, IN_ONE_CALL):
                list(worker.work(range(first, min(first + IN_ONE_CALL, arguments.shards))))
        with _counted(plan.name, seals):
            seal(worker.ledger)
    return {"to draw": dict(sorted(draws.items())), "to seal": dict(sorted(seals.items()))}


@contextmanager
def _counted(job: str, found: Counter[str]) -> Iterator[None]:
    """What really goes to the server while the block runs."""

    def note(request: Any, **_: Any) -> None:
        kind = request.url.partition(f"{job}/")[2].partition("/")[0]
        found[f"{request.method} {kind or 'the bucket'}"] += 1

    events = client().meta.events
    events.register("before-send.s3", note)
    try:
        yield
    finally:
        events.unregister("before-send.s3", note)


def _requests(counted: dict[str, dict[str, int]], arguments: argparse.Namespace) -> str:
    sizes = {"to draw": arguments.shards - 1, "to seal": arguments.shards}
    rows = [
        [what, name, f"{count:,}", f"{count / sizes[what]:.2f}"]
        for what, found in counted.items()
        for name, count in found.items()
    ]
    heads = [f"{arguments.shards} shards of {arguments.seconds:g} s", "request", "", "a shard"]
    return table(heads, rows)


def _estimate(num_shards: int) -> Estimate:
    """Of the job, at the default's rate on a core and its bytes; see docs/numbers.md."""
    return Estimate(num_shards * 1000, num_shards, 64.0, 9000.0, 0.0, 12.0)
