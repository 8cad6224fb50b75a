"""The referee's lessons: attributes and who is who, on the train split."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from tedigan.annotators.referee_network import (
    IdentitySoftmax,
    RefereeConfig,
    RefereeNetwork,
    attribute_loss,
    augment,
)
from tedigan.dataset.folder import Dataset
from tedigan.dataset.small_pixels import small_pixels
from tedigan.tensors import to_images
from tedigan.training.schedules import set_rate, warm_up_then_cosine


@dataclass(frozen=True)
class RefereeSettings:
    """The numbers of `RefereeTrainer`; see params.yaml for their units."""

    num_steps: int
    batch_size: int
    learning_rate: float
    weight_identity: float


@dataclass(frozen=True)
class Lessons:
    """The training split in memory, at the referee's own size.

    classes: for each photograph its identity's number, -1 where nobody else shows that person.
    positive_weights, is_taught: see `attribute_loss`.
    """

    pixels: UInt8[Tensor, "n 3 h w"]
    attributes: Bool[Tensor, "n k"]
    classes: Int64[Tensor, " n"]
    positive_weights: Float[Tensor, " k"]
    is_taught: Bool[Tensor, " k"]

    @classmethod
    def read(cls, data: Dataset, size_px: int) -> "Lessons":
        """The train split of a data set."""
        ids = data.split("train")
        attributes = data.attributes(ids)
        positives, n = attributes.sum(dim=0).float(), len(ids)
        weights = ((n - positives) / positives.clamp(min=1)).sqrt().clamp(0.5, 4)
        return cls(
            small_pixels(data, ids, size_px),
            attributes,
            identity_classes(data.identities(ids)),
            weights,
            (positives > 0) & (positives < n),
        )


def identity_classes(identities: Int64[Tensor, " n"]) -> Int64[Tensor, " n"]:
    """Numbers 0, 1, ... for the people with two photographs or more; -1 for the others.

    A person seen once teaches nothing about what two photographs of one person share.
    """
    _, inverse, counts = torch.unique(identities, return_inverse=True, return_counts=True)
    photographs_of_same = torch.where(identities >= 0, counts[inverse], 0)
    classes = torch.full_like(identities, -1)
    is_class = photographs_of_same >= 2
    classes[is_class] = torch.unique(identities[is_class], return_inverse=True)[1]
    return classes


class RefereeTrainer:
    """The referee, the softmax over the people that it learns from, and their optimiser."""

    def __init__(
        self,
        config: RefereeConfig,
        lessons: Lessons,
        settings: RefereeSettings,
        *,
        seed: int,
        device: torch.device,
    ) -> None:
        torch.manual_seed(seed)  # the networks' initial weights; nothing else draws from it
        num_people = max(1, int(lessons.classes.max()) + 1)
        self.network = RefereeNetwork(config).to(device)
        self.people = IdentitySoftmax(num_people, config.embedding_dim).to(device)
        self.lessons, self.settings, self.device = lessons, settings, device
        self.optimiser = torch.optim.AdamW(
            [*self.network.parameters(), *self.people.parameters()],
            lr=settings.learning_rate,
            weight_decay=0.02,
        )

    def components(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {"referee": self.network, "people": self.people, "optimiser": self.optimiser}

    def step(self, rng: torch.Generator, index: int) -> dict[str, float]:
        """One step on photographs that `rng` draws with replacement."""
        lessons, device = self.lessons, self.device
        chosen = torch.randint(len(lessons.pixels), (self.settings.batch_size,), generator=rng)
        images = augment(to_images(lessons.pixels[chosen].to(device)), rng)
        logits, embeddings = self.network(images)
        loss_attributes = attribute_loss(
            logits,
            lessons.attributes[chosen].to(device),
            lessons.positive_weights.to(device),
            lessons.is_taught.to(device),
        )
        loss_identity = self.people(embeddings, lessons.classes[chosen].to(device))
        set_rate(self.optimiser, learning_rate_at(index, self.settings))
        self.optimiser.zero_grad(set_to_none=True)
        (loss_attributes + self.settings.weight_identity * loss_identity).backward()
        self.optimiser.step()
        return {"loss_attributes": loss_attributes.item(), "loss_identity": loss_identity.item()}


def learning_rate_at(step: int, settings: RefereeSettings) -> float:
    """Of a step, counted from 0."""
    return warm_up_then_cosine(
        step, learning_rate=settings.learning_rate, num_steps=settings.num_steps
    )
