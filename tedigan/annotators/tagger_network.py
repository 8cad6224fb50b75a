"""Tagging: photographs -> the attributes that they seem to show, by a network that the platform trains.

It only proposes: what it says is kept as predicted, with the quality measured on photographs that it was not
trained on. The referee, which judges generated faces, is another network, trained apart; neither uses the other.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from tedigan.annotators.identity_axes import IdentityAxes
from tedigan.errors import WeightsError

NUM_BLOCKS = 4
# An attribute is proposed where val shows so many cases of either answer, and an F1 of this and above the floor.
MIN_CASES, MIN_F1 = 5, 0.5


@dataclass(frozen=True)
class TaggerConfig:
    """What makes a tagger. input_px: the side in which it looks at faces, a multiple of 16.

    attribute_names: what it was taught, in the order of its logits.
    """

    input_px: int
    base_channels: int
    attribute_names: tuple[str, ...]

    @property
    def num_features(self) -> int:
        """Of `FaceTagger.features`."""
        return 2 * self.base_channels * 2 ** (NUM_BLOCKS - 1)

    def to_json(self) -> dict[str, Any]:
        """The structural fields of a tagger folder's config.json."""
        return {"architecture": "tagger", **asdict(self)}

    @classmethod
    def from_json(cls, config: dict[str, Any]) -> "TaggerConfig":
        """The inverse of `to_json`; another model's config is a WeightsError."""
        names = list(cls.__dataclass_fields__)
        if config.get("architecture") != "tagger" or any(name not in config for name in names):
            raise WeightsError(
                f"this config.json is of {config.get('architecture', 'an unnamed architecture')!r}, "
                f"expected a tagger's with {', '.join(names)}. Train one on a data set with attributes."
            )
        return cls(
            int(config["input_px"]), int(config["base_channels"]), tuple(config["attribute_names"])
        )


class FaceTagger(nn.Module):
    """Four blocks of two batch-normalised 3x3 convolutions, pooled by mean and maximum."""

    def __init__(self, config: TaggerConfig) -> None:
        super().__init__()
        self.config = config
        widths = [3, *(config.base_channels * 2**block for block in range(NUM_BLOCKS))]
        self.blocks = nn.Sequential(*(_block(widths[i], widths[i + 1]) for i in range(NUM_BLOCKS)))
        self.head = nn.Linear(config.num_features, len(config.attribute_names))

    def forward(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n k"]:
        """A logit for each attribute."""
        logits: Tensor = self.head(self.features(images))
        return logits

    def features(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]:
        """What the logits are read off, and `IdentityAxes`."""
        side = self.config.input_px
        x = F.interpolate(
            images, (side, side), mode="bilinear", antialias=True, align_corners=False
        )
        x = self.blocks(x).flatten(2)
        return torch.cat([x.mean(2), x.amax(2)], dim=1)


def empty_axes(config: dict[str, Any]) -> IdentityAxes:
    """Those of a tagger folder's config.json that has `identity`, to be filled."""
    return IdentityAxes(
        TaggerConfig.from_json(config).num_features, int(config["identity"]["num_axes"])
    )


@dataclass(frozen=True)
class Calibration:
    """What one attribute's logit means, by the val split.

    threshold: of the logit, the one of the best F1. floor: the F1 of always saying yes.
    is_proposed: whether its answers are worth writing down.
    """

    threshold: float
    f1: float
    precision: float
    recall: float
    floor: float
    positives: int
    is_proposed: bool


def calibrate(logits: Float[Tensor, " n"], truth: Bool[Tensor, " n"]) -> Calibration:
    """Choose one attribute's threshold on photographs of known truth."""
    cases, positives = len(truth), int(truth.sum())
    floor = 2 * positives / (cases + positives)
    if positives in (0, cases):
        return Calibration(0.0, 0.0, 0.0, 0.0, floor, positives, is_proposed=False)
    order = torch.argsort(logits.double(), descending=True, stable=True)
    values, hits = logits.double()[order], truth[order].double().cumsum(0)
    said = torch.arange(1, cases + 1, dtype=torch.float64)
    f1 = 2 * hits / (said + positives)
    f1[:-1][values[1:] == values[:-1]] = 0  # no threshold separates equal logits
    best = int(f1.argmax())
    below = values[best + 1] if best + 1 < cases else values[best] - 1
    return Calibration(
        threshold=float((values[best] + below) / 2),
        f1=float(f1[best]),
        precision=float(hits[best] / said[best]),
        recall=float(hits[best] / positives),
        floor=floor,
        positives=positives,
        is_proposed=MIN_CASES <= positives <= cases - MIN_CASES
        and float(f1[best]) >= max(MIN_F1, floor + 0.01),
    )


def f1_of(said: Bool[Tensor, " n"], truth: Bool[Tensor, " n"]) -> float | None:
    """Of one attribute; None where nobody has it."""
    if not bool(truth.any()):
        return None
    return 2 * int((said & truth).sum()) / (int(said.sum()) + int(truth.sum()))


def settle(
    margins: Float[Tensor, " k"], names: Sequence[str], exclusive: Sequence[Sequence[str]]
) -> Bool[Tensor, " k"]:
    """Which attributes are there: those with a margin above 0; of some that exclude each other, the surest.

    margins: logits above their thresholds, of the attributes `names`. exclusive: groups of which one can be true.
    """
    pairs = zip(names, margins.tolist(), strict=True)
    found = {name: margin for name, margin in pairs if margin > 0}
    for group in exclusive:
        rivals = [name for name in group if name in found]
        for name in sorted(rivals, key=found.__getitem__)[:-1]:
            del found[name]
    return torch.tensor([name in found for name in names])


def _block(in_channels: int, out_channels: int) -> nn.Sequential:
    """Halves the size."""
    parts: list[nn.Module] = []
    for channels in (in_channels, out_channels):
        parts += [
            nn.Conv2d(channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        ]
    return nn.Sequential(*parts, nn.MaxPool2d(2))
