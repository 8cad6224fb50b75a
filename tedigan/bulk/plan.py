"""A plan: all that decides a job's pictures, written once. Its sha256 is the job's name.

Image i is of prompt `i // faces_per_prompt`: a face of its text or sources, or a photograph edited by it. It is
drawn at place `i % batch_size` of a batch of that size by a random stream that `(seed, i)` alone decides, so that
neither workers nor shards nor what died change a pixel.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from tedigan.errors import DataError, ParamsError
from tedigan.store.files import sha256_value

FORMAT = 4
MAX_THREADS = 1024  # far more than a machine has processors; of 100,000, torch dies
MAX_ATTEMPTS = 100  # a text that fails so often is not in the generator's reach
COUNTS = (
    "num_prompts", "faces_per_prompt", "images_per_shard", "batch_size", "num_threads", "attempts",
)  # fmt: skip
NAME_LENGTH = 16  # hexadecimal digits of the digest in a job's name


@dataclass(frozen=True)
class Plan:
    """See above. Counts are of images, sizes in px.

    files: the job's own -> sha256: prompts, grammar, and what else stands beside the plan (photographs, quotas,
    checks). models: file of a model folder -> sha256. recipe: the numbers of params.yaml's section `generate` or
    `manipulate` that decide a picture, of sources with `compose`'s. photographs: where they lie that are edited.
    pictures: where the sources of faces lie. Both "" = faces of texts.
    release: the digest of the release that the models are of; "" = of none.
    num_threads: of a worker, as sums over more are rounded otherwise. attempts: how often a face that lacks
    something of its prompt, or fails a check, is drawn, at most. worker_hours: of all workers together; None = no
    limit. environment: versions and kind of processor with which the plan's sample was drawn; they explain, and
    are compared by nobody.
    """

    num_prompts: int
    faces_per_prompt: int
    images_per_shard: int
    seed: int
    batch_size: int
    num_threads: int
    attempts: int
    image_format: str
    resolution: int
    files: Mapping[str, str]
    models: Mapping[str, str]
    recipe: Mapping[str, Any]
    environment: Mapping[str, str]
    photographs: str = ""
    pictures: str = ""
    release: str = ""
    worker_hours: float | None = None

    def __post_init__(self) -> None:
        for name in COUNTS:
            if getattr(self, name) < 1:
                raise ParamsError(
                    f"{name} of a plan is {getattr(self, name)}; expected at least 1. Plan the job again."
                )
        if self.num_threads > MAX_THREADS:
            raise ParamsError(
                f"num_threads of a plan is {self.num_threads:,}; expected at most {MAX_THREADS}, as many as a "
                "worker's machine has processors. Plan the job again."
            )
        if self.attempts > MAX_ATTEMPTS:
            raise ParamsError(
                f"attempts of a plan is {self.attempts:,}; expected at most {MAX_ATTEMPTS}. Plan the job again."
            )
        if self.worker_hours is not None and not 0 < self.worker_hours < math.inf:
            raise ParamsError(
                f"worker_hours of a plan is {self.worker_hours}; expected hours above 0, or none for no limit. "
                "Plan the job again."
            )
        if self.photographs and self.attempts * self.faces_per_prompt != 1:
            raise ParamsError(
                f"a plan of edits has {self.faces_per_prompt} faces per prompt and {self.attempts} attempts; "
                "expected 1 of each, as the same edit gives the same picture. Plan the job again."
            )

    @property
    def num_images(self) -> int:
        """Of the whole job."""
        return self.num_prompts * self.faces_per_prompt

    @property
    def num_shards(self) -> int:
        """The last may be smaller."""
        return -(-self.num_images // self.images_per_shard)

    @property
    def digest(self) -> str:
        """sha256 of the canonical JSON."""
        return sha256_value(self.to_json())

    @property
    def name(self) -> str:
        """The job's, and its folder's."""
        return self.digest[:NAME_LENGTH]

    def images_of(self, shard: int) -> range:
        """The images of one shard."""
        if not 0 <= shard < self.num_shards:
            raise ParamsError(
                f"shard {shard} was asked for, but the job has {self.num_shards}; expected 0 to "
                f"{self.num_shards - 1}. Name one of these."
            )
        start = shard * self.images_per_shard
        return range(start, min(start + self.images_per_shard, self.num_images))

    def shard_of(self, image: int) -> int:
        """Where an image lies."""
        if not 0 <= image < self.num_images:
            raise ParamsError(
                f"image {image} was asked for, but the job has {self.num_images:,}; expected 0 to "
                f"{self.num_images - 1:,}. Name one of these."
            )
        return image // self.images_per_shard

    def to_json(self) -> dict[str, Any]:
        """As `plan.json` holds it."""
        return {"format": FORMAT} | asdict(self)

    def to_bytes(self) -> bytes:
        """plan.json: canonical, so that one plan is one file."""
        text = json.dumps(self.to_json(), sort_keys=True, ensure_ascii=False, indent=1)
        return f"{text}\n".encode()


def plan_from(content: bytes, *, name: str) -> Plan:
    """The plan of a job's `plan.json`; a DataError where it is not the one that the job is named after."""
    try:
        found = json.loads(content)
        given = {field.name: found[field.name] for field in fields(Plan)}
        is_known = found["format"] == FORMAT and len(found) == len(given) + 1
        plan = Plan(**given)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"job {name}: plan.json is no plan: {error!r}. Plan the job again."
        ) from error
    if not is_known or plan.name != name:
        raise DataError(
            f"job {name}: plan.json is that of {plan.name} (format {found['format']}), expected the plan whose "
            "digest the job is named after; it was changed after planning, or its folder was renamed. Name the "
            "folder so again, or plan the job again."
        )
    return plan
