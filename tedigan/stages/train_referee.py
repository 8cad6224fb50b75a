"""photographs + attributes + identities -> models/referee: the judge that no other stage trains against."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from tedigan.annotators.referee import NAME, Judge
from tedigan.annotators.referee_network import (
    IdentitySoftmax,
    Referee,
    RefereeConfig,
    attribute_loss,
    augment,
)
from tedigan.dataset.folder import Dataset
from tedigan.dataset.small_pixels import small_pixels
from tedigan.errors import DataError
from tedigan.evaluation.referee_quality import judge_attributes, judge_people, referee_card
from tedigan.params import TrainReferee
from tedigan.store.files import finished_folder
from tedigan.store.model_folders import save_model
from tedigan.tensors import stream, to_images
from tedigan.training.loop import Stateful, Training
from tedigan.workspace import Outcome, Workspace

STAGE = "train_referee"
WARM_UP_STEPS = 50


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


def run(workspace: Workspace) -> Outcome:
    """Train the referee, choose its thresholds on the val split, measure it on the test split."""
    params, device = workspace.params.train_referee, workspace.device
    data = Dataset.open(workspace.dataset)
    if not data.attribute_names:
        raise DataError(
            f"{workspace.dataset} has no attributes, so that a referee has nothing to learn. Give its source a "
            "table of attributes, or name a tagger in dataset.tagger."
        )
    config = RefereeConfig(
        data.resolution, params.base_channels, params.embedding_dim, tuple(data.attribute_names)
    )
    lessons = Lessons.read(data, config.input_px)
    torch.manual_seed(params.seed)  # the networks' initial weights; nothing else draws from it
    network = Referee(config).to(device)
    people = IdentitySoftmax(max(1, int(lessons.classes.max()) + 1), params.embedding_dim).to(
        device
    )

    training = Training(workspace, STAGE, [workspace.dataset], every=params.checkpoint_every)
    _train(network, people, lessons, training, params, device)
    network.eval().requires_grad_(False)
    has_pairs = bool((lessons.classes >= 0).any())
    quality = _examine(network, data, has_pairs=has_pairs, device=device)

    folder = workspace.model(NAME)
    with finished_folder(folder) as fresh:
        settings = params.model_dump(mode="json", exclude={"checkpoint_every"})
        about = {"settings": settings, "data": data.description, "licence": data.licence}
        written = config.to_json() | quality | {"training": about}
        save_model(fresh, {NAME: network.cpu()}, written, referee_card(written))
        training.write_log(fresh / "log.csv")
    training.checkpoint.remove()
    return Outcome(
        metrics=_headline(quality),
        curves=folder / "log.csv",
        resumed_from_step=training.resumed_from_step,
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


def learning_rate_at(step: int, params: TrainReferee) -> float:
    """Linear warm-up, then half a cosine down to zero."""
    warm_up = min(1.0, (step + 1) / WARM_UP_STEPS)
    return params.learning_rate * warm_up * 0.5 * (1 + math.cos(math.pi * step / params.num_steps))


def _train(
    network: Referee,
    people: IdentitySoftmax,
    lessons: Lessons,
    training: Training,
    params: TrainReferee,
    device: torch.device,
) -> None:
    optimiser = torch.optim.AdamW(
        [*network.parameters(), *people.parameters()], lr=params.learning_rate, weight_decay=0.02
    )
    weights, is_taught = lessons.positive_weights.to(device), lessons.is_taught.to(device)

    def step(index: int) -> dict[str, float]:
        rng = stream(params.seed, STAGE, index)
        chosen = torch.randint(len(lessons.pixels), (params.batch_size,), generator=rng)
        images = augment(to_images(lessons.pixels[chosen].to(device)), rng)
        logits, embeddings = network(images)
        attributes = lessons.attributes[chosen].to(device)
        loss_attributes = attribute_loss(logits, attributes, weights, is_taught)
        loss_identity = people(embeddings, lessons.classes[chosen].to(device))
        for group in optimiser.param_groups:
            group["lr"] = learning_rate_at(index, params)
        optimiser.zero_grad(set_to_none=True)
        (loss_attributes + params.weight_identity * loss_identity).backward()
        optimiser.step()
        return {"loss_attributes": loss_attributes.item(), "loss_identity": loss_identity.item()}

    components: dict[str, Stateful] = {NAME: network, "people": people, "optimiser": optimiser}
    training.run(components, step, num_steps=params.num_steps)


def _examine(
    network: Referee, data: Dataset, *, has_pairs: bool, device: torch.device
) -> dict[str, Any]:
    """Thresholds from the val split; quality on the test split."""
    names = network.config.attribute_names
    nothing = torch.zeros(len(names))
    judge = Judge(network, nothing, nothing.bool(), has_pairs, device)
    seen = {}
    for split in ("val", "test"):
        ids = data.split(split)
        pixels = small_pixels(data, ids, network.config.input_px)
        seen[split] = (*judge.look(to_images(pixels)), data.attributes(ids), data.identities(ids))
    (logits, who, truth, people), (test_logits, test_who, test_truth, test_people) = seen.values()
    attributes = judge_attributes(logits, truth, test_logits, test_truth)
    identity = judge_people(who, people, test_who, test_people) if has_pairs else None
    return {
        "attributes": dict(zip(names, attributes, strict=True)),
        "reliable": [
            name for name, one in zip(names, attributes, strict=True) if one["is_reliable"]
        ],
        "identity": identity,
        "num_photographs": {
            "train": len(data.split("train")),
            "val": len(truth),
            "test": len(test_truth),
        },
    }


def _headline(quality: dict[str, Any]) -> dict[str, float]:
    """The numbers for the run record."""
    tested = [
        one["test_balanced_accuracy"]
        for name, one in quality["attributes"].items()
        if name in quality["reliable"] and one["test_balanced_accuracy"] is not None
    ]
    metrics = {"num_reliable_attributes": float(len(quality["reliable"]))}
    if tested:
        metrics["test_balanced_accuracy_of_reliable"] = sum(tested) / len(tested)
    if quality["identity"] is not None and quality["identity"]["test_auroc"] is not None:
        metrics["test_verification_auroc"] = quality["identity"]["test_auroc"]
    return metrics
