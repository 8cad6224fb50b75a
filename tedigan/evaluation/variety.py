"""Measurements of several faces of one caption: how different they are."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from tedigan.evaluation.contestants import Subjects
from tedigan.evaluation.metric import Instruments, Metric, distances, interval_of


def measure_diversity(subjects: Subjects, tools: Instruments) -> list[Metric]:
    """How different the faces of one caption are, beside different photographs and faces of no caption."""
    captions, faces = subjects.variants.shape[:2]
    first, second = torch.triu_indices(faces, faces, offset=1)
    ours = distances(
        subjects.variants[:, first].flatten(0, 1), subjects.variants[:, second].flatten(0, 1), tools
    ).unflatten(0, (captions, len(first)))
    photographs, unconditional = (
        _mean_distance(pixels[: captions * len(first)], tools)
        for pixels in (subjects.photographs, subjects.unconditional)
    )
    values = ours.mean(dim=1).double()
    how = f"Mean perceptual distance between {faces} faces of one caption, over {captions} captions"
    label = f"[{tools.distance.name}]"
    shares = values / unconditional
    return [
        Metric(
            f"diversity{label}",
            float(values.mean()),
            captions,
            "up",
            f"{how}. Floor: 0, every caption has one face; ceiling: pairs of test photographs.",
            0.0,
            photographs,
            interval_of(values, tools, "diversity"),
        ),
        Metric(
            f"variety{label}",
            float(shares.mean()),
            captions,
            "up",
            f"{how}, as a share of that between unconditional faces at equal psi. Floor: every caption has one "
            "face.",
            0.0,
            1.0,
            interval_of(shares, tools, "variety"),
        ),
    ]


def _mean_distance(pixels: UInt8[Tensor, "n 3 r r"], tools: Instruments) -> float:
    """Of each picture to the next."""
    return float(distances(pixels, pixels.roll(1, dims=0), tools).double().mean())
