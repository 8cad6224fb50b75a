"""Draws the images of a shard: each at its own place of a batch, so that no neighbour or worker changes a bit.

A face that lacks something of its prompt, as the guide sees it, is drawn again from another random code, a bounded
number of times; the one that lacks least is kept, and marked if it still lacks something.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import torch
from jaxtyping import UInt8
from torch import Tensor

from tedigan.annotators.tagger import Guide, load_guide
from tedigan.bulk.plan import Plan
from tedigan.errors import WeightsError
from tedigan.method.steering import SteeringSettings
from tedigan.method.text_to_face import FaceMaker, FaceSettings, Read, StartSettings
from tedigan.models.makers import MODELS_OF, open_face_makers, open_texts
from tedigan.store.model_folders import model_digests
from tedigan.tensors import stream, to_images

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Face:
    """One image of a job.

    lacks: what its prompt names and the guide does not see in it, in words. attempt: 0 is the first. seen:
    attribute -> whether the guide sees it.
    """

    image: int
    prompt: int
    text: str
    understood: str
    lacks: tuple[str, ...]
    attempt: int
    ws_sha256: str
    pixels: UInt8[Tensor, "3 r r"] = field(repr=False)
    seen: Mapping[str, bool] = field(repr=False)


@dataclass(frozen=True)
class Painter:
    """A plan's networks, open. guide: None where the text's way needs none; then nothing is looked at."""

    plan: Plan
    maker: FaceMaker
    read: Read
    guide: Guide | None

    def faces(self, images: range, texts: Sequence[str]) -> Iterator[list[Face]]:
        """The faces of `images`, some at a time: in order, but those that were drawn again after all others.

        texts: one an image.
        """
        plan, again = self.plan, list[Face]()
        text_of = {image: text for image, text in zip(images, texts, strict=True)}
        for batch in _batches(images, plan.batch_size):
            drawn = self._drawn(batch, text_of, attempt=0)
            poor = [face for face in drawn if face.lacks and plan.attempts > 1]
            again += poor
            yield [face for face in drawn if face not in poor]
        for attempt in range(1, plan.attempts):
            again = self._drawn_again(again, text_of, attempt)
        yield again

    def face(self, image: int, text: str, *, attempt: int) -> Face:
        """One image alone, the same to the bit as among others."""
        (face,) = self._drawn([image], {image: text}, attempt=attempt)
        return face

    def _drawn_again(
        self, faces: Sequence[Face], texts: Mapping[int, str], attempt: int
    ) -> list[Face]:
        """The better of each face and its next attempt; those that lack nothing stay."""
        best = {face.image: face for face in faces}
        poor = [face.image for face in faces if face.lacks]
        for batch in _by_place(poor, self.plan.batch_size):
            for face in self._drawn(batch, texts, attempt=attempt):
                if len(face.lacks) < len(best[face.image].lacks):
                    best[face.image] = face
        return list(best.values())

    def _drawn(
        self, images: Sequence[int], texts: Mapping[int, str], *, attempt: int
    ) -> list[Face]:
        """One batch: each image at its place, and copies of the first where no image is."""
        plan = self.plan
        places = [images[0]] * plan.batch_size
        for image in images:
            places[image % plan.batch_size] = image
        seed = seed_of(plan.seed, attempt)
        ws, pixels = self.maker.batch([texts[image] for image in places], places, seed=seed)
        seen = None if self.guide is None else self._seen(self.guide, pixels)
        faces = []
        for image in images:
            place = image % plan.batch_size
            saw = {} if seen is None else seen[place]
            faces.append(self._face(image, texts[image], attempt, ws[place], pixels[place], saw))
        return faces

    def _face(
        self,
        image: int,
        text: str,
        attempt: int,
        ws: Tensor,
        pixels: Tensor,
        seen: Mapping[str, bool],
    ) -> Face:
        reading = self.read(text)
        lacks = [
            name if holds else f"not {name}"
            for name, holds in reading.wishes.items()
            if name in seen and seen[name] != holds
        ]
        return Face(
            image,
            image // self.plan.faces_per_prompt,
            text,
            reading.in_words(),
            tuple(lacks),
            attempt,
            sha256_tensor(ws),
            pixels.clone(),
            seen,
        )

    @staticmethod
    @torch.no_grad()
    def _seen(guide: Guide, pixels: UInt8[Tensor, "n 3 r r"]) -> list[dict[str, bool]]:
        found = guide.look(to_images(pixels)).cpu() > 0
        return [dict(zip(guide.names, row, strict=True)) for row in found.tolist()]


def open_painter(plan: Plan, models: Path, grammar: Path, device: torch.device) -> Painter:
    """The networks of a plan. models: a folder that holds them; a WeightsError where they are not the plan's."""
    check_models(plan, models)
    torch.set_num_threads(plan.num_threads)
    recipe, way = plan.recipe, plan.recipe["way"]
    generator, texts, reader = open_texts(
        models,
        device,
        [way],
        grammar,
        _numbers(StartSettings, recipe),
        _numbers(SteeringSettings, recipe),
        strength=recipe["strength"],
    )
    settings = FaceSettings(recipe["truncation_psi"], recipe["noise_mode"], plan.batch_size)
    makers, _ = open_face_makers(
        generator,
        texts,
        settings,
        precision=recipe["precision"],
        compilation=recipe["compile"],
    )
    guide = load_guide(models / "guide", device) if "guide" in MODELS_OF[way] else None
    return Painter(plan, makers[way], reader.reading, guide)


def check_models(plan: Plan, models: Path) -> None:
    """Refuse models that are not the plan's, to the bit."""
    folders = sorted({name.partition("/")[0] for name in plan.models})
    found = model_digests(models / folder for folder in folders)
    for name, expected in plan.models.items():
        if found.get(name) != expected:
            raise WeightsError(
                f"{models / name} has sha256 {(found.get(name) or 'missing')[:12]}, and the plan was made for "
                f"{expected[:12]}; another model draws other faces. Name the folder that holds the plan's "
                f"models, or "
                "plan the job again."
            )


def seed_of(seed: int, attempt: int) -> int:
    """The seed of an image's further attempts; the first one's is the plan's own."""
    return stream(seed, "attempt", attempt).initial_seed() if attempt else seed


def sha256_tensor(tensor: Tensor) -> str:
    """Of shape, dtype and values."""
    digest = hashlib.sha256(f"{tensor.dtype} {list(tensor.shape)} ".encode())
    digest.update(tensor.contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()


def _numbers(settings: type[T], recipe: Mapping[str, Any]) -> T:
    """The fields of a dataclass, from the recipe's keys of the same names."""
    return settings(**{one.name: recipe[one.name] for one in fields(settings)})  # type: ignore[arg-type]


def _batches(images: range, size: int) -> Iterator[range]:
    """Runs of images that share a batch; the first and the last may hold a part of one."""
    start = images.start
    while start < images.stop:
        stop = min((start // size + 1) * size, images.stop)
        yield range(start, stop)
        start = stop


def _by_place(images: Sequence[int], size: int) -> list[list[int]]:
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
