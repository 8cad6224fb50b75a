"""Makes plans: what is to be drawn, frozen, and what it will take, from a measured sample."""

import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from tedigan.bulk.draw import open_painter
from tedigan.bulk.ledger import GRAMMAR, Ledger
from tedigan.bulk.plan import Plan
from tedigan.bulk.prompts import PROMPTS, QUARANTINE, PromptTable
from tedigan.bulk.quotas import QUOTAS
from tedigan.bulk.shard_files import write_shard
from tedigan.models.makers import MODELS_OF
from tedigan.store.files import sha256_file
from tedigan.store.model_folders import model_digests, read_config

RECIPE = (
    "way", "truncation_psi", "strength", "bank_size", "bank_best", "bank_lack", "style_layers",
    "margin", "num_search_steps", "search_rate", "weight_unnamed", "weight_distance",
    "weight_length", "num_picture_steps", "weight_picture", "noise_mode", "precision", "compile",
)  # fmt: skip
# S3's list prices in us-east-1, USD, November 2026: a put or list, a read, a GB and month.
PUT_USD, GET_USD, GB_MONTH_USD = 5e-6, 4e-7, 0.023
PUTS_A_SHARD, GETS_A_SHARD = 3, 4  # tar, table, commit; are these there, is the job cancelled


@dataclass(frozen=True)
class Estimate:
    """What a job will take, from a sample of its own images drawn here by one worker."""

    num_images: int
    num_shards: int
    images_per_second: float
    bytes_per_image: float
    share_lacking: float

    def lines(self, num_workers: int, usd_per_hour: float) -> list[str]:
        """For people. usd_per_hour: of one worker's machine."""
        hours = self.num_images / self.images_per_second / 3600 / num_workers
        gb = self.num_images * self.bytes_per_image / 1e9
        puts, gets = self.num_shards * PUTS_A_SHARD, self.num_shards * GETS_A_SHARD
        return [
            f"{self.num_images:,} images in {self.num_shards:,} shards",
            f"{self.images_per_second:.1f} images/s a worker like this one: {hours:,.2f} h with {num_workers}, "
            f"{hours * num_workers * usd_per_hour:,.2f} USD at {usd_per_hour:g} USD an hour each",
            f"{gb:,.2f} GB, {gb * GB_MONTH_USD:,.2f} USD a month in S3; {puts:,} puts and {gets:,} reads, "
            f"{puts * PUT_USD + gets * GET_USD:,.2f} USD",
            f"{self.share_lacking:.1%} of the sample lacks something that its prompt names",
        ]


def plan_faces(
    prompts: Path,
    grammar: Path,
    models: Path,
    recipe: Mapping[str, Any],
    *,
    faces_per_prompt: int,
    images_per_shard: int,
    seed: int,
    batch_size: int,
    num_threads: int,
    attempts: int,
    image_format: str,
) -> Plan:
    """The plan of faces for a folder of prompts (`write_prompts`). recipe: holds the keys of RECIPE, and may
    more.
    """
    folders = [models / name for name in MODELS_OF[recipe["way"]]]
    return Plan(
        num_prompts=len(PromptTable.open(prompts / PROMPTS)),
        faces_per_prompt=faces_per_prompt,
        images_per_shard=images_per_shard,
        seed=seed,
        batch_size=batch_size,
        num_threads=num_threads,
        attempts=attempts,
        image_format=image_format,
        resolution=read_config(models / "generator")["img_resolution"],
        prompts_sha256=sha256_file(prompts / PROMPTS),
        grammar_sha256=sha256_file(grammar),
        models=model_digests(folders),
        recipe={name: recipe[name] for name in RECIPE},
        environment=environment(),
    )


def save_plan(
    place: str, plan: Plan, prompts: Path, grammar: Path, *, quotas: Path | None = None
) -> Ledger:
    """The job's folder below `place`, which is not made where it is a bucket that is missing.

    quotas: of which the prompts were drawn, kept for the report.
    """
    files = {PROMPTS: prompts / PROMPTS, QUARANTINE: prompts / QUARANTINE, GRAMMAR: grammar}
    return Ledger.create(place, plan, files | ({QUOTAS: quotas} if quotas else {}))


def estimate(
    plan: Plan,
    prompts: Path,
    grammar: Path,
    models: Path,
    folder: Path,
    device: torch.device,
    *,
    sample: int,
) -> Estimate:
    """Draw and write the first `sample` images, but not the first batch, which only warms up."""
    painter = open_painter(plan, models, grammar, device)
    count = min(plan.num_images, sample)
    texts = PromptTable.open(prompts / PROMPTS).texts(0, (count - 1) // plan.faces_per_prompt + 1)
    each = [texts[image // plan.faces_per_prompt] for image in range(count)]
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
    )


def environment() -> dict[str, str]:
    """What a float's last bits may depend on beside the plan."""
    return {
        "torch": version("torch"),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "machine": platform.machine(),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else "",
    }
