"""Jobs to measure: of a workspace's own models, of random ones at the paper's 256 px, and of noise."""

import datetime
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle, islice
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from benchmarks.pairing import RESULTS, machine
from infra.local import BUCKET, local_platform
from tedigan.bulk.artists import FaceArtist
from tedigan.bulk.draw import Face, Failure, Painter
from tedigan.bulk.ledger import Ledger
from tedigan.bulk.plan import Plan
from tedigan.bulk.planning import plan_job
from tedigan.bulk.prompt_table import PROMPTS, Asked, write_prompts
from tedigan.bulk.worker import Worker
from tedigan.captions.grammar_files import GRAMMAR
from tedigan.captions.lists import read_captions
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.stylegan import Generator
from tedigan.method.sentence_reader import Reading
from tedigan.method.text_to_face import FaceMaker, FaceSettings, random_ws
from tedigan.store.files import sha256_file
from tedigan.tensors import stream
from tedigan.workspace import Workspace

W = TypeVar("W", bound=Worker)
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PSI = 0.7


@contextmanager
def local_bucket(work: Path) -> Iterator[str]:
    """The address of a bucket of a real S3 server on this machine, which the environment leads to."""
    with local_platform(work) as environment:
        os.environ |= environment
        yield f"s3://{BUCKET}"


def captions_of(workspace: Workspace, count: int) -> list[str]:
    """The workspace's captions of the stage `generate`, again and again."""
    return [
        *islice(cycle(read_captions(workspace.root / workspace.params.generate.captions)), count)
    ]


def default_job(
    workspace: Workspace, place: str, folder: Path, *, num_images: int, images_per_shard: int
) -> Worker:
    """An approved job of the workspace's captions, models and numbers, and a worker of one thread for it."""
    draft, params = folder / "draft", workspace.params.generate
    write_prompts(draft, map(Asked, captions_of(workspace, num_images)))
    shutil.copyfile(workspace.grammar, draft / GRAMMAR)
    plan = plan_job(
        draft,
        workspace.models,
        params.model_dump(mode="json"),
        faces_per_prompt=1,
        images_per_shard=images_per_shard,
        seed=0,
        batch_size=params.batch_size,
        num_threads=1,
        attempts=1,
        image_format="png",
    )
    return approved(plan, draft, place, Worker, workspace.models, folder / "scratch")


def plain_plan(
    draft: Path,
    num_images: int,
    images_per_shard: int,
    *,
    resolution: int = 16,
    batch_size: int = 1,
) -> Plan:
    """Of nothing but prompts, written into `draft`: for pictures that no model of a folder draws."""
    write_prompts(draft, (Asked("A face.") for _ in range(num_images)))
    return Plan(
        num_prompts=num_images,
        faces_per_prompt=1,
        images_per_shard=images_per_shard,
        seed=0,
        batch_size=batch_size,
        num_threads=1,
        attempts=1,
        image_format="png",
        resolution=resolution,
        files={PROMPTS: sha256_file(draft / PROMPTS)},
        models={},
        recipe={},
        environment={},
    )


def approved(
    plan: Plan, draft: Path, place: str, kind: type[W], models: Path, scratch: Path, **values: Any
) -> W:
    """The job of a plan below `place`, and a worker for it."""
    ledger = Ledger.create(place, plan, draft)
    ledger.approve("benchmarks")
    return kind(ledger.address, models, scratch, "cpu", **values)


@dataclass(frozen=True)
class AnyFace:
    """Codes of no text."""

    generator: Generator

    def ws(self, texts: Sequence[str], indices: Sequence[int], *, seed: int) -> Tensor:  # noqa: ARG002
        """See `TextToCode`."""
        return random_ws(self.generator, indices, seed=seed, truncation_psi=PSI)


def job_of_random_weights(
    place: str, folder: Path, *, num_images: int, images_per_shard: int, batch_size: int
) -> Worker:
    """A job of 256 px faces by a generator of the paper's size that learnt nothing; nothing looks at them."""
    sizes = {"batch_size": batch_size, "resolution": 256}
    plan = plain_plan(folder / "draft", num_images, images_per_shard, **sizes)
    worker = approved(plan, folder / "draft", place, Worker, folder, folder / "scratch")
    torch.manual_seed(0)
    generator = Generator(GeneratorConfig(256, channel_base=16384)).eval().requires_grad_(False)
    settings = FaceSettings(PSI, "const", batch_size)
    maker = FaceMaker(generator, AnyFace(generator), generator.synthesis, settings)
    vars(worker)["painter"] = Painter(plan, FaceArtist(maker), lambda _: Reading({}), None)
    return worker


@dataclass(frozen=True)
class FakePainter:
    """Noise of 16 x 16 px after `seconds` of sleep a shard; counts[0]: the shards that it was asked for."""

    seconds: float
    counts: list[int]

    def faces(self, images: range, asked: Sequence[Asked]) -> Iterator[list[Face | Failure]]:
        """See `Painter.faces`."""
        self.counts[0] += 1
        time.sleep(self.seconds)
        for image, one in zip(images, asked, strict=True):
            pixels = torch.randint(256, (3, 16, 16), generator=stream(0, image)).to(torch.uint8)
            yield [Face(image, image, one, "", (), 0, "0" * 64, pixels, {})]


@dataclass(frozen=True)
class FakeWorker(Worker):
    """A worker that really commits what nothing draws."""

    seconds: float = 0.0

    @cached_property
    def painter(self) -> Any:
        """Not a plan's networks."""
        return FakePainter(self.seconds, [0])


@dataclass
class Meter:
    """A painter whose work is measured, in whatever thread it is done. Seconds; wall: also those of waiting."""

    painter: Painter
    cpu_s: float = 0.0
    wall_s: float = 0.0

    def faces(self, images: range, asked: Sequence[Asked]) -> Iterator[list[Face | Failure]]:
        """See `Painter.faces`."""
        faces = self.painter.faces(images, asked)
        while True:
            cpu, wall = time.thread_time(), time.perf_counter()
            drawn = next(faces, None)
            self.cpu_s += time.thread_time() - cpu
            self.wall_s += time.perf_counter() - wall
            if drawn is None:
                return
            yield drawn


def cpu_seconds_of(pid: int) -> float:
    """User and system seconds of a process; 0 where it is gone."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / TICKS_A_SECOND


def memory_mib_of(pid: int) -> float:
    """Resident; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)


def children_of(pid: int) -> list[int]:
    """The processes that it started."""
    found = list[int]()
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def save(name: str, text: str, **measured: Any) -> Path:
    """`results/<date>-bulk-<name>.json`: the machine, the table that is printed, and what it was made of."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.date.today().isoformat()}-bulk-{name}.json"
    content = {"machine": machine(), "table": text.splitlines(), **measured}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path
