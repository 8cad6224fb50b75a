"""Trains the five rivals side by side on one device, in the seconds that there are.

    python -m benchmarks.rivals pack WORKSPACE PACK         the train split of its data set, as one file
    python -m benchmarks.rivals PACK OUT --seconds 540      encoders first, then each rival in a process of its own
    python -m benchmarks.rivals adopt OUT FOLDER            a model folder each, for `tedigan compare draw --rival`

OUT holds at most eight files, each of them whole at any moment: encoders.safetensors, METHOD.safetensors (G_ema in
half precision, its config as metadata), sheets.png and logs.zip (configs, logs, and what went wrong). The sheets
show photographs where the pack holds some.
"""

import argparse
import contextlib
import io
import multiprocessing
import sys
import tempfile
import time
import traceback
import zipfile
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from benchmarks.rival_pack import read_pack, write_pack
from benchmarks.rival_worker import (
    ENCODERS,
    LESSONS,
    Task,
    device_name,
    save_encoders,
    set_up,
    work,
)
from tedigan.rivals.lessons import Lessons
from tedigan.rivals.methods import METHODS
from tedigan.rivals.rival_trainer import EncoderLessons, as_numbers
from tedigan.rivals.shared_encoders import SharedEncoders
from tedigan.rivals.vocabulary import Vocabulary
from tedigan.store import pictures
from tedigan.store.files import write_bytes

ENCODERS_SHARE = 0.13  # of the time
LAST_S, PATIENCE_S = 6.0, 10.0  # for the last files; for who needs longer
SAVE_EVERY_S, GATHER_EVERY_S, TELL_EVERY_S = 60.0, 10.0, 30.0
GAP_PX = 12


def main(arguments: list[str] | None = None) -> int:
    """1 where a method failed."""
    given = [*sys.argv[1:]] if arguments is None else arguments
    if given[:1] == ["pack"]:
        return _pack(given[1:])
    if given[:1] == ["adopt"]:
        return _adopt(given[1:])
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=540.0, help="all in all (%(default)s)")
    parser.add_argument("--encoder-seconds", type=float, help=f"(else {ENCODERS_SHARE} of all)")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--methods", nargs="+", default=[*METHODS], choices=[*METHODS])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--encoder-batch", type=int, default=128)
    parser.add_argument("--seed", type=int, default=1)
    return train(parser.parse_args(given))


