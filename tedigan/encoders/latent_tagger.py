"""Reads attributes off a code, without drawing its face: what steering a code by attributes differentiates.

An MLP on whitened codes, taught what a tagger says of the drawn faces. LACE (arXiv:2110.10873) trains such a
classifier on w; this one reads W+, so that codes of photographs and style-mixed ones are read as well.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.errors import WeightsError
from tedigan.generator.whitening import Whitening


@dataclass(frozen=True)
class LatentTaggerConfig:
    """What makes a latent tagger. num_axes: of the whitened W. num_members: networks of different starts."""

    num_ws: int
    w_dim: int
    num_axes: int
    hidden_dim: int
    num_members: int
    attribute_names: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The structural fields of its folder's config.json."""
        return {"architecture": "latent_tagger", **asdict(self)}

    @classmethod
    def from_json(cls, config: dict[str, Any]) -> "LatentTaggerConfig":
        """The inverse of `to_json`; another model's config is a WeightsError."""
        names = list(cls.__dataclass_fields__)
        if config.get("architecture") != "latent_tagger" or any(one not in config for one in names):
            raise WeightsError(
                f"this config.json is of {str(config.get('architecture'))[:40]!r}, expected a latent tagger's "
                f"with {', '.join(names)}. Name the folder that the stage train_latent_tagger wrote."
            )
        sizes = {name: int(config[name]) for name in names if name != "attribute_names"}
        return cls(**sizes, attribute_names=tuple(config["attribute_names"]))


class LatentTagger(nn.Module):
    """ws -> margins: by how much each attribute's logit lies beyond the guide's threshold.

    A margin above 0 means that the guide sees the attribute; its unit is the deviation of that logit over the
    generator's faces, `deviation` `[k]`. correlation: of the guide's logits over those faces, `[k, k]`.
    """

    deviation: Tensor
    correlation: Tensor

    def __init__(self, config: LatentTaggerConfig) -> None:
        super().__init__()
        self.config = config
        self.whitening = Whitening(config.w_dim, config.num_axes)
        self.members = nn.ModuleList(_Member(config) for _ in range(config.num_members))
        num_attributes = len(config.attribute_names)
        self.register_buffer("deviation", torch.ones(num_attributes))
        self.register_buffer("correlation", torch.eye(num_attributes, device="cpu"))

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes, in the order of the margins."""
        return self.config.attribute_names

    def forward(self, ws: Float[Tensor, "n num_ws w_dim"]) -> Float[Tensor, "n k"]:
        """The members' mean margins of W+ codes."""
        return self.margins(self.whitening.whiten(ws))

    def margins(
        self, us: Float[Tensor, "n num_ws num_axes"], *, member: int | None = None
    ) -> Float[Tensor, "n k"]:
        """Margins of whitened codes: by one member, or all members' mean."""
        if member is not None:
            found: Tensor = self.members[member % len(self.members)](us)
            return found
        return torch.stack([one(us) for one in self.members]).mean(dim=0)

    @torch.no_grad()
    def start_at(self, mean: Float[Tensor, " k"]) -> None:
        """Answer this margin to every code, as a training begins."""
        for name, value in self.members.named_parameters():
            if name.endswith(".out.bias"):
                value.copy_(mean)


class _Member(nn.Module):
    """A linear reading, and a residual MLP that corrects it."""

    def __init__(self, config: LatentTaggerConfig) -> None:
        super().__init__()
        inputs, hidden = config.num_ws * config.num_axes, config.hidden_dim
        num_attributes = len(config.attribute_names)
        self.linear = nn.Linear(inputs, num_attributes)
        self.into = nn.Linear(inputs, hidden)
        self.layers = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(2))
        self.out = nn.Linear(hidden, num_attributes)
        nn.init.zeros_(self.linear.weight)
        with torch.no_grad():
            self.out.weight.mul_(0.1)

    def forward(self, us: Float[Tensor, "n num_ws num_axes"]) -> Float[Tensor, "n k"]:
        x = us.flatten(1)
        hidden = F.leaky_relu(self.into(x), 0.2)
        for layer in self.layers:
            hidden = hidden + F.leaky_relu(layer(hidden), 0.2)
        margins: Tensor = self.linear(x) + self.out(hidden)
        return margins
