"""A bulk job beside the straightforward way: one face a call, kept by Pillow as a PNG; images/s, each in turn.

Both with one thread a process and the same models and captions, and timed when all is open and warm: a loop from
its third face on, a job from its first commit to its last, by the files' dates.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.bulk.jobs import captions_of, default_job, save
from benchmarks.pairing import Cell, ratio, run_in_turn, table
from benchmarks.timing import say
from tedigan.bulk.artists import FaceArtist
from tedigan.bulk.engines import open_engine
from tedigan.bulk.running import run_job
from tedigan.notebook import load
from tedigan.store import pictures
from tedigan.workspace import Workspace

WARM_UP = 2
SLOWER = 12  # `load` draws so many fewer faces


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much of it."""
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--images", type=int, default=1024, help="of a job")
    parser.add_argument("--images-per-shard", type=int, default=64)
    parser.add_argument("--loop-images", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cell", choices=["load", "maker", "1", "2"], help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace, folder: Path) -> None:
    """Measure, print, save; or measure one cell, in the process of its own."""
    if arguments.cell:
        say(_cell(arguments, folder))
        return
    names = {
        "load": "loop: tedigan.load().faces(text)",
        "maker": "loop: one face of an open FaceMaker",
        "1": "job, one worker",
        "2": "job, two workers",
    }
    command = ["benchmarks.bulk_throughput", *sys.argv[1:], "--cell"]
    cells = {key: Cell(name, [*command, key]) for key, name in names.items()}
    run_in_turn([*cells.values()], rounds=arguments.rounds)
    rows = [
        [cell.name, f"{cell.rate:.2f}", *(_ratio(cell, cells[key]) for key in ("load", "maker"))]
        for cell in cells.values()
    ]
    text = table(
        ["64 px, search", "images/s", "x tedigan.load().faces", "x FaceMaker, batch 1"], rows
    )
    print(text)
    print(f"\n{save('loop', text, runs={cell.name: cell.runs for cell in cells.values()})}")


def _ratio(ours: Cell, theirs: Cell) -> str:
    return "{:.2f} [{:.2f}-{:.2f}]".format(*ratio(ours, theirs))


def _cell(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    torch.set_num_threads(1)
    workspace = Workspace.open(arguments.workspace)
    if arguments.cell in ("load", "maker"):
        return _loop(arguments, workspace, folder)
    return _job(arguments, workspace, folder, int(arguments.cell))


def _loop(arguments: argparse.Namespace, workspace: Workspace, folder: Path) -> dict[str, Any]:
    draw = (_by_load if arguments.cell == "load" else _by_maker)(workspace, folder)
    slower = SLOWER if arguments.cell == "load" else 1
    num_images = max(1, arguments.loop_images // slower)
    captions = captions_of(workspace, WARM_UP + num_images)
    for number, caption in enumerate(captions):
        if number == WARM_UP:
            started = time.perf_counter()
        draw(caption, number).save(folder / f"{number:06d}.png")
    return {"images": num_images, "wall_s": [time.perf_counter() - started]}


def _by_load(workspace: Workspace, folder: Path) -> Callable[[str, int], Any]:  # noqa: ARG001
    model = load(workspace.models)
    return lambda caption, number: model.faces(caption, seed=number)[0]


def _by_maker(workspace: Workspace, folder: Path) -> Callable[[str, int], Any]:
    """Better than `load`, which makes its bank of random codes anew for every call."""
    sizes = {"num_images": 1, "images_per_shard": 1}
    artist = default_job(workspace, str(folder / "jobs"), folder, **sizes).painter.artist
    assert isinstance(artist, FaceArtist), "the section `generate` draws faces"
    maker = replace(artist.maker, settings=replace(artist.maker.settings, batch_size=1))
    return lambda caption, number: pictures.to_pillow(
        maker.batch([caption], [number], seed=0)[1][0]
    )


def _job(
    arguments: argparse.Namespace, workspace: Workspace, folder: Path, num_workers: int
) -> dict[str, Any]:
    sizes = {"num_images": arguments.images, "images_per_shard": arguments.images_per_shard}
    worker = default_job(workspace, str(folder / "jobs"), folder, **sizes)
    assert run_job(worker, open_engine("local"), num_workers) == 0, "all is committed"
    ages = sorted(worker.ledger.commit_ages().values(), reverse=True)
    num_first = num_workers  # each worker's first shard waits for its networks
    span = ages[num_first - 1] - ages[-1]
    return {"images": arguments.images_per_shard * (len(ages) - num_first), "wall_s": [span]}
