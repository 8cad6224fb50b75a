"""One rival's training in a process of its own, for `benchmarks.rivals`: until a deadline, kept on the way.

What it writes is whole at any moment: the averaged generator in half precision with its config as metadata, the
log, and a sheet of pictures.
"""

import json
import math
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from tedigan.errors import NumbersError
from tedigan.rivals.lessons import Lessons, device_stream
from tedigan.rivals.methods import METHODS
from tedigan.rivals.rival import EncodedText, Rival
from tedigan.rivals.rival_trainer import RivalLessons, as_numbers
from tedigan.rivals.shared_encoders import SharedEncoders
from tedigan.rivals.vocabulary import Vocabulary
from tedigan.store import pictures
from tedigan.store.files import sha256_file, write_bytes, write_json
from tedigan.store.tables import write_table
from tedigan.tensors import first_not_finite, to_images, to_pixels

ENCODERS, LESSONS = "encoders.safetensors", "lessons.safetensors"
SHOWN_CAPTIONS, SHOWN_FACES = 8, 6
LOG_EVERY_S, FIRST_SAVE_S = 5.0, 15.0


@dataclass(frozen=True)
class Task:
    """deadline: on `time.monotonic`'s clock. kept: for the model. scratch: has the lessons; for log and sheet."""

    method: str
    numbers: dict[str, Any]
    device: str
    deadline: float
    save_every_s: float
    batch_size: int
    seed: int
    kept: Path
    scratch: Path


