"""Measurements of inverted photographs: how near they come, and whether the person stays the same."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tedigan.evaluation.contestants import Subjects
from tedigan.evaluation.metric import Instruments, Metric, distances, interval_of, who_is
from tedigan.tensors import to_images

_Measure = Callable[[Tensor], Tensor]


def measure_reconstruction(subjects: Subjects, tools: Instruments) -> list[Metric]:
    """How near the encoder's inversions are to their photographs. Floor: the mean face for each."""
    photographs, n = subjects.photographs, len(subjects.photographs)
    mean_face = subjects.mean_face.expand_as(photographs)
    how = f"Encoder inversions (no optimisation) of {n} test photographs. Floor: the mean face for each."

    def metric(name: str, better: str, what: str, ceiling: float, measure: _Measure) -> Metric:
        ours, floor = measure(subjects.inversions), measure(mean_face)
        value, interval = float(ours.double().mean()), interval_of(ours.double(), tools, name)
        said = f"{what} {how}"
        return Metric(name, value, n, better, said, float(floor.double().mean()), ceiling, interval)

    def squared_error(pixels: Tensor) -> Tensor:
        difference = to_images(pixels) - to_images(photographs)
        return difference.square().mean(dim=[1, 2, 3])

    def psnr(pixels: Tensor) -> Tensor:
        return 10 * torch.log10(4 / squared_error(pixels).clamp(min=1e-10))

    metrics = [
        metric(
            "reconstruction_pixel_mse",
            "down",
            "Mean squared error, range -1..1.",
            0.0,
            squared_error,
        ),
        Metric(
            "reconstruction_psnr_db",
            float(psnr(subjects.inversions).double().mean()),
            n,
            "up",
            f"Peak signal-to-noise ratio, mean over photographs. {how}",
            float(psnr(mean_face).double().mean()),
        ),
        metric(
            f"reconstruction_perceptual_distance[{tools.distance.name}]",
            "down",
            "Perceptual distance.",
            0.0,
            lambda pixels: distances(pixels, photographs, tools),
        ),
    ]
    if tools.referee.knows_people:
        who = who_is(photographs, tools)
        metrics.append(
            metric(
                "reconstruction_identity_cosine[referee]",
                "up",
                "Cosine of the referee's embeddings of photograph and inversion.",
                1.0,
                lambda pixels: (who_is(pixels, tools) * who).sum(dim=1),
            )
        )
    return metrics


def measure_identity(
    subjects: Subjects, tools: Instruments, people: dict[str, Any] | None
) -> list[Metric]:
    """Is an inversion taken for the same person? Absent (None) where the referee knows nobody."""
    name, n = "identity_kept[referee]", len(subjects.photographs)
    how = (
        f"Share of {n} inversions that the referee takes for the photograph's person at its threshold. Floor: "
        "photographs of other people; ceiling: other photographs of the same person."
    )
    if people is None or not tools.referee.knows_people:
        absent = "Not measured: the data set shows nobody twice, so nothing could learn who is who."
        return [Metric(name, None, 0, "up", absent)]
    who, other = who_is(subjects.photographs, tools), who_is(subjects.inversions, tools)
    threshold = people["threshold"]
    kept = ((who * other).sum(dim=1) > threshold).double()
    strangers = _strangers(who, subjects, threshold)
    ceiling, auroc = people["test_same_accepted"], people["test_auroc"]
    pairs = (
        f"{people['test_same_pairs']} pairs of one person and {people['test_other_pairs']} of two"
    )
    return [
        Metric(
            name,
            float(kept.mean()),
            n,
            "up",
            how,
            strangers,
            ceiling,
            interval_of(kept, tools, name),
        ),
        Metric(
            "identity_verification_auroc[referee]",
            auroc,
            people["test_same_pairs"],
            "up",
            f"How well the referee itself tells people apart on test photographs: {pairs}. Floor: guessing.",
            0.5,
            1.0,
        ),
    ]


def _strangers(who: Tensor, subjects: Subjects, threshold: float) -> float | None:
    """Share of photographs that the referee takes for the same person as another person's."""
    is_other = subjects.identities != subjects.identities.roll(1)
    cosines = (who * who.roll(1, dims=0)).sum(dim=1)[is_other]
    return float((cosines > threshold).double().mean()) if len(cosines) else None
