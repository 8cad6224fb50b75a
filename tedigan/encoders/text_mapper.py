"""The text mapper: a sentence -> what it wishes of a face, and a code with a wish -> its shift, in one pass.

Its reader sees the states of all tokens, as their mean, which embeds a sentence, loses what is denied. Its mover
is taught by the search of `method.steering`.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from tedigan.errors import WeightsError

NEIGHBOURS = (-2, -1, 1, 2)  # tokens away: "no", "without", "off"
SILENCE = -4.0  # logit of a token that says nothing, as a training begins
DROPOUT = 0.1


@dataclass(frozen=True)
class TextReaderConfig:
    """What makes a reader. backbone, num_backbone_layers: whose states of tokens it reads, after so many layers.

    threshold: of the probability that a sentence says so.
    """

    backbone: str
    num_backbone_layers: int
    embedding_dim: int
    hidden_dim: int
    threshold: float
    attribute_names: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """What a folder's config.json says of it."""
        return asdict(self)

    @classmethod
    def from_json(cls, config: dict[str, Any]) -> "TextReaderConfig":
        """The inverse of `to_json`; another model's config is a WeightsError."""
        return cls(**_checked(config, list(cls.__dataclass_fields__), "text reader"))


class TextReader(nn.Module):
    """States of tokens -> for each attribute, whether the sentence wants it and whether it denies it.

    Two answers and not one of three: a sentence may say both. A token speaks with its neighbours, and a sentence
    says what any of its tokens says.
    """

    def __init__(self, config: TextReaderConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.hidden_dim
        self.into = nn.Linear(config.embedding_dim, dim)
        self.near = nn.ModuleList(nn.Linear(dim, dim, bias=False) for _ in NEIGHBOURS)
        self.out = nn.Linear(dim, 2 * len(config.attribute_names))
        nn.init.constant_(self.out.bias, SILENCE)

    def forward(
        self, states: Float[Tensor, "m dim"], lengths: Int64[Tensor, " n"]
    ) -> Float[Tensor, "n 2 k"]:
        """Logits that it is wanted, and that it is denied. states: of n sentences' tokens, one after the other."""
        owner = torch.arange(len(lengths), device=states.device).repeat_interleave(lengths)
        hidden = self._dropped(F.layer_norm(states, states.shape[1:]))
        hidden = F.gelu(self.into(hidden))
        near = [
            layer(_beside(hidden, owner, step))
            for step, layer in zip(NEIGHBOURS, self.near, strict=True)
        ]
        hidden = self._dropped(hidden + F.gelu(torch.stack(near).sum(dim=0)))
        return _any_of(self.out(hidden), owner, len(lengths)).unflatten(1, (2, -1))

    @torch.no_grad()
    def says(
        self, states: Float[Tensor, "m dim"], lengths: Int64[Tensor, " n"]
    ) -> Bool[Tensor, "n 2 k"]:
        """Whether each attribute is wanted, and whether it is denied."""
        return self(states, lengths).sigmoid() > self.config.threshold

    def _dropped(self, x: Tensor) -> Tensor:
        return F.dropout(x, DROPOUT, training=self.training)


def _beside(
    rows: Float[Tensor, "m dim"], owner: Int64[Tensor, " m"], step: int
) -> Float[Tensor, "m dim"]:
    """Each row's neighbour `step` rows further in the same sentence, or 0."""
    places = torch.arange(len(rows), device=rows.device) + step
    nearest = places.clamp(0, len(rows) - 1)
    is_there = (places == nearest) & (owner[nearest] == owner)
    return rows[nearest] * is_there[:, None]


def _any_of(
    logits: Float[Tensor, "m k"], owner: Int64[Tensor, " m"], count: int
) -> Float[Tensor, "n k"]:
    """log sum exp over each sentence's rows."""
    index = owner[:, None].expand_as(logits)
    most = logits.new_full((count, logits.shape[1]), -torch.inf)
    most = most.scatter_reduce(0, index, logits.detach(), "amax")
    total = torch.zeros_like(most).index_add(0, owner, (logits - most[owner]).exp())
    return most + total.log()


@dataclass(frozen=True)
class MoverConfig:
    """What makes a mover. num_axes: of the whitened W. Attributes: the latent tagger's, in its order."""

    num_ws: int
    num_axes: int
    hidden_dim: int
    attribute_names: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """What a folder's config.json says of it."""
        return asdict(self)

    @classmethod
    def from_json(cls, config: dict[str, Any]) -> "MoverConfig":
        """The inverse of `to_json`; another model's config is a WeightsError."""
        return cls(**_checked(config, list(cls.__dataclass_fields__), "mover"))


class Mover(nn.Module):
    """A whitened code and where its margins are to go -> one shift for its layers, in one pass."""

    def __init__(self, config: MoverConfig) -> None:
        super().__init__()
        self.config = config
        k, dim = len(config.attribute_names), config.hidden_dim
        inputs = config.num_ws * (config.num_axes + 1) + 3 * k
        self.straight = nn.Linear(k, config.num_axes, bias=False)
        self.into = nn.Linear(inputs, dim)
        self.layers = nn.ModuleList(nn.Linear(dim, dim) for _ in range(2))
        self.out = nn.Linear(dim, config.num_axes)
        nn.init.zeros_(self.straight.weight)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(
        self,
        us: Float[Tensor, "n num_ws num_axes"],
        present: Float[Tensor, "n k"],
        goal: Float[Tensor, "n k"],
        named: Float[Tensor, "n k"],
        layers: Float[Tensor, "n num_ws 1"],
    ) -> Float[Tensor, "n 1 num_axes"]:
        """named: 1 where the goal is one, 0 where the margin shall stay. layers: 1 on those that will move."""
        missing = named * (goal - present)
        x = torch.cat([us.flatten(1), layers.flatten(1), present, named, missing], dim=1)
        hidden = F.leaky_relu(self.into(x), 0.2)
        for layer in self.layers:
            hidden = hidden + F.leaky_relu(layer(hidden), 0.2)
        shift: Tensor = self.straight(missing) + self.out(hidden)
        return shift[:, None]


def _checked(config: dict[str, Any], names: list[str], what: str) -> dict[str, Any]:
    if missing := [name for name in names if name not in config]:
        raise WeightsError(
            f"a config.json does not say {', '.join(missing)}, expected as in a {what}'s. Name a folder that the "
            "stage train_text_mapper wrote."
        )
    values = {name: config[name] for name in names}
    return values | {"attribute_names": tuple(config["attribute_names"])}
