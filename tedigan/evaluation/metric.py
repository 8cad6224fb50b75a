"""A metric with its floor, ceiling and protocol, and the instruments that measure.

A metric's name carries the network that measured it, and the number of images where the value depends on it.
"""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.annotators.referee import Referee
from tedigan.captions.reader import Reader
from tedigan.errors import NumbersError
from tedigan.evaluation.feature_nets import FeatureNet
from tedigan.evaluation.perceptual_distance import PerceptualDistance
from tedigan.evaluation.statistics import bootstrap_interval
from tedigan.tensors import stream, to_images


@dataclass(frozen=True)
class Metric:
    """floor: what knowing nothing scores. ceiling: what the photographs themselves score. better: up or down.

    protocol: how it was measured, in one sentence. A value that could not be measured, or that cannot tell
    (`or_null`), is None; NaN and infinity are a NumbersError.
    """

    name: str
    value: float | None
    n: int
    better: str
    protocol: str
    floor: float | None = None
    ceiling: float | None = None
    ci: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        numbers = (self.value, self.floor, self.ceiling, *(self.ci or ()))
        if broken := [one for one in numbers if one is not None and not math.isfinite(one)]:
            raise NumbersError(
                f"{self.name}: value, floor, ceiling or interval is {broken[0]}, expected a number; what was "
                f"measured holds none, or {self.n} are too few. Look at the pictures of that stage, and train "
                "again what drew black ones."
            )

    def to_json(self) -> dict[str, Any]:
        """One flat mapping; the interval as two numbers; six digits, which outlast any hardware."""
        content = asdict(self)
        del content["name"], content["ci"]
        content["ci_low"], content["ci_high"] = self.ci or (None, None)
        return {key: _digits(value) for key, value in content.items()}


@dataclass(frozen=True)
class Instruments:
    """What measures. seed: of the bootstrap. batch_size: images at a time through a network."""

    referee: Referee
    reader: Reader
    features: FeatureNet
    distance: PerceptualDistance
    seed: int
    batch_size: int


def or_null(metric: Metric) -> Metric:
    """The metric, or None in place of a value that cannot tell good from bad, its protocol saying why.

    Of one that is to rise: its whole interval lies above the ceiling, so that what measures it is fooled; or the
    floor comes as near to the ceiling as half of the interval is wide, so that the measure does not part what
    knows nothing from photographs. Of one that is to fall: the other way round.
    """
    value, floor, ceiling = metric.value, metric.floor, metric.ceiling
    if value is None or ceiling is None or metric.better not in _SIGNS:
        return metric
    sign = _SIGNS[metric.better]
    low, high = metric.ci or (value, value)
    if min(sign * low, sign * high) - sign * ceiling > ROUNDING:
        return _untold(metric, f"it passes its ceiling {ceiling:.3g}")
    if floor is not None and sign * (ceiling - floor) <= max((high - low) / 2, ROUNDING):
        return _untold(metric, f"its floor {floor:.3g} reaches its ceiling {ceiling:.3g}")
    return metric


_SIGNS = {"up": 1, "down": -1}
ROUNDING = 1e-9


def _untold(metric: Metric, why: str) -> Metric:
    said = f"{metric.protocol} Not told (found: {metric.value:.3g}): {why}."
    return replace(metric, value=None, ci=None, protocol=said)


def who_is(pixels: Tensor, tools: Instruments) -> Float[Tensor, "n d"]:
    """The referee's embeddings."""
    return tools.referee.look(to_images(pixels), batch_size=tools.batch_size)[1]


def distances(pixels: Tensor, others: Tensor, tools: Instruments) -> Float[Tensor, " n"]:
    """Perceptual distance of each pair, a batch at a time."""
    pairs = zip(pixels.split(tools.batch_size), others.split(tools.batch_size), strict=True)
    return torch.cat([tools.distance(to_images(a), to_images(b)).cpu() for a, b in pairs])


def interval_of(values: Tensor, tools: Instruments, key: str) -> tuple[float, float] | None:
    """95 % bootstrap interval of the mean."""
    return bootstrap_interval(
        len(values), lambda rows: float(values[rows].mean()), stream(tools.seed, key)
    )


def _digits(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value
