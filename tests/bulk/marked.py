"""A toy job of which some images are marked, as if a guide had looked at them."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.toy_jobs import ToyPainter, ToyWorker, toy_job
from tedigan.bulk.prompt_table import Asked


@dataclass(frozen=True)
class MarkingPainter(ToyPainter):
    """Every third image lacks two of three things; two show one prompt, odd ones are second attempts."""

    def faces(self, images: range, asked: list[Asked]):
        for (face,) in super().faces(images, asked):
            lacks = () if face.image % 3 else ("Smiling", "not Bald")
            seen = {"Smiling": not lacks, "Bald": bool(lacks), "Male": True, "Young": False}
            yield [
                replace(
                    face,
                    lacks=lacks,
                    seen=seen,
                    prompt=face.image // 2,
                    attempt=face.image % 2,
                    understood="Smiling, not Bald, Male; both ways: Young",
                )
            ]


class MarkingWorker(ToyWorker):
    @cached_property
    def painter(self) -> Any:
        return MarkingPainter(self.ledger.plan.seed, 0.0)


def marked_job(place: Path | str, folder: Path, **sizes: int) -> ToyWorker:
    """Finished: 10 images in shards of 4, of which 0, 3, 6 and 9 are marked."""
    worker = toy_job(place, folder, **{"num_images": 10, "images_per_shard": 4} | sizes)
    worker = MarkingWorker(worker.job, worker.models, worker.scratch, "cpu")
    list(worker.work(range(worker.ledger.plan.num_shards)))
    return worker
