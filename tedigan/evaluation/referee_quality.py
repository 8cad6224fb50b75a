"""How good the referee is: thresholds from half of val, trust from the other half, quality on the test split."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from tedigan.annotators.referee import Referee
from tedigan.dataset.folder import Dataset
from tedigan.evaluation.statistics import (
    auroc,
    balanced_accuracy,
    best_threshold,
    same_person_pairs,
)
from tedigan.tensors import to_images

# An attribute enters a metric only where photographs that chose no threshold show that the referee can be trusted
# with it: a balanced accuracy of this, over so many cases of each answer.
RELIABLE_FROM, RELIABLE_CASES = 0.75, 5
# Pairs grow with the square; these many photographs give millions of them.
MAX_PHOTOGRAPHS = 2000
CHUNK = 256


@dataclass(frozen=True)
class Sight:
    """What the referee says of some photographs, and what is true of them."""

    logits: Float[Tensor, "n k"]
    embeddings: Float[Tensor, "n d"]
    truth: Bool[Tensor, "n k"]
    identities: Int64[Tensor, " n"]

    @classmethod
    def of(cls, referee: Referee, data: Dataset, ids: list[int]) -> "Sight":
        """Of these photographs of a data set."""
        chunks = [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
        seen = [referee.look(to_images(data.pixels(chunk))) for chunk in chunks]
        empty = referee.network.config.embedding_dim
        logits = [one[0] for one in seen] or [torch.zeros(0, len(referee.names))]
        embeddings = [one[1] for one in seen] or [torch.zeros(0, empty)]
        return cls(
            torch.cat(logits), torch.cat(embeddings), data.attributes(ids), data.identities(ids)
        )


def examine(referee: Referee, data: Dataset, *, has_pairs: bool) -> dict[str, Any]:
    """Its thresholds, which attributes it may be trusted with, and its quality on the test split.

    has_pairs: whether training showed anyone twice, so that it can have learnt who is who.
    """
    names = referee.names
    halves = [Sight.of(referee, data, data.half(name)) for name in ("thresholds", "reliability")]
    test = Sight.of(referee, data, data.split("test"))
    attributes = judge_attributes(halves[0], halves[1], test)
    who, people = (
        torch.cat([getattr(half, what) for half in halves]) for what in ("embeddings", "identities")
    )
    identity = judge_people(who, people, test.embeddings, test.identities) if has_pairs else None
    return {
        "attributes": dict(zip(names, attributes, strict=True)),
        "reliable": [
            name for name, one in zip(names, attributes, strict=True) if one["is_reliable"]
        ],
        "identity": identity,
        "num_photographs": {
            "train": len(data.half("referee")),
            "thresholds": len(halves[0].truth),
            "reliability": len(halves[1].truth),
            "test": len(test.truth),
        },
    }


def headline(quality: dict[str, Any]) -> dict[str, float]:
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


def judge_attributes(chooser: Sight, witness: Sight, test: Sight) -> list[dict[str, Any]]:
    """For each attribute its threshold, whether it is reliable, and its quality.

    chooser: the photographs that choose the thresholds. witness: those, of other people, that show whether the
    referee can be trusted with them.
    """
    columns = range(chooser.truth.shape[1])
    return [_judge_attribute(column, chooser, witness, test) for column in columns]


def _judge_attribute(column: int, chooser: Sight, witness: Sight, test: Sight) -> dict[str, Any]:
    (first, chosen), (second, seen), (third, tested) = (
        (sight.logits[:, column], sight.truth[:, column]) for sight in (chooser, witness, test)
    )
    threshold = best_threshold(first, chosen)
    found = None if threshold is None else balanced_accuracy(second > threshold, seen)
    positives = int(seen.sum())
    has_cases = RELIABLE_CASES <= positives <= len(seen) - RELIABLE_CASES
    limit = threshold or 0.0
    return {
        "threshold": limit,
        "is_reliable": has_cases and found is not None and found >= RELIABLE_FROM,
        "val_positives": positives,
        "val_balanced_accuracy": found,
        "test_positives": int(tested.sum()),
        "test_balanced_accuracy": balanced_accuracy(third > limit, tested),
        "test_auroc": auroc(third, tested),
    }


def judge_people(
    val_embeddings: Float[Tensor, "n d"],
    val_identities: Int64[Tensor, " n"],
    test_embeddings: Float[Tensor, "m d"],
    test_identities: Int64[Tensor, " m"],
) -> dict[str, Any] | None:
    """Verification on pairs of people who were not in training; None where the val split shows nobody twice.

    threshold: the cosine from which two photographs are taken for one person, chosen on the val split.
    """
    threshold = best_threshold(*_pairs(val_embeddings, val_identities))
    if threshold is None:
        return None
    cosines, is_same = _pairs(test_embeddings, test_identities)
    return {
        "threshold": threshold,
        "test_auroc": auroc(cosines, is_same),
        "test_balanced_accuracy": balanced_accuracy(cosines > threshold, is_same),
        "test_same_accepted": _share(cosines[is_same] > threshold),
        "test_same_pairs": int(is_same.sum()),
        "test_other_pairs": int((~is_same).sum()),
    }


def _share(answers: Bool[Tensor, " n"]) -> float | None:
    return float(answers.double().mean()) if len(answers) else None


def _pairs(
    embeddings: Float[Tensor, "n d"], identities: Int64[Tensor, " n"]
) -> tuple[Float[Tensor, " p"], Bool[Tensor, " p"]]:
    known = identities >= 0
    return same_person_pairs(
        embeddings[known][:MAX_PHOTOGRAPHS], identities[known][:MAX_PHOTOGRAPHS]
    )


def referee_card(config: dict[str, Any]) -> str:
    """The model card of models/referee. Deterministic: no time, no host."""
    rows = "\n".join(
        f"| {name} | {_show(one['test_balanced_accuracy'])} | {_show(one['test_auroc'])} "
        f"| {one['test_positives']} | {'yes' if one['is_reliable'] else 'no'} |"
        for name, one in config["attributes"].items()
    )
    people, training = config["identity"], config["training"]
    verification = (
        "The val split shows nobody twice, so no threshold could be chosen and identity is not judged."
        if people is None
        else f"Two photographs of one person against two people, on test pairs: AUROC "
        f"{_show(people['test_auroc'])} ({people['test_same_pairs']} same pairs); threshold "
        f"{_show(people['threshold'])} (cosine, chosen on val)."
    )
    return (
        f"# Referee, {config['resolution']} px\n\n"
        "What it finds in a face, and how alike two people are: a small network upon the features of a frozen\n"
        "ImageNet EfficientNet-Lite0, whose weights a package brings. It judges the results of the platform,\n"
        "is used in no training loss, and saw no person that the guide saw. `referee.safetensors`.\n\n"
        f"- Data: {training['data']}; photographs: {config['num_photographs']}.\n"
        f"- Licence: {training['licence']}.\n"
        f"- Reliable attributes (balanced accuracy of {RELIABLE_FROM} or more, with at least {RELIABLE_CASES}\n"
        f"  cases of each answer, on the half of val that chose no threshold): {len(config['reliable'])} of "
        f"{len(config['attributes'])}.\n"
        f"- {verification}\n\n"
        "| attribute | balanced accuracy (test) | AUROC (test) | positives (test) | reliable |\n"
        "|---|---|---|---|---|\n"
        f"{rows}\n\n"
        "Thresholds are chosen on half of the people of val and kept in `config.json`. On faces that are not\n"
        "photographs its accuracy is unknown. Made by the stage `train_referee`.\n"
    )


def _show(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
