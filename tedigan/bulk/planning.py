"""Makes plans: what is to be drawn, frozen, and what it will take, from a measured sample.

A draft is a folder of the files that will stand beside the plan: prompts, grammar, and what else a job has.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from tedigan.bulk.amounts import amount, duration
from tedigan.bulk.heartbeat import BEAT_S, REST_S
from tedigan.bulk.open_painter import open_painter
from tedigan.bulk.plan import Plan
from tedigan.bulk.prompt_table import PROMPTS, PromptTable
from tedigan.bulk.shard_files import write_shard
from tedigan.exactness import environment
from tedigan.method.inversion import InversionSettings
from tedigan.method.steering import SteeringSettings
from tedigan.method.text_to_face import StartSettings
from tedigan.method.tuning import TuningSettings
from tedigan.models.makers import COMPOSED, EDITED, MODELS_OF
from tedigan.store.files import sha256_file
from tedigan.store.model_folders import model_digests, read_config

# S3's list prices in us-east-1, USD, November 2026: a put or list, a read, a GB and month.
PUT_USD, GET_USD, GB_MONTH_USD = 5e-6, 4e-7, 0.023
# Counted by `python -m benchmarks.bulk_throughput plan`. To draw: tar, table and commit are put; are these there,
# is the job cancelled, and for each that is not there, is the bucket? To seal: the commit, the table, its version.
PUTS_A_SHARD, GETS_A_SHARD = 3, 8 + 3
PUTS_A_BEAT, GETS_A_BEAT = 1, 1  # a worker's word, and whether its job is still there
OF_FACES = (
    "way", "strength", "noise_mode", "precision", "compile",
    *(one.name for one in (*fields(StartSettings), *fields(SteeringSettings))),
)  # fmt: skip
OF_SOURCES = (
    "layers", "weights", "strength",
    *(one.name for one in (*fields(StartSettings), *fields(SteeringSettings))),
)  # fmt: skip
OF_EDITS = (
    "region_cells",
    *(
        one.name
        for settings in (InversionSettings, SteeringSettings, TuningSettings)
        for one in fields(settings)
    ),
)


@dataclass(frozen=True)
class Estimate:
    """What a job will take, from a sample of its own images drawn here by one worker.

    opening_seconds: until its first batch was drawn, of which it makes what serves all others.
    """

    num_images: int
    num_shards: int
    images_per_second: float
    bytes_per_image: float
    share_lacking: float
    opening_seconds: float

    def lines(self, num_workers: int, usd_per_hour: float) -> list[str]:
        """For people. usd_per_hour: of one worker's machine."""
        seconds, num_bytes = self.worker_seconds, self.num_images * self.bytes_per_image
        at_once = min(num_workers, self.num_shards)
        cost = seconds / 3600 * usd_per_hour
        puts, gets = self.requests()
        return [
            f"{self.num_images:,} images in {self.num_shards:,} shards",
            f"{self.images_per_second:.1f} images/s a worker like this one: {duration(seconds / at_once)} with "
            f"{at_once:,}, {cost:,.2f} USD at {usd_per_hour:g} USD an hour each; each opens the models first, in "
            f"{duration(self.opening_seconds)} here",
            f"{amount(num_bytes)}, {num_bytes / 1e9 * GB_MONTH_USD:,.2f} USD a month in S3; {puts:,} puts and "
            f"{gets:,} reads to draw and seal, {puts * PUT_USD + gets * GET_USD:,.2f} USD",
            f"{self.share_lacking:.1%} of the sample lacks something that its prompt names",
        ]

    @property
    def worker_seconds(self) -> float:
        """Of drawing, by all workers together."""
        return self.num_images / self.images_per_second

    def requests(self) -> tuple[int, int]:
        """How often the store is written to and asked, heartbeats included; listings and other workers are not.

        A worker speaks after each shard and BEAT_S later, but no sooner than REST_S after it spoke.
        """
        often = self.worker_seconds / REST_S
        beats = math.ceil(min(often, self.num_shards + self.worker_seconds / BEAT_S))
        puts = self.num_shards * PUTS_A_SHARD + beats * PUTS_A_BEAT
        return puts, self.num_shards * GETS_A_SHARD + beats * GETS_A_BEAT


def plan_job(
    draft: Path,
    models: Path,
    params: Mapping[str, Any],
    *,
    faces_per_prompt: int,
    images_per_shard: int,
    seed: int,
    batch_size: int,
    num_threads: int,
    attempts: int,
    image_format: str,
    photographs: str = "",
    pictures: str = "",
    release: str = "",
    worker_hours: float | None = None,
) -> Plan:
    """The plan of a draft.

    params: of the section `generate`, where there are sources with `compose`'s over it, or, where photographs are
    edited, of `manipulate`.
    """
    names, keys = _models_and_numbers(params, photographs=photographs, pictures=pictures)
    files = sorted(path for path in draft.rglob("*") if path.is_file())
    return Plan(
        num_prompts=len(PromptTable.open(draft / PROMPTS)),
        faces_per_prompt=faces_per_prompt,
        images_per_shard=images_per_shard,
        seed=seed,
        batch_size=batch_size,
        num_threads=num_threads,
        attempts=attempts,
        image_format=image_format,
        resolution=read_config(models / "generator")["img_resolution"],
        files={path.relative_to(draft).as_posix(): sha256_file(path) for path in files},
        models=model_digests(models / name for name in names),
        recipe={name: params[name] for name in keys},
        environment=environment(),
        photographs=photographs,
        pictures=pictures,
        release=release,
        worker_hours=worker_hours,
    )


def _models_and_numbers(
    params: Mapping[str, Any], *, photographs: str, pictures: str
) -> tuple[Sequence[str], Sequence[str]]:
    """The model folders and the keys of params that decide a job's pictures."""
    if photographs:
        return EDITED, OF_EDITS
    if pictures:
        return COMPOSED, OF_SOURCES
    return MODELS_OF[params["way"]], OF_FACES


def estimate(
    plan: Plan, draft: Path, models: Path, folder: Path, device: torch.device, *, sample: int
) -> Estimate:
    """Draw and write the first `sample` images, into `folder`, after a first batch, which only warms up.

    The sample is rounded up to whole batches, as a part of one takes as long as the whole.
    """
    began = time.perf_counter()
    painter = open_painter(plan, models, draft.joinpath, device, cache=folder / "photographs")
    count = min(plan.num_images, -(-sample // plan.batch_size) * plan.batch_size)
    asked = PromptTable.open(draft / PROMPTS).asked(0, (count - 1) // plan.faces_per_prompt + 1)
    each = [asked[image // plan.faces_per_prompt] for image in range(count)]
    warm = min(count, plan.batch_size)
    list(painter.faces(range(warm), each[:warm]))
    started = time.perf_counter()
    drawn = (face for faces in painter.faces(range(count), each) for face in faces)
    files = write_shard(folder, plan.name, 0, drawn, image_format=plan.image_format)
    seconds = time.perf_counter() - started
    size = files.commit.tar.num_bytes + files.commit.table.num_bytes
    return Estimate(
        plan.num_images,
        plan.num_shards,
        count / seconds,
        size / count,
        files.commit.num_marked / count,
        started - began,
    )
