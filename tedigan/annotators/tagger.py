"""Opens a tagger that the platform trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tedigan.annotators.tagger_network import FaceTagger, TaggerConfig, settle
from tedigan.errors import WeightsError
from tedigan.store.files import sha256_file
from tedigan.store.model_folders import freeze, load_into, read_config

NAME = "tagger"


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


def load_tagger(folder: Path, device: torch.device) -> Tagger:
    """The tagger of a model folder; one that proposes nothing is a WeightsError."""
    config = read_config(folder)
    network = FaceTagger(TaggerConfig.from_json(config))
    load_into(network, folder / f"{NAME}.safetensors")
    freeze(network, device)
    found = {name: config["attributes"][name] for name in network.config.attribute_names}
    thresholds = {name: one["threshold"] for name, one in found.items() if one["is_proposed"]}
    if not thresholds:
        raise WeightsError(
            f"the tagger in {folder} learnt none of its {len(found)} attributes well enough to propose it. "
            "Train it longer or on more photographs; its README.md shows how good it is."
        )
    digest = sha256_file(folder / f"{NAME}.safetensors")
    return Tagger(network, thresholds, f"predicted by {NAME} {digest[:12]}", device)
