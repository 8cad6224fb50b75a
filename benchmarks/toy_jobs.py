"""Jobs whose pictures are noise of their number: the real ledger, engines and files, without networks."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from tedigan.bulk.draw import Face
from tedigan.bulk.ledger import Ledger
from tedigan.bulk.plan import Plan
from tedigan.bulk.prompt_table import PROMPTS, Asked, write_prompts
from tedigan.bulk.worker import Worker
from tedigan.store.files import sha256_file
from tedigan.tensors import stream


@dataclass(frozen=True)
class ToyPainter:
    """Draws noise; `seconds` a shard."""

    seed: int
    seconds: float

    def faces(self, images: range, asked: list[Asked]) -> Iterator[list[Face]]:
        """As a Painter's, one at a time."""
        time.sleep(self.seconds)
        for image, one in zip(images, asked, strict=True):
            rng = stream(self.seed, image)
            pixels = torch.randint(256, (3, 16, 16), generator=rng).to(torch.uint8)
            yield [Face(image, image, one, "", (), 0, "0" * 64, pixels, {})]


@dataclass(frozen=True)
class ToyWorker(Worker):
    """A worker with a toy painter. drift: changes what it draws, as another processor would."""

    seconds: float = 0.0
    drift: int = 0

    @cached_property
    def painter(self) -> Any:
        """The toy one."""
        return ToyPainter(self.ledger.plan.seed + self.drift, self.seconds)


def toy_plan(folder: Path, num_images: int = 40, images_per_shard: int = 2) -> tuple[Plan, Path]:
    """A plan and its draft."""
    draft = folder / "draft"
    write_prompts(draft, (Asked(f"Face {row}.") for row in range(1, num_images + 1)))
    plan = Plan(
        num_prompts=num_images,
        faces_per_prompt=1,
        images_per_shard=images_per_shard,
        seed=0,
        batch_size=4,
        num_threads=1,
        attempts=1,
        image_format="png",
        resolution=16,
        files={PROMPTS: sha256_file(draft / PROMPTS)},
        models={},
        recipe={},
        environment={},
    )
    return plan, draft


def toy_job(place: str | Path, folder: Path, **values: Any) -> ToyWorker:
    """An approved job below `place`, and a worker for it. values: of the worker, or of `toy_plan`."""
    sizes = {
        name: values.pop(name) for name in ("num_images", "images_per_shard") if name in values
    }
    plan, draft = toy_plan(folder, **sizes)
    ledger = Ledger.create(str(place), plan, draft)
    ledger.approve("tests")
    return ToyWorker(ledger.address, folder, folder / "scratch", "cpu", **values)
