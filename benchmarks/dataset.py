"""How fast data sets are made, in how much memory, and whether kill -9 changes a byte.

    python -m benchmarks.dataset speed --source ../shared/data/celebahq-128 --resolution 128
    python -m benchmarks.dataset memory --source ../shared/data/celebahq-128 --counts 1700 6800 27176
    python -m benchmarks.dataset kill --points 10 --workers 1 2 3 4

Each runs `python -m tedigan dataset` in folders of its own below --work, as a user would. Memory is the sum
of the proportional set sizes of the process and its workers, looked at four times a second.
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tedigan.store.files import read_json, sha256_tree

ROOT = Path(__file__).resolve().parents[1]
RECORDS = 30_000


@dataclass(frozen=True)
class Measured:
    """What one run took. peak_mib: of all its processes together."""

    seconds: float
    peak_mib: float
    num_images: int
    num_bytes: int


def write_workspace(folder: Path, *, num_workers: int | str, **section: object) -> Path:
    """The project's params with these values of `dataset`."""
    params: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["dataset"] |= section
    params["runtime"]["num_workers"] = num_workers
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    return folder


def start(folder: Path) -> subprocess.Popen[bytes]:
    """The stage, in a process of its own."""
    command = [sys.executable, "-m", "tedigan", "dataset", "--workspace", str(folder)]
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)


def measure(folder: Path) -> Measured:
    """Run the stage to its end."""
    began, process = time.perf_counter(), start(folder)
    peak, is_over = [0.0], threading.Event()
    watch = threading.Thread(target=_watch, args=(process.pid, peak, is_over))
    watch.start()
    status = process.wait()
    seconds = time.perf_counter() - began
    is_over.set()
    watch.join()
    assert status == 0, (folder / "log.txt").read_text()[-2000:]
    description = read_json(folder / "data/dataset/dataset.json")
    num_bytes = sum(shard["num_bytes"] for shard in description["shards"])
    return Measured(seconds, peak[0], description["num_images"], num_bytes)


def _watch(pid: int, peak: list[float], is_over: threading.Event) -> None:
    while not is_over.wait(0.25):
        peak[0] = max(peak[0], sum(map(_memory_mib, [pid, *_children(pid)])))


def _children(pid: int) -> list[int]:
    try:
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _memory_mib(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def speed(arguments: argparse.Namespace, work: Path) -> None:
    """A whole run, then one that finds everything again."""
    section = _section(arguments) | {"num_images": arguments.count}
    folder = write_workspace(work / "speed", num_workers=arguments.workers[0], **section)
    for name in ("made", "found again"):
        found = measure(folder)
        print(
            f"{name}: {found.num_images:,} records in {found.seconds:,.0f} s, "
            f"{found.seconds / found.num_images * 1e3:.1f} ms each ({found.num_images / found.seconds:.1f} a "
            f"second), {found.peak_mib:,.0f} MiB at most, {found.num_bytes / 2**20:,.0f} MiB of shards; "
            f"{RECORDS:,} alike would take {found.seconds / found.num_images * RECORDS / 3600:.2f} hours"
        )
    print(_summary(folder))


def _summary(folder: Path) -> str:
    description = read_json(folder / "data/dataset/dataset.json")
    names = ("kinds", "num_per_split", "quarantined", "noted")
    return "\n".join(f"{name}: {description[name]}" for name in names)


def memory(arguments: argparse.Namespace, work: Path) -> None:
    """Runs over more and more photographs."""
    for count in arguments.counts:
        section = _section(arguments) | {"num_images": count}
        folder = work / f"memory-{count}"
        write_workspace(folder, num_workers=arguments.workers[0], **section)
        found = measure(folder)
        print(f"{count:,} records: {found.peak_mib:,.0f} MiB at most, {found.seconds:,.0f} s")
        shutil.rmtree(folder)


def kill(arguments: argparse.Namespace, work: Path) -> None:
    """Quiet runs, then runs that are killed again and again, with each number of workers in turn."""
    section = _section(arguments) | {"num_images": arguments.count}
    quiet = write_workspace(work / "quiet", num_workers=1, **section)
    seconds = measure(quiet).seconds
    wanted = sha256_tree(quiet / "data/dataset")
    dice = random.Random(arguments.seed)
    for point in range(arguments.points):
        num_workers = arguments.workers[point % len(arguments.workers)]
        folder = write_workspace(work / f"kill-{point}", num_workers=num_workers, **section)
        moment = dice.uniform(0.0, seconds)
        kills = _run_killed(folder, moment)
        is_same = sha256_tree(folder / "data/dataset") == wanted
        verdict = "the same bytes" if is_same else "OTHER BYTES"
        said = ", ".join(f"{at:.1f} s" for at in kills) or "never, it was done before"
        print(f"point {point + 1}, {num_workers} workers, killed at {said}: {verdict}", flush=True)
        assert is_same
        shutil.rmtree(folder)


def _run_killed(folder: Path, moment: float) -> list[float]:
    """Kill the run at this moment of its life, and the next at half of it, then let it end."""
    kills: list[float] = []
    for at in (moment, moment / 2):
        process = start(folder)
        try:
            process.wait(at)
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills.append(at)
    process = start(folder)
    assert process.wait() == 0, (folder / "log.txt").read_text()[-2000:]
    return kills


def _section(arguments: argparse.Namespace) -> dict[str, object]:
    source = arguments.source
    return {
        "source": source if source == "drawn" else str(Path(source).resolve()),
        "resolution": arguments.resolution,
        "image_format": arguments.image_format,
        "records_per_shard": arguments.records_per_shard,
        "duplicates": "reject",
        **dict(_value(text) for text in arguments.set),
    }


def _value(text: str) -> tuple[str, Any]:
    key, _, value = text.partition("=")
    return key, yaml.safe_load(value)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks.dataset", description=__doc__)
    parser.add_argument("what", choices=["speed", "memory", "kill"])
    parser.add_argument("--source", default="drawn")
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--image-format", default="png")
    parser.add_argument("--records-per-shard", type=int, default=1000)
    parser.add_argument("--count", type=int, help="records; all of the source without it")
    parser.add_argument("--counts", type=int, nargs="+", default=[500, 2000])
    parser.add_argument("--workers", type=int, nargs="+", default=[2])
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="of dataset"
    )
    parser.add_argument("--points", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help="where to write; a temporary folder without it")
    arguments = parser.parse_args()
    if arguments.work is not None:
        arguments.work.mkdir(parents=True, exist_ok=True)
    measures = {"speed": speed, "memory": memory, "kill": kill}
    with tempfile.TemporaryDirectory(dir=arguments.work) as work:
        measures[arguments.what](arguments, Path(work))


if __name__ == "__main__":
    main()
