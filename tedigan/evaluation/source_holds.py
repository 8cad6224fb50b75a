"""How faces hold on to a photograph, who it is, and to another one's style, the colours of its skin and hair."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from tedigan.annotators.referee import Referee
from tedigan.evaluation.drawn_faces import (
    INVERSION,
    PHOTOGRAPH,
    RANDOM,
    STYLE,
    DrawnFaces,
    next_one,
    ways_of,
)
from tedigan.evaluation.metric import Metric
from tedigan.evaluation.statistics import bootstrap_interval
from tedigan.tensors import stream, to_images
from tedigan.training.drawing_lessons import Draw
from tedigan.vocabulary.labels import LABEL_NAMES

COLOURED = ("skin", "hair")
LEAST_PIXELS = 0.01  # of a picture, that a part must have to have a colour


def who_it_stays(found: DrawnFaces, referee: Referee, *, seed: int) -> list[Metric]:
    """Of each way that a photograph gives to; nothing where the referee knows nobody."""
    ways = [way for way in ways_of([*found.wanted]) if PHOTOGRAPH in way.split("+")]
    if not referee.knows_people:
        return []
    whose = _people(found, PHOTOGRAPH, referee)[:, 0]
    values = {
        who: (_people(found, who, referee) * whose[:, None]).sum(dim=2).mean(dim=1)
        for who in (*ways, INVERSION, RANDOM)
    }
    return _metrics(
        "identity_cosine",
        values,
        "up",
        "Cosine of the referee's embeddings of the photograph and its faces; mean over photographs. Floor: random "
        "faces; ceiling: the encoder's inversions.",
        seed=seed,
    )


def colours_it_keeps(found: DrawnFaces, parse: Draw, *, seed: int) -> list[Metric]:
    """Of each way that a style gives to."""
    ways = [way for way in ways_of([*found.wanted]) if STYLE in way.split("+")]
    wanted = next_one(_colours(found.pixels[PHOTOGRAPH], parse))
    values = {}
    for who in (*ways, RANDOM):
        apart = (_colours(found.pixels[who], parse) - wanted).square().mean(dim=3).sqrt()
        values[who] = apart.nanmean(dim=[1, 2])
    inverted = next_one(_colours(found.pixels[INVERSION], parse)) - wanted
    values[INVERSION] = inverted.square().mean(dim=3).sqrt().nanmean(dim=[1, 2])
    known = ~torch.stack([*values.values()]).isnan().any(dim=0)
    return _metrics(
        "colour_distance",
        {who: each[known] for who, each in values.items()},
        "down",
        "Distance of the mean colours of skin and hair, as a parser sees them, from those of the photograph whose "
        "style was given, in levels of 0..255, root mean square of the channels; mean over both parts. Floor: "
        "random faces; ceiling: the encoder's inversions of the style's photographs.",
        seed=seed,
    )


def _metrics(
    name: str,
    values: Mapping[str, Float[Tensor, " n"]],
    better: str,
    protocol: str,
    *,
    seed: int,
) -> list[Metric]:
    """A metric each of `values`; none where no face could be measured."""
    n, floor, ceiling = len(values[RANDOM]), values[RANDOM].mean(), values[INVERSION].mean()

    def metric(who: str, each: Float[Tensor, " n"]) -> Metric:
        def mean(rows: Int64[Tensor, " m"]) -> float:
            return float(each[rows].mean())

        ci = bootstrap_interval(n, mean, stream(seed, name, who))
        ends = {"floor": float(floor), "ceiling": float(ceiling)}
        return Metric(f"{name}/{who}", float(each.mean()), n, better, protocol, **ends, ci=ci)

    return [metric(who, each) for who, each in values.items()] if n else []


def _people(found: DrawnFaces, who: str, referee: Referee) -> Float[Tensor, "n m d"]:
    faces = found.pixels[who]
    seen = referee.look(to_images(faces.flatten(0, 1)))[1]
    return seen.unflatten(0, faces.shape[:2])


def _colours(faces: UInt8[Tensor, "n m 3 r r"], parse: Draw) -> Float[Tensor, "n m parts 3"]:
    """The mean colour of each part; NaN where there is too little of it."""
    flat = faces.flatten(0, 1)
    labels = parse(flat)
    found = []
    for name in COLOURED:
        is_part = (labels == LABEL_NAMES.index(name))[:, None]
        count = is_part.sum(dim=[2, 3])
        mean = (flat * is_part).sum(dim=[2, 3]).float() / count
        found.append(mean.where(count >= LEAST_PIXELS * labels[0].numel(), torch.nan))
    return torch.stack(found, dim=1).unflatten(0, faces.shape[:2])
