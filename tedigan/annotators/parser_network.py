"""Face parsing: photographs -> label maps of the 19 classes, by a network that the platform trains.

A `Parser` is anything that does so; others are opened by tedigan.annotators.parser. Its maps are predictions,
and are called so wherever they are kept.
"""

from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from tedigan.encoders.unet import UNet
from tedigan.errors import WeightsError
from tedigan.vocabulary.labels import LABEL_NAMES

WEIGHT_RANGE = (0.3, 5.0)  # of a class in the loss; 1 = as frequent as the median class


@runtime_checkable
class Parser(Protocol):
    """Anything that makes label maps. origin: what a data set says of where they come from."""

    @property
    def origin(self) -> str:
        """Such as `predicted by parser 0123456789ab`."""

    def parse(self, images: Float[Tensor, "n 3 h w"]) -> UInt8[Tensor, "n h w"]:
        """Class indices at the images' own size, on the CPU."""


@dataclass(frozen=True)
class ParserConfig:
    """The numbers that make a parser. input_px: the side in which it looks at faces, a multiple of 8."""

    input_px: int
    base_channels: int

    def to_json(self) -> dict[str, Any]:
        """The structural fields of a parser folder's config.json."""
        return {"architecture": "parser", **asdict(self)}

    @classmethod
    def from_json(cls, config: dict[str, Any]) -> "ParserConfig":
        """The inverse of `to_json`; another model's config is a WeightsError."""
        names = list(cls.__dataclass_fields__)
        if config.get("architecture") != "parser" or any(name not in config for name in names):
            raise WeightsError(
                f"this config.json is of {config.get('architecture', 'an unnamed architecture')!r}, "
                f"expected a parser's with {', '.join(names)}. Train one on a data set with label maps."
            )
        return cls(**{name: int(config[name]) for name in names})


class FaceParser(UNet):
    """images `[n, 3, h, w]` -> logits of each class `[n, 19, h, w]`."""

    def __init__(self, config: ParserConfig) -> None:
        super().__init__(config.input_px, config.base_channels, len(LABEL_NAMES))
        self.config = config


def class_weights(labels: UInt8[Tensor, "n h w"]) -> Float[Tensor, " 19"]:
    """sqrt(median share / share) of each class within WEIGHT_RANGE, so that earrings count beside skin.

    A class that the maps never show has weight 0: it is not taught.
    """
    counts = torch.bincount(labels.flatten().long(), minlength=len(LABEL_NAMES)).float()
    weights = (counts[counts > 0].median() / counts.clamp(min=1)).sqrt().clamp(*WEIGHT_RANGE)
    return torch.where(counts > 0, weights, 0.0)


def parsing_loss(
    logits: Float[Tensor, "n 19 h w"],
    labels: UInt8[Tensor, "n h w"],
    weights: Float[Tensor, " 19"],
) -> Float[Tensor, ""]:
    """Cross-entropy of each pixel, weighted by its class."""
    return F.cross_entropy(logits, labels.long(), weights)


def confusion(
    found: UInt8[Tensor, "n h w"], truth: UInt8[Tensor, "n h w"]
) -> Int64[Tensor, "19 19"]:
    """Pixels of each true class (rows) that were found as each class (columns); sums over batches."""
    num = len(LABEL_NAMES)
    pairs = truth.flatten().long() * num + found.flatten().long()
    return torch.bincount(pairs, minlength=num**2).reshape(num, num)


def intersection_over_union(counts: Int64[Tensor, "19 19"]) -> dict[str, float | None]:
    """Of each class: pixels found rightly / pixels that are or were called the class. None where it never is."""
    right = counts.diagonal().double()
    either = counts.sum(0) + counts.sum(1) - counts.diagonal()
    return {
        name: float(right[index] / either[index]) if int(counts[index].sum()) else None
        for index, name in enumerate(LABEL_NAMES)
    }
