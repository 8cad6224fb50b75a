"""Opens a tagger that the platform trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tedigan.annotators.identity_axes import IdentityAxes
from tedigan.annotators.random_views import random_views
from tedigan.annotators.tagger_network import FaceTagger, TaggerConfig, empty_axes, settle
from tedigan.errors import WeightsError
from tedigan.store.files import sha256_file
from tedigan.store.model_folders import freeze, open_network, read_config

NAME, IDENTITY = "tagger", "identity"
LEARNT = 0.01  # of F1, above the floor


@dataclass(frozen=True)
class Tagger:
    """A tagger with its calibration.

    thresholds: attribute -> of its logit, for those whose answers are worth writing down.
    """

    network: FaceTagger
    thresholds: dict[str, float]
    origin: str
    device: torch.device

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes that it proposes; of the others it says nothing."""
        return tuple(self.thresholds)

    @torch.no_grad()
    def propose(
        self, images: Float[Tensor, "n 3 h w"], *, exclusive: Sequence[Sequence[str]] = ()
    ) -> Bool[Tensor, "n k"]:
        """Which of `names` each face seems to show.

        exclusive: groups of attributes of which one can be true.
        """
        logits = torch.cat([self.network(one.to(self.device)).cpu() for one in images.split(1)])
        taught = self.network.config.attribute_names
        columns = [taught.index(name) for name in self.names]
        margins = logits[:, columns] - torch.tensor(list(self.thresholds.values()))
        return torch.stack([settle(row, self.names, exclusive) for row in margins])


@dataclass(frozen=True)
class Guide:
    """A tagger that a method follows, with all that it learnt better than a constant answer.

    thresholds: of the logits of `names`. identity: tells people apart; None where it was shown nobody twice. Its
    answers steer codes; the referee, which judges, is another network.
    """

    network: FaceTagger
    names: tuple[str, ...]
    thresholds: Float[Tensor, " k"]
    device: torch.device
    identity: IdentityAxes | None = None

    def look(
        self, images: Float[Tensor, "n 3 h w"], views: torch.Generator | None = None
    ) -> Float[Tensor, "n k"]:
        """Logits beyond their thresholds, on the device: above 0 where it sees the attribute. Differentiable.

        views: draws one random view for all images, so that nothing is painted for one grid of pixels.
        """
        return self._margins(self._features(images, views))

    def recognise(
        self, images: Float[Tensor, "n 3 h w"], views: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "n k"], Float[Tensor, "n d"]]:
        """As `look`, and unit vectors of who it is, of the same features; for a guide with `identity`."""
        assert self.identity is not None, "who asks for people looks whether the guide knows any"
        features = self._features(images, views)
        return self._margins(features), self.identity(features)

    def _features(
        self, images: Float[Tensor, "n 3 h w"], views: torch.Generator | None
    ) -> Float[Tensor, "n d"]:
        if views is not None:
            images, _ = random_views(images, None, views, alike=True)
        return self.network.features(images.to(self.device))

    def _margins(self, features: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        taught = self.network.config.attribute_names
        columns = [taught.index(name) for name in self.names]
        logits: Tensor = self.network.head(features)
        return logits[:, columns] - self.thresholds


def load_guide(folder: Path, device: torch.device) -> Guide:
    """The tagger of a model folder as a guide; one that learnt nothing is a WeightsError."""
    config, network = open_tagger(folder, device)
    found: dict[str, dict[str, float]] = config["attributes"]
    names = tuple(
        name
        for name in network.config.attribute_names
        if found[name]["f1"] > found[name]["floor"] + LEARNT
    )
    if not names:
        raise WeightsError(
            f"the tagger in {folder} learnt none of its {len(found)} attributes better than a constant answer. "
            "Train it longer or on more photographs; its README.md shows how good it is."
        )
    thresholds = torch.tensor([found[name]["threshold"] for name in names], device=device)
    return Guide(network, names, thresholds, device, _load_axes(config, folder, device))


def load_tagger(folder: Path, device: torch.device) -> Tagger:
    """The tagger of a model folder; one that proposes nothing is a WeightsError."""
    config, network = open_tagger(folder, device)
    found = {name: config["attributes"][name] for name in network.config.attribute_names}
    thresholds = {name: one["threshold"] for name, one in found.items() if one["is_proposed"]}
    if not thresholds:
        raise WeightsError(
            f"the tagger in {folder} learnt none of its {len(found)} attributes well enough to propose it. "
            "Train it longer or on more photographs; its README.md shows how good it is."
        )
    digest = sha256_file(folder / f"{NAME}.safetensors")
    return Tagger(network, thresholds, f"predicted by {NAME} {digest[:12]}", device)


def open_tagger(folder: Path, device: torch.device) -> tuple[dict[str, Any], FaceTagger]:
    """Its config.json, and the network alone."""
    config = read_config(folder)
    numbers = TaggerConfig.from_json(config)
    network = open_network(lambda: FaceTagger(numbers), folder / f"{NAME}.safetensors")
    freeze(network, device)
    return config, network


def _load_axes(config: dict[str, Any], folder: Path, device: torch.device) -> IdentityAxes | None:
    if config.get("identity") is None:
        return None
    axes = open_network(lambda: empty_axes(config), folder / f"{IDENTITY}.safetensors")
    freeze(axes, device)
    return axes