def _pack(given: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.rivals pack")
    parser.add_argument("workspace", type=Path)
    parser.add_argument("pack", type=Path, help="an .npz")
    parser.add_argument("--quality", type=int, default=85, help="of WebP (%(default)s)")
    parser.add_argument("--most", type=int, metavar="N", help="photographs; else all")
    chosen = parser.parse_args(given)
    write_pack(chosen.workspace, chosen.pack, quality=chosen.quality, most=chosen.most)
    print(f"{chosen.pack}: {chosen.pack.stat().st_size / 2**20:.1f} MiB")
    return 0


def _adopt(given: list[str]) -> int:
    from benchmarks.rival_adopt import adopt  # needs what a bare machine lacks

    parser = argparse.ArgumentParser(prog="benchmarks.rivals adopt")
    parser.add_argument("out", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--licence", required=True, help="of the photographs")
    chosen = parser.parse_args(given)
    print(*adopt(chosen.out, chosen.folder, chosen.licence), sep="\n")
    return 0


def train(given: argparse.Namespace) -> int:
    """Everything, until the time is over."""
    began = time.monotonic()
    deadline = began + given.seconds - LAST_S
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        told = Teller(scratch, given.out, [*given.methods], began)
        device = torch.device(given.device)
        set_up(device)
        lessons = _open(given.pack, given.seed, scratch, told)
        until = began + (given.encoder_seconds or given.seconds * ENCODERS_SHARE)
        try:
            _train_encoders(lessons, device, given, until, told)
            del lessons
            if device.type == "cuda":
                torch.cuda.empty_cache()
            tasks = [
                Task(
                    method,
                    {},
                    given.device,
                    deadline,
                    min(SAVE_EVERY_S, given.seconds / 3),
                    given.batch,
                    given.seed,
                    given.out,
                    scratch,
                )
                for method in given.methods
            ]
            failed = _side_by_side(tasks, deadline + LAST_S + PATIENCE_S, told)
        except BaseException:
            (scratch / "error.txt").write_text(traceback.format_exc())
            raise
        finally:
            told.gather()
        return int(bool(failed))


def _open(path: Path, seed: int, scratch: Path, told: "Teller") -> "tuple[Lessons, SharedEncoders]":
    pack = read_pack(path)
    vocabulary = Vocabulary.of(pack.captions)
    lessons = Lessons.of(
        pack.pixels, pack.captions, pack.mentions, pack.attributes, vocabulary=vocabulary
    )
    save_file({n: v.contiguous() for n, v in lessons.tensors().items()}, scratch / LESSONS)
    told.say(
        f"{len(pack.pixels):,} photographs, {len(pack.captions):,} captions, {len(vocabulary.words)} words, the "
        f"longest {lessons.numbers.shape[1]}"
    )
    return lessons, SharedEncoders.new(vocabulary, seed=seed)


def _train_encoders(
    opened: "tuple[Lessons, SharedEncoders]",
    device: torch.device,
    given: argparse.Namespace,
    until: float,
    told: "Teller",
) -> None:
    lessons, encoders = opened[0].to(device), opened[1].to(device)
    trainer = EncoderLessons(encoders, lessons, batch_size=given.encoder_batch, seed=given.seed)
    began = time.monotonic()
    steps, next_log = 0, began
    while (now := time.monotonic()) < until or not steps:
        losses = trainer.step(steps, min(1.0, (now - began) / max(until - began, 1e-9)))
        steps += 1
        if now >= next_log:
            told.encoders(steps, now - began, as_numbers(losses))
            next_log = now + 2
    told.encoders(steps, time.monotonic() - began, as_numbers(losses))
    encoders.freeze()
    about = {
        "steps": steps,
        "batch_size": given.encoder_batch,
        "images_seen": steps * given.encoder_batch,
        "seconds": round(time.monotonic() - began, 1),
        "seed": given.seed,
        "device": device_name(device),
        "torch": torch.__version__,
    }
    save_encoders(given.out / ENCODERS, encoders, about)


def _side_by_side(tasks: list[Task], end: float, told: "Teller") -> list[str]:
    """The methods that failed."""
    context = multiprocessing.get_context("spawn")
    running: dict[str, SpawnProcess] = {}
    for task in tasks:
        running[task.method] = context.Process(target=work, args=(task,), daemon=True)
        running[task.method].start()
    next_gather = 0.0
    while any(one.is_alive() for one in running.values()) and time.monotonic() < end:
        if time.monotonic() >= next_gather:
            told.gather()
            next_gather = time.monotonic() + GATHER_EVERY_S
        time.sleep(0.2)
    for one in running.values():
        one.terminate()
        one.join(2)
    return [name for name, one in running.items() if one.exitcode != 0]


class Teller:
    """What is known so far: lines on the screen, logs.zip and sheets.png."""

    def __init__(self, scratch: Path, out: Path, methods: list[str], began: float) -> None:
        self.scratch, self.out, self.methods, self.began = scratch, out, methods, began
        self.next_tell, self.shown_errors = 0.0, set[Path]()

    def say(self, line: str) -> None:
        """On the screen and in the log."""
        stamped = f"{time.monotonic() - self.began:6.1f} s  {line}"
        print(stamped, flush=True)
        with (self.scratch / "run.txt").open("a") as file:
            file.write(stamped + "\n")

    def encoders(self, steps: int, seconds: float, losses: dict[str, float]) -> None:
        """A row of their log."""
        path = self.scratch / "encoders.csv"
        if not path.exists():
            path.write_text(",".join(["step", "seconds", *losses]) + "\n")
        values = ",".join(f"{value:.6g}" for value in losses.values())
        with path.open("a") as file:
            file.write(f"{steps},{seconds:.1f},{values}\n")
        self._tell(f"encoders: step {steps}, {values}")

    def gather(self) -> None:
        """Both files anew, each whole."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(self.scratch.iterdir()):
                if path.suffix in (".csv", ".json", ".txt") and not path.name.startswith("."):
                    archive.write(path, path.name)
        write_bytes(self.out / "logs.zip", buffer.getvalue())
        sheets = [self.scratch / f"{name}.png" for name in self.methods]
        if shown := [pictures.load(path) for path in sheets if path.exists()]:
            pictures.save(self.out / "sheets.png", _beside(shown))
        with contextlib.suppress(OSError):
            lines = [_last_line(self.scratch / f"{name}.csv") for name in self.methods]
            said = "; ".join(
                f"{n}: {line}" for n, line in zip(self.methods, lines, strict=True) if line
            )
            self._tell(said or "starting")
        for path in self.scratch.glob("*error.txt"):
            if path not in self.shown_errors:
                self.shown_errors.add(path)
                self.say(f"{path.stem}: {path.read_text()[-1500:]}")

    def _tell(self, line: str) -> None:
        if time.monotonic() >= self.next_tell:
            self.say(line)
            self.next_tell = time.monotonic() + TELL_EVERY_S


def _last_line(path: Path) -> str:
    return path.read_text().splitlines()[-1] if path.exists() else ""


def _beside(shown: list[Tensor]) -> Tensor:
    """Sheets from left to right, of any heights."""
    height = max(one.shape[1] for one in shown)
    padded: list[Any] = []
    for one in shown:
        sheet = torch.full((3, height, one.shape[2] + GAP_PX), 255, dtype=torch.uint8)
        sheet[:, : one.shape[1], : one.shape[2]] = one
        padded.append(sheet)
    return torch.cat(padded, dim=2)


if __name__ == "__main__":
    sys.exit(main())
