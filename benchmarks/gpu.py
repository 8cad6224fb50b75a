"""What a borrowed GPU is asked, in order of worth and within its time: `python -m benchmarks.gpu OUT --hours 0.4`.

1. the tests that need a GPU
2. ws -> images at 256 and 1024 px, in each precision, with the share of the convolution peak measured beside it
3. z -> picture files at 256 and 1024 px, likewise
4. G + D training steps at 64, 128 and 256 px, in each precision
5. with `--pack`: the generator of `--init` trained further on its photographs (`benchmarks.gpu_training`)

Each step, and each cell of a table, is a process of its own. What it wrote lies in OUT when it ends, so that
whoever cuts this off loses what is under way and nothing else; the training keeps its state each minute. What
fails is named, what hangs is ended after half of the time that is left, and the next goes on. Needs no network,
and of the packages torch, numpy, jaxtyping, pydantic, safetensors, tqdm, Pillow and, for the tests, pytest.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.convolutions import gflop_per_image
from benchmarks.pairing import Cell, machine, run_in_turn, table
from benchmarks.synthesis import CHANNEL_BASE
from tedigan.errors import TediganError
from tedigan.store.files import write_text

ROOT = Path(__file__).resolve().parent.parent
BATCHES = {64: 64, 128: 64, 256: 16}  # of a training step
FORMATS = ("png", "jpg")
RESERVED_S = 20.0  # left at the end, for whoever fetches OUT
LEAST_S = 60.0  # that a process may take, where there is as much; else half of what is left
NAMES = ("tests", "synthesis", "files", "steps", "training")


@dataclass(frozen=True)
class Settings:
    """How much is asked. tiny: a dry run at 64 px and batches of 2, which says only that each step runs."""

    device: str
    tiny: bool
    pack: Path | None
    init: Path

    @property
    def sizes(self) -> tuple[int, ...]:
        """In px, of pictures drawn."""
        return (64,) if self.tiny else (256, 1024)

    @property
    def batches(self) -> dict[int, int]:
        """Size in px -> images of a training step."""
        return {64: 2} if self.tiny else BATCHES

    @property
    def precisions(self) -> tuple[str, ...]:
        """Those that the device has."""
        return ("fp32", "bf16", "fp16") if self.device == "cuda" else ("fp32", "bf16")


def main() -> None:
    """Take the steps while there is time for them, and say what became of each."""
    given = _arguments()
    settings = Settings(given.device, given.tiny, given.pack, given.init)
    _check(settings)
    deadline = time.monotonic() + given.hours * 3600 - RESERVED_S
    given.out.mkdir(parents=True, exist_ok=True)
    outcomes = list[dict[str, object]]([{"machine": machine()}])
    for name in given.only:
        outcomes.append({name: _take(name, settings, given.out, deadline)})
        write_text(given.out / "outcomes.json", json.dumps(outcomes, indent=1))
        print(json.dumps(outcomes[-1]), flush=True)


def _check(settings: Settings) -> None:
    """SystemExit for a pack that cannot be trained on, before any time is spent on what comes first."""
    if settings.pack is None:
        return
    from benchmarks import gpu_training  # asks for more packages than the steps before it

    try:
        gpu_training.check(settings.pack, gpu_training.init_of(str(settings.init)))
    except (TediganError, OSError, ValueError) as error:
        raise SystemExit(f"error: {error}") from error


def _at_most(left: float) -> float:
    """Seconds for one process of several."""
    return min(left, max(LEAST_S, left / 2))


def _take(name: str, settings: Settings, out: Path, deadline: float) -> str:
    """One step's outcome in a line."""
    left, start = deadline - time.monotonic(), time.monotonic()
    if left <= 0:
        return "no time was left"
    try:
        if name == "tests":
            said = _tests(out, left)
        elif name == "training":
            said = _training(settings, out, left)
        else:
            said = _measured(name, settings, out, deadline)
    except (SystemExit, OSError, subprocess.SubprocessError) as error:
        said = f"failed: {error}"
    return f"{said} ({time.monotonic() - start:.0f} s)"


def _tests(out: Path, left: float) -> str:
    command = ["pytest", "-q", "-o", "addopts=", "--noconftest", "-m", "gpu", "tests/gpu"]
    return _run(command, out / "tests.txt", _at_most(left))


def _training(settings: Settings, out: Path, left: float) -> str:
    if settings.pack is None:
        return "no --pack, no training"
    command = [
        *(
            "benchmarks.gpu_training",
            str(settings.pack),
            str(settings.init),
            str(out / "generator"),
        ),
        *("--seconds", f"{left - RESERVED_S:.0f}", "--device", settings.device),
    ]
    command += ["--batch", "4"] if settings.tiny else []
    return _run(command, out / "training.txt", left + RESERVED_S / 2)


