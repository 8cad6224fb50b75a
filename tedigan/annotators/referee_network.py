"""The referee: what it finds in a face, and how alike two people are, from what a frozen trunk sees.

It judges what the other networks make, so none of their losses may use it. `features` are the trunk's
(tedigan.annotators.trunk). `logits` are one per attribute, in the order of `attribute_names`; an `embedding` is a
unit vector, and two embeddings' cosine says how alike two people are.

It does not look at the mirrored picture as well, which would make it surer: its agreement with itself on one says
how far its answers can be trusted (tedigan.evaluation.edits).
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from tedigan.annotators.trunk import NUM_FEATURES
from tedigan.errors import WeightsError

DROPOUT_FEATURES, DROPOUT_HIDDEN = 0.3, 0.5


@dataclass(frozen=True)
class RefereeConfig:
    """The numbers that make a referee.

    resolution: of its photographs, px. attribute_names: what it was taught.
    """

    resolution: int
    hidden_dim: int
    embedding_dim: int
    attribute_names: tuple[str, ...]

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


class RefereeNetwork(nn.Module):
    """features `[n, d]` -> (attribute logits `[n, k]`, embeddings `[n, embedding_dim]`)."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: RefereeConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(NUM_FEATURES))
        self.register_buffer("std", torch.ones(NUM_FEATURES))
        self.hidden = nn.Linear(NUM_FEATURES, config.hidden_dim)
        self.attributes = nn.Linear(config.hidden_dim, len(config.attribute_names))
        self.identity = nn.Linear(NUM_FEATURES, config.embedding_dim, bias=False)

    def standardise_as(self, features: Float[Tensor, "n d"]) -> None:
        """Count features in the deviations of these."""
        self.mean.copy_(features.mean(dim=0))
        self.std.copy_(features.std(dim=0, correction=0) + 1e-3)

    def forward(
        self, features: Float[Tensor, "n d"]
    ) -> tuple[Float[Tensor, "n k"], Float[Tensor, "n embedding_dim"]]:
        """Logits > threshold mean that the attribute is there; embeddings have length 1."""
        x = (features - self.mean) / self.std
        x = F.dropout(x, DROPOUT_FEATURES, self.training)
        hidden = F.dropout(F.silu(self.hidden(x)), DROPOUT_HIDDEN, self.training)
        return self.attributes(hidden), F.normalize(self.identity(x), dim=1)


class IdentitySoftmax(nn.Module):
    """Normalised softmax over the training identities: logits are scaled cosines (NormFace, arXiv:1704.06369).

    Needed in training only; its prototypes are thrown away afterwards.
    """

    scale = 16.0

    def __init__(self, num_identities: int, embedding_dim: int) -> None:
        super().__init__()
        self.prototypes = nn.Parameter(torch.randn(num_identities, embedding_dim))

    def forward(
        self,
        embeddings: Float[Tensor, "n embedding_dim"],
        classes: Int64[Tensor, " n"],
        num_known: Float[Tensor, ""] | None = None,
    ) -> Float[Tensor, ""]:
        """Mean cross-entropy over the images whose class is known; class -1 = not known. 0 if none is.

        num_known: how many to count with, where these are a part of a batch; None = those that are known here.
        """
        is_known = classes >= 0
        logits = self.scale * embeddings @ F.normalize(self.prototypes, dim=1).T
        if not bool(is_known.any()):
            return logits.sum() * 0
        if num_known is None:
            return F.cross_entropy(logits[is_known], classes[is_known])
        return F.cross_entropy(logits[is_known], classes[is_known], reduction="sum") / num_known


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
