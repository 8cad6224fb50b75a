"""The referee's lessons: attributes and who is who, on its half of the train split.

The trunk is frozen, so it looks once at `num_views` views of each photograph, and the lessons are what it saw. The
views are spoilt as generators and compression spoil pictures, so that the referee looks at faces and not at that.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Float16, Int64
from torch import Tensor

from tedigan.annotators.random_views import random_views
from tedigan.annotators.referee_network import (
    IdentitySoftmax,
    RefereeConfig,
    RefereeNetwork,
    attribute_loss,
)
from tedigan.annotators.trunk import NUM_FEATURES, Trunk
from tedigan.dataset.folder import Dataset
from tedigan.draws import integers
from tedigan.progress import progress
from tedigan.tensors import stream, to_images
from tedigan.training import ranks
from tedigan.training.degradations import degrade
from tedigan.training.schedules import set_rate, warm_up_then_cosine

CHUNK = 64


@dataclass(frozen=True)
class RefereeSettings:
    """The numbers of `RefereeTrainer`; see params.yaml for their units."""

    num_steps: int
    batch_size: int
    learning_rate: float
    weight_identity: float


@dataclass(frozen=True)
class Lessons:
    """What the trunk saw of the referee's photographs.

    views: the photograph itself first, then random ones. classes: for each photograph its identity's number, -1
    where nobody else shows that person. positive_weights, is_taught: see `attribute_loss`.
    """

    views: Float16[Tensor, "v n d"]
    attributes: Bool[Tensor, "n k"]
    classes: Int64[Tensor, " n"]
    positive_weights: Float[Tensor, " k"]
    is_taught: Bool[Tensor, " k"]

    @classmethod
    def read(cls, data: Dataset, trunk: Trunk, *, num_views: int, seed: int) -> "Lessons":
        """The referee's half of a data set's train split."""
        ids = data.half("referee")
        attributes = data.attributes(ids)
        positives, n = attributes.sum(dim=0).float(), len(ids)
        weights = ((n - positives) / positives.clamp(min=1)).sqrt().clamp(0.5, 4)
        return cls(
            _look_at_views(data, ids, trunk, num_views=num_views, seed=seed),
            attributes,
            identity_classes(data.identities(ids)),
            weights,
            (positives > 0) & (positives < n),
        )


def _look_at_views(
    data: Dataset, ids: list[int], trunk: Trunk, *, num_views: int, seed: int
) -> Float16[Tensor, "v n d"]:
    """Half precision: 4 views of 12,000 photographs take 360 MB."""
    seen = torch.empty(num_views, len(ids), NUM_FEATURES, dtype=torch.float16)
    starts = range(0, len(ids), CHUNK)
    for start in progress(starts, desc="train_referee: views", unit="batch"):
        images = to_images(data.pixels(ids[start : start + CHUNK]))
        for view in range(num_views):
            rng = stream(seed, "view", view, start)
            shown = degrade(random_views(images, None, rng)[0], rng) if view else images
            seen[view, start : start + CHUNK] = trunk.stages(shown).half().cpu()
    return seen


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
        self.network.standardise_as(lessons.views[0].to(device).float())
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
        """One step on views that `rng` draws with replacement; what it drops is drawn from the step's own seed."""
        lessons, device = self.lessons, self.device
        num_views, num_photographs = lessons.views.shape[:2]
        n = ranks.share(self.settings.batch_size)
        chosen, view = integers(rng, 0, num_photographs, n), integers(rng, 0, num_views, n)
        torch.manual_seed(int(torch.randint(2**31, (), generator=rng)) + ranks.rank())
        logits, embeddings = self.network(lessons.views[view, chosen].to(device).float())
        loss_attributes = attribute_loss(
            logits,
            lessons.attributes[chosen].to(device),
            lessons.positive_weights.to(device),
            lessons.is_taught.to(device),
        )
        classes = lessons.classes[chosen].to(device)
        is_whole = ranks.num_ranks() == 1
        num_known = None if is_whole else ranks.mean((classes >= 0).sum().float())
        loss_identity = self.people(embeddings, classes, num_known)
        set_rate(self.optimiser, learning_rate_at(index, self.settings))
        loss = loss_attributes + self.settings.weight_identity * loss_identity
        ranks.descend(self.optimiser, loss)
        return {"loss_attributes": loss_attributes.item(), "loss_identity": loss_identity.item()}


def learning_rate_at(step: int, settings: RefereeSettings) -> float:
    """Of a step, counted from 0."""
    return warm_up_then_cosine(
        step, learning_rate=settings.learning_rate, num_steps=settings.num_steps
    )