def _measured(name: str, settings: Settings, out: Path, deadline: float) -> str:
    """Each cell that there was time for, in a file that grows; what ended the others is in it too."""
    cells, failed = list(CELLS[name](settings)), dict[str, str]()
    for cell in cells:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            run_in_turn([cell], rounds=1, most_s=_at_most(left))
        except SystemExit as error:
            failed[cell.name] = str(error)
        finished = [one for one in cells if one.runs]
        rows = [[one.name, _figure(one, finished)] for one in finished]
        runs = {one.name: {"command": list(one.command), "runs": one.runs} for one in finished}
        content = {
            "machine": machine(),
            "table": table([name, ""], rows).splitlines(),
            "cells": runs,
            "failed": failed,
        }
        write_text(out / f"{name}.json", json.dumps(content, indent=1))
    num_finished = sum(bool(one.runs) for one in cells)
    said = f"{num_finished} of {len(cells)} cells"
    return f"{said}, {len(failed)} failed" if failed else said


def _figure(cell: Cell, finished: Sequence[Cell]) -> str:
    """Of what is drawn also the share of the convolution peak, where that was measured in its precision."""
    if "gflops" in cell.runs[-1]:
        return f"{cell.runs[-1]['gflops']:.0f} GFLOP/s"
    options = dict(pairwise(cell.command))
    peaks = [one.runs[-1]["gflops"] for one in finished if one.name == _peak(options)]
    rate = f"{cell.rate:.1f} images/s"
    if not peaks:
        return rate
    cost = gflop_per_image(int(options["--resolution"]), int(options["--channel-base"]))
    return f"{rate}, {cell.rate * cost / peaks[0]:.0%} of the peak"


def _peak(options: Mapping[str, str]) -> str:
    return f"convolution peak, {options.get('--precision')}"


def _synthesis(settings: Settings) -> Iterator[Cell]:
    for precision in settings.precisions:
        yield _cell("convolution peak", "peak", settings, precision)
    for size in settings.sizes:
        for precision in settings.precisions:
            for compilation in ("never", "auto"):
                yield _cell(
                    f"{size} px, compiled: {compilation}",
                    "synthesis",
                    settings,
                    precision,
                    *_size(size, batch=_drawn_at_once(size, settings)),
                    *("--compile", compilation),
                )


def _files(settings: Settings) -> Iterator[Cell]:
    yield _cell("convolution peak", "peak", settings, settings.precisions[-1])
    for size in settings.sizes:
        for image_format in FORMATS:
            yield _cell(
                f"{size} px, {image_format}",
                "files",
                settings,
                settings.precisions[-1],
                *_size(size, batch=_drawn_at_once(size, settings)),
                *("--format", image_format),
            )


def _steps(settings: Settings) -> Iterator[Cell]:
    for size, batch in settings.batches.items():
        worker = ["benchmarks.trainer_worker", *_size(size, batch=batch)]
        worker += ["--device", settings.device, "--repeats", "3", "--precision"]
        for precision in settings.precisions:
            yield Cell(f"{size} px, batch {batch}, {precision}", [*worker, precision])
        yield Cell(f"{size} px, batch {batch}, R1, fp32", [*worker, "fp32", "--r1"])


CELLS = {"synthesis": _synthesis, "files": _files, "steps": _steps}


def _cell(name: str, what: str, settings: Settings, precision: str, *options: str) -> Cell:
    common = ["--precision", precision, "--device", settings.device, "--repeats", "3"]
    return Cell(f"{name}, {precision}", ["benchmarks.our_worker", what, *common, *options])


def _size(size: int, *, batch: int) -> tuple[str, ...]:
    base = CHANNEL_BASE[size]
    return ("--resolution", str(size), "--channel-base", str(base), "--batch", str(batch))


def _drawn_at_once(size: int, settings: Settings) -> int:
    return 2 if settings.tiny else {256: 32, 1024: 4}[size]


def _run(command: Sequence[str], place: Path, seconds: float) -> str:
    """The last line of what a process says, all of which is written into `place` as it comes."""
    with place.open("w", encoding="utf-8") as file:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", *command],
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=max(1.0, seconds),
        )
    lines = place.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = (lines or ["nothing was said"])[-1]
    return f"failed: {last}" if done.returncode else last


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--hours", type=float, default=0.4)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a dry run, of small sizes")
    parser.add_argument(
        "--pack", type=Path, help="photographs, made by benchmarks.gpu_training --pack"
    )
    parser.add_argument("--init", type=Path, default=ROOT / "assets" / "celebahq-64" / "generator")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=list(NAMES), metavar="STEP")
    return parser.parse_args()


if __name__ == "__main__":
    main()
