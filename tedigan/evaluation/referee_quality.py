"""How good the referee is: thresholds chosen on the val split, quality measured on the test split."""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from tedigan.annotators.referee import Referee
from tedigan.annotators.referee_network import RefereeNetwork
from tedigan.dataset.folder import Dataset
from tedigan.dataset.small_pixels import small_pixels
from tedigan.evaluation.statistics import (
    auroc,
    balanced_accuracy,
    best_threshold,
    same_person_pairs,
)
from tedigan.tensors import to_images

# An attribute enters text fidelity only where the val split shows that the referee can be trusted with it.
RELIABLE_FROM, RELIABLE_CASES = 0.75, 5
# Pairs grow with the square; these many photographs give millions of them.
MAX_PHOTOGRAPHS = 2000


def examine(
    network: RefereeNetwork, data: Dataset, *, has_pairs: bool, device: torch.device
) -> dict[str, Any]:
    """Thresholds from the val split; quality on the test split."""
    names = network.config.attribute_names
    nothing = torch.zeros(len(names))
    referee = Referee(network, nothing, nothing.bool(), has_pairs, device)
    seen = {}
    for split in ("val", "test"):
        ids = data.split(split)
        pixels = small_pixels(data, ids, network.config.input_px)
        seen[split] = (*referee.look(to_images(pixels)), data.attributes(ids), data.identities(ids))
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


def judge_attributes(
    val_logits: Float[Tensor, "n k"],
    val_truth: Bool[Tensor, "n k"],
    test_logits: Float[Tensor, "m k"],
    test_truth: Bool[Tensor, "m k"],
) -> list[dict[str, Any]]:
    """For each attribute its threshold, its quality on both splits, and whether it is reliable."""
    columns = zip(val_logits.T, val_truth.T, test_logits.T, test_truth.T, strict=True)
    return [_judge_attribute(*column) for column in columns]


def _judge_attribute(
    val_logits: Float[Tensor, " n"],
    val_truth: Bool[Tensor, " n"],
    test_logits: Float[Tensor, " m"],
    test_truth: Bool[Tensor, " m"],
) -> dict[str, Any]:
    threshold = best_threshold(val_logits, val_truth) or 0.0
    on_val = balanced_accuracy(val_logits > threshold, val_truth)
    positives = int(val_truth.sum())
    has_cases = RELIABLE_CASES <= positives <= len(val_truth) - RELIABLE_CASES
    return {
        "threshold": threshold,
        "is_reliable": has_cases and on_val is not None and on_val >= RELIABLE_FROM,
        "val_positives": positives,
        "val_balanced_accuracy": on_val,
        "test_positives": int(test_truth.sum()),
        "test_balanced_accuracy": balanced_accuracy(test_logits > threshold, test_truth),
        "test_auroc": auroc(test_logits, test_truth),
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
        "A small residual network with two heads: attribute logits and an identity embedding. It judges\n"
        "the results of the platform and is used in no training loss. `referee.safetensors`.\n\n"
        f"- Data: {training['data']}; photographs: {config['num_photographs']}.\n"
        f"- Licence: {training['licence']}.\n"
        f"- Reliable attributes (balanced accuracy of {RELIABLE_FROM} or more on the val split, with at\n"
        f"  least {RELIABLE_CASES} cases of each answer): {len(config['reliable'])} of "
        f"{len(config['attributes'])}.\n"
        f"- {verification}\n\n"
        "| attribute | balanced accuracy (test) | AUROC (test) | positives (test) | reliable |\n"
        "|---|---|---|---|---|\n"
        f"{rows}\n\n"
        "Thresholds are chosen on the val split and kept in `config.json`. On faces that are not\n"
        "photographs its accuracy is unknown. Made by the stage `train_referee`.\n"
    )


def _show(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