def half(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Numbers in half precision, counters as they are; NumbersError where one does not fit or is none."""
    found = {
        name: (value.half() if value.is_floating_point() else value).cpu().contiguous()
        for name, value in tensors.items()
    }
    if broken := first_not_finite(found):
        raise NumbersError(f"{broken} holds NaN or infinity, expected numbers of half precision.")
    return found


def save_encoders(path: Path, encoders: SharedEncoders, about: dict[str, Any]) -> None:
    """Both networks, and the vocabulary in the metadata."""
    words = {"vocabulary": json.dumps(encoders.vocabulary.words), "config": json.dumps(about)}
    write_bytes(path, save(half(encoders.tensors()), words))


def load_encoders(path: Path) -> SharedEncoders:
    """What `save_encoders` wrote, frozen, on the CPU."""
    with safe_open(path, "pt") as file:
        vocabulary = Vocabulary(tuple(json.loads(file.metadata()["vocabulary"])))
        tensors = {name: file.get_tensor(name).float() for name in file.keys()}
    return SharedEncoders.from_tensors(vocabulary, tensors)


def work(task: Task) -> None:
    """Train; what goes wrong is written down and ends this process alone."""
    try:
        _train(task)
    except BaseException:
        (task.scratch / f"{task.method}-error.txt").write_text(traceback.format_exc())
        raise


def set_up(device: torch.device) -> None:
    """TensorFloat32 on a GPU: faster, at the price of a mantissa of 10 bits in what a convolution reads."""
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    if device.type == "cpu":
        torch.set_num_threads(1)


def _train(task: Task) -> None:
    device = torch.device(task.device)
    set_up(device)
    lessons = Lessons.from_tensors(load_file(task.scratch / LESSONS), device)
    encoders = load_encoders(task.kept / ENCODERS).to(device)
    torch.manual_seed(task.seed)
    rival = METHODS[task.method].from_json(task.numbers, encoders.regions)
    trainer = RivalLessons(rival, encoders, lessons, batch_size=task.batch_size, seed=task.seed)
    sheet = Sheet.of(lessons, encoders, rival, task.seed)
    keeper = Keeper(task, rival, sheet)
    steps = 0
    keeper.start()
    while (now := time.monotonic()) < task.deadline:
        losses = trainer.step(steps)
        steps += 1
        if now >= keeper.next_log:
            keeper.log(steps, as_numbers(losses))
        if now >= keeper.next_save:
            keeper.save(steps)
    if steps:
        keeper.log(steps, as_numbers(losses))
    keeper.save(steps)


@dataclass
class Sheet:
    """Eight captions, six faces of each; of an editor the photograph, and edits of it by other captions."""

    text: EncodedText
    z: Tensor
    photographs: Tensor | None

    @classmethod
    def of(cls, lessons: Lessons, encoders: SharedEncoders, rival: Rival, seed: int) -> "Sheet":
        """Of the first photographs' first captions."""
        count = min(SHOWN_CAPTIONS, len(lessons.pixels))
        rows = torch.arange(count, device=lessons.device)
        text = encoders.encode(lessons.numbers[rows * lessons.captions_each])
        rng = device_stream(lessons.device, seed, "sheet")
        num = count * SHOWN_FACES
        z = torch.randn(num, rival.z_dim, generator=rng, device=lessons.device)
        own = rows.repeat_interleave(SHOWN_FACES)
        if not rival.edits_photographs:
            return cls(text.rows(own), z, None)
        other = (own + torch.arange(SHOWN_FACES, device=own.device).repeat(count)) % count
        photographs = to_images(lessons.pixels[own])
        return cls(text.rows(other), z, photographs)

    def draw(self, rival: Rival) -> Tensor:
        """uint8 [48 3 64 64]; an editor's first column are the photographs."""
        pixels = to_pixels(rival.draw(self.text, self.z, self.photographs)).cpu()
        if self.photographs is not None:
            pixels[::SHOWN_FACES] = to_pixels(self.photographs[::SHOWN_FACES]).cpu()
        return pixels


class Keeper:
    """Log, model and sheet of one rival."""

    def __init__(self, task: Task, rival: Rival, sheet: Sheet) -> None:
        self.task, self.rival, self.sheet = task, rival, sheet
        self.rows: list[dict[str, float]] = []

    def start(self) -> None:
        """The clock of the training; building and loading are not counted."""
        self.began = time.monotonic()
        self.next_log = self.began
        self.next_save = self.began + min(FIRST_SAVE_S, self.task.save_every_s)

    def log(self, steps: int, losses: dict[str, float]) -> None:
        """NumbersError where a loss is none; then the last model stays as it was."""
        seconds = time.monotonic() - self.began
        for name, value in losses.items():
            if not math.isfinite(value):
                raise NumbersError(f"{name} is {value} at step {steps}, expected a number.")
        seen = steps * self.task.batch_size
        if self.rows and self.rows[-1]["step"] == steps:
            return
        self.rows.append(
            {"step": steps, "images_seen": seen, "seconds": round(seconds, 2), **losses}
        )
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        cells = [[f"{row[name]:.6g}" for name in columns] for row in self.rows]
        write_table(self.task.scratch / f"{self.task.method}.csv", columns, cells)
        self.next_log = time.monotonic() + LOG_EVERY_S

    def save(self, steps: int) -> None:
        """Model, config and sheet, each whole."""
        task = self.task
        seconds = time.monotonic() - self.began
        config = {
            "method": task.method,
            "numbers": self.rival.to_json(),
            "batch_size": task.batch_size,
            "seed": task.seed,
            "steps": steps,
            "images_seen": steps * task.batch_size,
            "seconds": round(seconds, 1),
            "device": device_name(torch.device(task.device)),
            "torch": torch.__version__,
            "encoders_sha256": sha256_file(task.kept / ENCODERS),
        }
        content = save(half(self.rival.G_ema.state_dict()), {"config": json.dumps(config)})
        write_bytes(task.kept / f"{task.method}.safetensors", content)
        write_json(task.scratch / f"{task.method}.json", config | {"task": _plain(task)})
        sheet = pictures.grid(self.sheet.draw(self.rival), SHOWN_FACES)
        pictures.save(task.scratch / f"{task.method}.png", sheet)
        self.next_save = time.monotonic() + task.save_every_s


def device_name(device: torch.device) -> str:
    """In words."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


def _plain(task: Task) -> dict[str, Any]:
    return {name: value for name, value in asdict(task).items() if name not in ("kept", "scratch")}
