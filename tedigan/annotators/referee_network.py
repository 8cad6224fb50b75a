"""The referee: a small network that names the attributes of a face and tells people apart.

It judges what the other networks make, so none of their losses may use it. `logits` are one per attribute, in
the order of `attribute_names`; an `embedding` is a unit vector, and two embeddings' cosine says how alike two
people are.
"""

import itertools
import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from tedigan.errors import WeightsError

MAX_INPUT_PX, LAST_PX = 128, 4
CHANNELS_MAX_FACTOR = 8  # the widest block has base_channels * 8 channels


@dataclass(frozen=True)
class RefereeConfig:
    """The numbers that make a referee.

    resolution: of its photographs, px; it looks at them in `input_px`. attribute_names: what it was taught.
    """

    resolution: int
    base_channels: int
    embedding_dim: int
    attribute_names: tuple[str, ...]

    @property
    def input_px(self) -> int:
        """What the network sees: the photograph's size, 128 px at most."""
        return min(self.resolution, MAX_INPUT_PX)

    def to_json(self) -> dict[str, Any]:
        """The structural fields of a referee folder's config.json."""
        return {"architecture": "referee", **asdict(self)}

    @classmethod
    def from_json(cls, config: dict[str, Any]) -> "RefereeConfig":
        """The inverse of `to_json`; another model's config is a WeightsError."""
        names = list(cls.__dataclass_fields__)
        if config.get("architecture") != "referee" or any(name not in config for name in names):
            raise WeightsError(
                f"this config.json is of {config.get('architecture', 'an unnamed architecture')!r}, "
                f"expected a referee's with {', '.join(names)}. Run the stage train_referee."
            )
        sizes = {name: int(config[name]) for name in names if name != "attribute_names"}
        return cls(**sizes, attribute_names=tuple(config["attribute_names"]))


class ResidualBlock(nn.Module):
    """Two normalised 3x3 convolutions beside a shortcut; halves the size."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1, bias=False)
        self.norm0 = nn.GroupNorm(_groups(out_channels), out_channels)
        self.conv1 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm1 = nn.GroupNorm(_groups(out_channels), out_channels)
        self.skip = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c2 h2 w2"]:
        """Features of half the size."""
        shortcut = self.skip(F.avg_pool2d(x, 2))
        x = F.relu(self.norm0(self.conv0(x)))
        return F.relu(self.norm1(self.conv1(x)) + shortcut)


class RefereeNetwork(nn.Module):
    """images `[n, 3, r, r]` of any size -> (attribute logits `[n, k]`, embeddings `[n, embedding_dim]`)."""

    def __init__(self, config: RefereeConfig) -> None:
        super().__init__()
        self.config = config
        base = config.base_channels
        num_blocks = max(1, int(math.log2(config.input_px // LAST_PX)) - 1)
        widths = [min(base * 2**i, base * CHANNELS_MAX_FACTOR) for i in range(num_blocks + 1)]
        self.stem = nn.Conv2d(3, base, 4, stride=2, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(a, b) for a, b in itertools.pairwise(widths)))
        features = widths[-1] * LAST_PX**2
        self.attributes = nn.Linear(features, len(config.attribute_names))
        self.identity = nn.Linear(features, config.embedding_dim, bias=False)

    def forward(
        self, images: Float[Tensor, "n 3 h w"]
    ) -> tuple[Float[Tensor, "n k"], Float[Tensor, "n embedding_dim"]]:
        """Logits > threshold mean that the attribute is there; embeddings have length 1."""
        x = F.relu(self.stem(resize(images, self.config.input_px)))
        features = F.adaptive_avg_pool2d(self.blocks(x), LAST_PX).flatten(1)
        return self.attributes(features), F.normalize(self.identity(features), dim=1)


class IdentitySoftmax(nn.Module):
    """Normalised softmax over the training identities: logits are scaled cosines (NormFace, arXiv:1704.06369).

    Needed in training only; its prototypes are thrown away afterwards.
    """

    scale = 16.0

    def __init__(self, num_identities: int, embedding_dim: int) -> None:
        super().__init__()
        self.prototypes = nn.Parameter(torch.randn(num_identities, embedding_dim))

    def forward(
        self, embeddings: Float[Tensor, "n embedding_dim"], classes: Int64[Tensor, " n"]
    ) -> Float[Tensor, ""]:
        """Mean cross-entropy over the images whose class is known; class -1 = not known. 0 if none is."""
        is_known = classes >= 0
        logits = self.scale * embeddings @ F.normalize(self.prototypes, dim=1).T
        if not bool(is_known.any()):
            return logits.sum() * 0
        return F.cross_entropy(logits[is_known], classes[is_known])


def attribute_loss(
    logits: Float[Tensor, "n k"],
    attributes: Bool[Tensor, "n k"],
    positive_weights: Float[Tensor, " k"],
    is_taught: Bool[Tensor, " k"],
) -> Float[Tensor, ""]:
    """Binary cross-entropy over the attributes that can be learnt.

    positive_weights: factor of the positive term, more than 1 for rare attributes.
    is_taught: False where the training split shows an attribute always or never.
    """
    loss = F.binary_cross_entropy_with_logits(
        logits, attributes.to(logits.dtype), pos_weight=positive_weights, reduction="none"
    ).mean(dim=0)
    return (loss * is_taught).sum() / is_taught.sum().clamp(min=1)


def augment(
    images: Float[Tensor, "n 3 h w"], generator: torch.Generator
) -> Float[Tensor, "n 3 h w"]:
    """Mirror, shift (1/16), scale (8 %), brightness and contrast (10 %), drawn for each image on the CPU."""
    n = len(images)
    dice = torch.rand(n, 6, generator=generator).mul(2).sub(1).to(images.device)
    scale = 1 + 0.08 * dice[:, 0]
    theta = torch.zeros(n, 2, 3, device=images.device)
    theta[:, 0, 0] = torch.where(dice[:, 1] > 0, scale, -scale)
    theta[:, 1, 1] = scale
    theta[:, :, 2] = dice[:, 2:4] / 8  # of the half size: 1/16 of the width
    where = F.affine_grid(theta, list(images.shape), align_corners=False)
    moved = F.grid_sample(images, where, padding_mode="reflection", align_corners=False)
    contrast, brightness = 1 + 0.1 * dice[:, 4], 0.1 * dice[:, 5]
    return moved * contrast[:, None, None, None] + brightness[:, None, None, None]


def resize(images: Float[Tensor, "n 3 h w"], size_px: int) -> Float[Tensor, "n 3 s s"]:
    """Bilinear with anti-aliasing to a square; an image of that size is returned as it is."""
    if images.shape[-2:] == (size_px, size_px):
        return images
    return F.interpolate(
        images, (size_px, size_px), mode="bilinear", antialias=True, align_corners=False
    )


def _groups(channels: int) -> int:
    """The largest number of groups, 8 at most, that divides the channels."""
    return next(groups for groups in range(min(8, channels), 0, -1) if channels % groups == 0)
