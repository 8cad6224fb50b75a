"""What a borrowed GPU is asked, in order of worth and within its time: `python -m benchmarks.gpu OUT --hours 0.4`.

1. the tests that need a GPU
2. ws -> images at 256 and 1024 px, in each precision, with the share of the convolution peak measured beside it
3. z -> picture files at 256 and 1024 px
4. G + D training steps at 64, 128 and 256 px, in each precision
5. with `--pack`: the generator of `--init` trained further on its photographs (`benchmarks.gpu_training`)

Each step is a process of its own. What it wrote lies in OUT when it ends, so that whoever cuts this off loses the
step under way and nothing else; the training keeps its state each minute. Needs no network, and of the packages
torch, numpy, jaxtyping, pydantic, safetensors, tqdm, Pillow and, for the tests, pytest.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pairing import Cell, machine, run_in_turn, table
from benchmarks.synthesis import CHANNEL_BASE
from tedigan.store.files import write_text

ROOT = Path(__file__).resolve().parent.parent
BATCHES = {64: 64, 128: 64, 256: 16}  # of a training step
FORMATS = ("png", "jpg")
RESERVED_S = 20.0  # left at the end, for whoever fetches OUT
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
    deadline = time.monotonic() + given.hours * 3600 - RESERVED_S
    given.out.mkdir(parents=True, exist_ok=True)
    outcomes = list[dict[str, object]]([{"machine": machine()}])
    for name in given.only:
        outcomes.append({name: _take(name, settings, given.out, deadline)})
        write_text(given.out / "outcomes.json", json.dumps(outcomes, indent=1))
        print(json.dumps(outcomes[-1]), flush=True)


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
    done = _run(command, left)
    write_text(out / "tests.txt", done.stdout + done.stderr)
    return (done.stdout.strip().splitlines() or ["nothing was said"])[-1]


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
    done = _run([*command, "--batch", "4"] if settings.tiny else command, left + RESERVED_S / 2)
    write_text(out / "training.txt", done.stdout + done.stderr)
    return (done.stdout.strip().splitlines() or ["nothing was said"])[-1]


def _measured(name: str, settings: Settings, out: Path, deadline: float) -> str:
    """Each cell that there was time for, in a file that grows."""
    cells = list(CELLS[name](settings))
    finished = list[Cell]()
    for cell in cells:
        if time.monotonic() > deadline:
            break
        run_in_turn([cell], rounds=1)
        finished.append(cell)
        rows = [[one.name, _figure(one)] for one in finished]
        runs = {one.name: {"command": list(one.command), "runs": one.runs} for one in finished}
        content = {
            "machine": machine(),
            "table": table([name, ""], rows).splitlines(),
            "cells": runs,
        }
        write_text(out / f"{name}.json", json.dumps(content, indent=1))
    return f"{len(finished)} of {len(cells)} cells"


def _figure(cell: Cell) -> str:
    gflops = cell.runs[-1].get("gflops")
    return f"{cell.rate:.1f} images/s" if gflops is None else f"{gflops:.0f} GFLOP/s"


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


def _run(command: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=max(1.0, seconds),
    )


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
