"""Draws the images of a shard: each at its own place of a batch, so that no neighbour or worker changes a bit.

A face that lacks something of its prompt, as the guide sees it, or fails a check is drawn again from another
random code, a bounded number of times; the best is kept, and marked with what is still wrong. What cannot be drawn
at all costs its own image and no other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.annotators.tagger import Guide
from tedigan.bulk.checks import Checked, Checks
from tedigan.bulk.plan import Plan
from tedigan.bulk.prompt_table import Asked
from tedigan.errors import DataError, NumbersError
from tedigan.exactness import sha256_tensor
from tedigan.method.sentence_reader import Reading
from tedigan.method.text_to_face import Read
from tedigan.tensors import stream, to_images

POISON = (
    DataError,
    NumbersError,
)  # what one image's text or photograph may cause, and no worker or disk


@dataclass(frozen=True, eq=False)
class Batch:
    """Codes and pictures of some images. measured: of each, column of the job's table -> value."""

    ws: Float[Tensor, "n num_ws w_dim"]
    pixels: UInt8[Tensor, "n 3 r r"]
    measured: Sequence[Mapping[str, Any]]


@runtime_checkable
class Artist(Protocol):
    """Makes one full batch of pictures."""

    def batch(self, images: Sequence[int], asked: Sequence[Asked], *, seed: int) -> "Batch":
        """Of these images of the job; the last bits may depend on their number and the place alone."""
        ...


@dataclass(frozen=True, eq=False)
class Face:
    """One image of a job.

    lacks: what its prompt names and the guide does not see in it, in words. faults: what else is wrong with it.
    attempt: 0 is the first. measured: column of the job's table -> value. seen: attribute -> whether the guide
    sees it.
    """

    image: int
    prompt: int
    asked: Asked
    understood: str
    lacks: tuple[str, ...]
    attempt: int
    ws_sha256: str
    pixels: UInt8[Tensor, "3 r r"] = field(repr=False)
    seen: Mapping[str, bool] = field(repr=False)
    faults: tuple[str, ...] = ()
    measured: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def num_wrong(self) -> int:
        """0 where nothing is."""
        return len(self.lacks) + len(self.faults)


@dataclass(frozen=True)
class Failure:
    """An image that could not be drawn, and why."""

    image: int
    prompt: int
    asked: Asked
    reason: str


@dataclass(frozen=True)
class Painter:
    """A plan's networks, open. guide: None where nothing looks at what a prompt names."""

    plan: Plan
    artist: Artist
    read: Read
    guide: Guide | None
    checks: Checks = field(default_factory=Checks)

    def faces(self, images: range, asked: Sequence[Asked]) -> Iterator[list[Face | Failure]]:
        """The faces of `images`, some at a time: in order, but those that were drawn again after all others.

        asked: one an image.
        """
        plan, again = self.plan, list[Face]()
        asked_of = dict(zip(images, asked, strict=True))
        for batch in _batches(images, plan.batch_size):
            drawn = self._drawn(batch, asked_of, attempt=0)
            poor = [one for one in drawn if isinstance(one, Face) and one.num_wrong]
            poor = poor if plan.attempts > 1 else []
            again += poor
            yield [one for one in drawn if one not in poor]
        for attempt in range(1, plan.attempts):
            again = self._drawn_again(again, asked_of, attempt)
        yield [*again]

    def face(self, image: int, asked: Asked, *, attempt: int) -> Face | Failure:
        """One image alone, the same to the bit as among others."""
        (face,) = self._drawn([image], {image: asked}, attempt=attempt)
        return face

    def _drawn_again(
        self, faces: Sequence[Face], asked: Mapping[int, Asked], attempt: int
    ) -> list[Face]:
        """The better of each face and its next attempt; those with which nothing is wrong stay."""
        best = {face.image: face for face in faces}
        poor = [face.image for face in faces if face.num_wrong]
        for batch in by_place(poor, self.plan.batch_size):
            for face in self._drawn(batch, asked, attempt=attempt):
                if isinstance(face, Face) and face.num_wrong < best[face.image].num_wrong:
                    best[face.image] = face
        return list(best.values())

    def _drawn(
        self, images: Sequence[int], asked: Mapping[int, Asked], *, attempt: int
    ) -> list[Face | Failure]:
        """One batch; where somebody's text or photograph spoils it, each alone."""
        try:
            return self._batch(images, asked, attempt)
        except POISON as error:
            if len(images) > 1:
                return [
                    one for image in images for one in self._drawn([image], asked, attempt=attempt)
                ]
            image = images[0]
            prompt = image // self.plan.faces_per_prompt
            return [Failure(image, prompt, asked[image], str(error))]

    def _batch(
        self, images: Sequence[int], asked: Mapping[int, Asked], attempt: int
    ) -> list[Face | Failure]:
        """Each image at its place, and copies of the first where no image is."""
        plan = self.plan
        places = [images[0]] * plan.batch_size
        for image in images:
            places[image % plan.batch_size] = image
        seed = seed_of(plan.seed, attempt)
        batch = self.artist.batch(places, [asked[image] for image in places], seed=seed)
        seen = _seen(self.guide, batch.pixels) if self.guide else [{} for _ in places]
        checked = self.checks.look(batch.pixels)
        return [
            self._face(image, asked[image], attempt, batch, seen[place], checked[place])
            for image in images
            for place in [image % plan.batch_size]
        ]

    def _face(
        self,
        image: int,
        asked: Asked,
        attempt: int,
        batch: Batch,
        seen: Mapping[str, bool],
        checked: Checked,
    ) -> Face:
        place, reading = image % self.plan.batch_size, self.read(asked.text)
        return Face(
            image,
            image // self.plan.faces_per_prompt,
            asked,
            reading.in_words(),
            self._lacks(reading, asked.strength, seen),
            attempt,
            sha256_tensor(batch.ws[place]),
            batch.pixels[place].clone(),
            seen,
            checked.faults,
            {**batch.measured[place], **checked.measured},
        )

    def _lacks(
        self, reading: Reading, strength: float, seen: Mapping[str, bool]
    ) -> tuple[str, ...]:
        """Less than the whole of what a text says is not expected to show; its contrary is, below 0."""
        amount = strength * self.plan.recipe.get("strength", 1.0)
        if abs(amount) < 1:
            return ()
        wished = {name: holds == (amount > 0) for name, holds in reading.wishes.items()}
        return tuple(
            name if holds else f"not {name}"
            for name, holds in wished.items()
            if name in seen and seen[name] != holds
        )


@torch.no_grad()
def _seen(guide: Guide, pixels: UInt8[Tensor, "n 3 r r"]) -> list[dict[str, bool]]:
    found = guide.look(to_images(pixels)).cpu() > 0
    return [dict(zip(guide.names, row, strict=True)) for row in found.tolist()]


def seed_of(seed: int, attempt: int) -> int:
    """The seed of an image's further attempts; the first one's is the plan's own."""
    return stream(seed, "attempt", attempt).initial_seed() if attempt else seed


def _batches(images: range, size: int) -> Iterator[range]:
    """Runs of images that share a batch; the first and the last may hold a part of one."""
    start = images.start
    while start < images.stop:
        stop = min((start // size + 1) * size, images.stop)
        yield range(start, stop)
        start = stop


def by_place(images: Sequence[int], size: int) -> list[list[int]]:
    """Batches in which no two images have one place; as few as there can be."""
    batches: list[list[int]] = []
    taken = [0] * size  # how many batches have somebody at each place
    for image in images:
        number = taken[image % size]
        taken[image % size] += 1
        if number == len(batches):
            batches.append([])
        batches[number].append(image)
    return batches
