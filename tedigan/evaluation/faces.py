"""Measurements of faces made from captions: text fidelity, distance to photographs, diversity."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tedigan.evaluation.contestants import Subjects
from tedigan.evaluation.distances import frechet_distance, kernel_distance
from tedigan.evaluation.metric import Instruments, Metric, distances, interval_of
from tedigan.evaluation.text_fidelity import (
    Mentions,
    fidelity_interval,
    fidelity_per_attribute,
    macro_fidelity,
    normalised,
    text_fidelity,
    unmentioned_share,
)
from tedigan.tensors import stream, to_images


def measure_fidelity(
    subjects: Subjects, tools: Instruments, num_prompts: int
) -> tuple[list[Metric], list[dict[str, Any]]]:
    """Text fidelity with its floor and ceiling; and the same for each attribute."""
    captions = subjects.captions[:num_prompts]
    mentions = Mentions.read(
        captions, tools.reader.read, tools.referee.names, tools.referee.is_reliable
    )
    sets = (subjects.texts, subjects.unconditional, subjects.photographs)
    found = [tools.referee.find(to_images(pixels[: len(captions)])) for pixels in sets]
    n, tag = len(captions), f"[referee,n={len(captions)}]"
    how = (
        f"One caption a test photograph, one face a caption; share of the mentioned attributes that the "
        f"referee finds, over its {int(tools.referee.is_reliable.sum())} reliable attributes."
    )
    value, floor, ceiling = (text_fidelity(one, mentions) for one in found)
    interval = fidelity_interval(found[0], mentions, stream(tools.seed, "fidelity"))
    macro = [macro_fidelity(one, mentions) for one in found]
    silent = [unmentioned_share(one, mentions, tools.referee.is_reliable) for one in found]
    against = " Floor: unconditional faces; ceiling: the captions' own photographs."
    metrics = [
        Metric(f"text_fidelity{tag}", value, n, "up", how + against, floor, ceiling, interval),
        Metric(
            f"text_fidelity_normalised{tag}",
            normalised(value, floor, ceiling),
            n,
            "up",
            "(text_fidelity - floor) / (ceiling - floor): 0 ignores the text, 1 fits like a photograph.",
            0.0,
            1.0,
        ),
        Metric(
            f"text_fidelity_macro{tag}",
            macro[0],
            n,
            "up",
            "Mean over the mentioned attributes of each one's share, so that rare ones count as much."
            + against,
            macro[1],
            macro[2],
        ),
        Metric(
            f"unmentioned_attributes{tag}",
            silent[0],
            n,
            "near ceiling",
            "Share of the reliable attributes that a caption leaves out and the referee finds all the same; "
            "far above the photographs' means that faces show everything at once." + against,
            silent[1],
            silent[2],
        ),
    ]
    return metrics, _per_attribute(found, mentions, tools.referee.names)


def _per_attribute(
    found: list[Bool[Tensor, "n k"]], mentions: Mentions, names: Sequence[str]
) -> list[dict[str, Any]]:
    columns = [fidelity_per_attribute(one, mentions) for one in found]
    rows = []
    for name, text, floor, ceiling in zip(names, *columns, strict=True):
        shares = {"value": text[1], "floor": floor[1], "ceiling": ceiling[1]}
        rows.append({"attribute": name, "mentions": text[0], **shares})
    return rows


def measure_distances(subjects: Subjects, tools: Instruments, num_images: int) -> list[Metric]:
    """Frechet and kernel distance of text faces and of unconditional faces to the test photographs."""
    sets = (
        subjects.texts,
        subjects.unconditional,
        subjects.photographs,
        subjects.train_photographs,
    )
    n = min(num_images, *map(len, sets))
    texts, unconditional, test, train = (_features(pixels[:n], tools) for pixels in sets)
    how = (
        f"Features of {tools.features.name}, {n} faces against {n} test photographs. Ceiling: {n} train "
        "photographs against the same. Compare at equal n and net only; this is not FID."
    )
    metrics = []
    for kind, distance in (("frechet", frechet_distance), ("kernel", kernel_distance)):
        tag, photographs = f"[{tools.features.name},n={n}]", distance(train, test)
        rows = (
            ("text", texts, distance(unconditional, test)),
            ("unconditional", unconditional, None),
        )
        for whose, faces, floor in rows:
            name = f"{kind}_distance{'_unconditional' if whose == 'unconditional' else ''}{tag}"
            said = how + (" Floor: unconditional faces." if floor is not None else "")
            value = distance(faces, test)
            metrics.append(Metric(name, value, n, "down", said, floor, photographs))
    return metrics


def _features(pixels: Tensor, tools: Instruments) -> Float[Tensor, "n d"]:
    return torch.cat([tools.features(to_images(part)) for part in pixels.split(tools.batch_size)])


def measure_diversity(subjects: Subjects, tools: Instruments) -> list[Metric]:
    """How different the faces of one caption are, beside photographs of different people."""
    captions, faces = subjects.variants.shape[:2]
    first, second = torch.triu_indices(faces, faces, offset=1)
    ours = distances(
        subjects.variants[:, first].flatten(0, 1), subjects.variants[:, second].flatten(0, 1), tools
    ).unflatten(0, (captions, len(first)))
    count = min(captions * len(first), len(subjects.photographs))
    others = distances(
        subjects.photographs[:count], subjects.photographs[:count].roll(1, dims=0), tools
    )
    values = ours.mean(dim=1).double()
    return [
        Metric(
            f"diversity[{tools.distance.name}]",
            float(values.mean()),
            captions,
            "up",
            f"Mean perceptual distance between {faces} faces of one caption, over {captions} captions. Floor: 0, "
            "every caption has one face; ceiling: pairs of test photographs.",
            0.0,
            float(others.double().mean()),
            interval_of(values, tools, "diversity"),
        )
    ]
