"""What the judges see of one method's pictures, in one pass and in memory that hardly grows with their number."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from tedigan.annotators.referee import Referee
from tedigan.comparison.comparison_protocol import ComparisonProtocol
from tedigan.comparison.familiar import FamiliarPhotographs
from tedigan.comparison.moments import Moments
from tedigan.dataset.folder import Dataset
from tedigan.evaluation.feature_nets import FeatureNet
from tedigan.evaluation.perceptual_distance import PerceptualDistance
from tedigan.evaluation.training_photographs import TrainingPhotographs
from tedigan.models.given_nets import INCEPTION_WIDTH, Clip, Inception
from tedigan.progress import progress
from tedigan.store import pictures
from tedigan.store.model_folders import load_tensors, save_tensors
from tedigan.tensors import to_images


@runtime_checkable
class Pictures(Protocol):
    """Somebody's pictures, of a folder or of the data set."""

    @property
    def name(self) -> str:
        """In tables."""

    def faces(self, batch_size: int) -> Iterator[UInt8[Tensor, "n 3 r r"]]:
        """One of each prompt, in order."""

    def variants(self, prompts: int, faces: int) -> UInt8[Tensor, "p f 3 r r"] | None:
        """Several of the first prompts; None where there are none."""


@dataclass(frozen=True)
class Photographs:
    """Those of a data set, as if a method had made them."""

    name: str
    data: Dataset
    ids: tuple[int, ...]
    size_px: int

    def faces(self, batch_size: int) -> Iterator[UInt8[Tensor, "n 3 r r"]]:
        """See `Pictures`."""
        for start in range(0, len(self.ids), batch_size):
            found = self.data.pixels(self.ids[start : start + batch_size])
            yield torch.stack([pictures.resize(one, self.size_px) for one in found])

    def variants(self, prompts: int, faces: int) -> None:
        """Nobody was photographed for several sentences."""


@dataclass(frozen=True)
class CaptionJudge:
    """A CLIP that has read a protocol's captions."""

    clip: Clip
    captions: Float[Tensor, "n d"]

    @classmethod
    def read(cls, clip: Clip, texts: Sequence[str], batch_size: int) -> "CaptionJudge":
        """Once for all methods."""
        parts = [texts[start : start + batch_size] for start in range(0, len(texts), batch_size)]
        return cls(clip, torch.cat([clip.of_texts([*part]) for part in parts]))

    def fits(self, images: Float[Tensor, "b 3 h w"], at: int) -> Float[Tensor, "b 2"]:
        """Cosines of pictures from the prompt `at` on with their own captions, and with the next prompts'."""
        seen, own = self.clip.of_images(images), torch.arange(len(images)) + at
        captions = (self.captions[(own + shift) % len(self.captions)] for shift in (0, 1))
        return torch.stack([(seen * one).sum(dim=1) for one in captions], dim=1)


@dataclass(frozen=True)
class Judges:
    """training, familiar: None where nobody says how near a copy is. inception, clip: None = no file was given."""

    referee: Referee
    features: FeatureNet
    distance: PerceptualDistance
    training: TrainingPhotographs | None
    familiar: FamiliarPhotographs | None
    batch_size: int
    inception: Inception | None = None
    clip: CaptionJudge | None = None


_PLAIN = ("found", "kept", "likeness", "familiarity", "variety", "strangers", "clip")
_MOMENTS = ("moments", "inception")


@dataclass(frozen=True)
class Seen:
    """found: the referee's attributes of each picture. kept: features of the first ones. moments: of all features.

    likeness, familiarity: cosine with the nearest training photograph, of thumbnails and of features; empty where
    nobody says. variety: mean perceptual distance of faces of one sentence, for each of the first prompts.
    strangers: the same between neighbours in the list. inception: moments, of none where no file was given. clip:
    cosine with the own caption and with the next prompt's; empty likewise.
    """

    found: Bool[Tensor, "n k"]
    kept: Float[Tensor, "m d"]
    moments: Moments
    likeness: Float[Tensor, " told"]
    familiarity: Float[Tensor, " told"]
    variety: Float[Tensor, " p"]
    strangers: Float[Tensor, " pairs"]
    inception: Moments
    clip: Float[Tensor, "c 2"]

    def save(self, path: Path) -> None:
        """To be kept under the protocol's digest."""
        flat = {name: getattr(self, name) for name in _PLAIN}
        for name in _MOMENTS:
            moments = getattr(self, name)
            flat[f"{name}.count"] = torch.tensor(moments.count)
            flat |= {f"{name}.mean": moments.mean, f"{name}.scatter": moments.scatter}
        save_tensors(path, flat)

    @classmethod
    def load(cls, path: Path) -> "Seen":
        """Of a file that `save` wrote."""
        flat = load_tensors(path)
        whole: dict[str, Any] = {name: flat[name] for name in _PLAIN}
        for name in _MOMENTS:
            count, mean, scatter = (flat[f"{name}.{part}"] for part in ("count", "mean", "scatter"))
            whole[name] = Moments(int(count), mean, scatter)
        return cls(**whole)


def look(shown: Pictures, protocol: ComparisonProtocol, judges: Judges, num: int) -> Seen:
    """All that is to be seen of `num` pictures.

    What is kept has its place from the start: small tensors that stay between large ones that go would pin the
    heap, which grew by a batch's images each time.
    """
    likeness, strangers = torch.empty(num if judges.training else 0), torch.empty(num - 1)
    familiarity = torch.empty(num if judges.familiar else 0)
    inception, clip = Moments.none(INCEPTION_WIDTH if judges.inception else 1), torch.empty(0, 2)
    if judges.clip:
        clip = torch.empty(num, 2)
    found = kept = moments = last = None
    at, batches = 0, -(-num // judges.batch_size)
    for pixels in progress(
        shown.faces(judges.batch_size), total=batches, desc=shown.name, unit="batch"
    ):
        images, rows = to_images(pixels), slice(at, at + len(pixels))
        attributes, features = judges.referee.find(images), judges.features(images)
        if found is None or kept is None or moments is None:
            found = attributes.new_empty(num, attributes.shape[1])
            kept = features.new_empty(min(num, protocol.num_kept), features.shape[1])
            moments = Moments.none(features.shape[1])
        found[rows] = attributes
        moments.add(features)
        kept[rows] = features[: max(len(kept) - at, 0)]
        if judges.training:
            likeness[rows] = _likeness(pixels, judges.training)
        if judges.familiar:
            familiarity[rows] = judges.familiar.likeness(features)
        if judges.inception:
            inception.add(judges.inception(images))
        if judges.clip:
            clip[rows] = judges.clip.fits(images, at)
        before = images if last is None else torch.cat([last, images])
        if len(before) > 1:
            start = max(at - 1, 0)
            strangers[start : start + len(before) - 1] = judges.distance(
                before[:-1], before[1:]
            ).cpu()
        last, at = images[-1:].clone(), rows.stop
    assert found is not None and kept is not None and moments is not None, "a protocol has prompts"  # noqa: PT018
    variants = shown.variants(protocol.variety_prompts, protocol.variety_faces)
    variety = _variety(variants, judges.distance)
    return Seen(found, kept, moments, likeness, familiarity, variety, strangers, inception, clip)


def _likeness(
    pixels: UInt8[Tensor, "n 3 r r"], training: TrainingPhotographs
) -> Float[Tensor, " n"]:
    return torch.tensor([cosine for _, cosine in training.nearest(pixels)])


def _variety(
    variants: UInt8[Tensor, "p f 3 r r"] | None, distance: PerceptualDistance
) -> Float[Tensor, " p"]:
    """Of each prompt, a mean over all pairs of its faces."""
    if variants is None:
        return torch.zeros(0)
    first, second = torch.triu_indices(variants.shape[1], variants.shape[1], offset=1)
    return torch.stack(
        [
            distance(to_images(faces[first]), to_images(faces[second])).mean().cpu()
            for faces in variants
        ]
    )
