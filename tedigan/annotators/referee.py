"""The referee, loaded and ready: what it finds in a face, and who it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tedigan.annotators.referee_network import RefereeConfig, RefereeNetwork
from tedigan.annotators.trunk import Trunk
from tedigan.store.model_folders import freeze, open_network, read_config
from tedigan.store.packaged_weights import EFFICIENTNET, load_packaged

NAME = "referee"


@dataclass(frozen=True)
class Referee:
    """A referee with its decision thresholds.

    trunk: what it sees of a face. network: what it makes of that. thresholds: of the logits.
    is_reliable: the attributes it may be trusted with.
    knows_people: False where the training photographs showed nobody twice.
    """

    trunk: Trunk
    network: RefereeNetwork
    thresholds: Float[Tensor, " k"]
    is_reliable: Bool[Tensor, " k"]
    knows_people: bool

    @classmethod
    def untried(cls, trunk: Trunk, network: RefereeNetwork, *, knows_people: bool) -> "Referee":
        """Of a network that was just trained: no threshold is chosen yet, and nothing is reliable."""
        nothing = torch.zeros(len(network.config.attribute_names))
        return cls(trunk, network, nothing, nothing.bool(), knows_people)

    @torch.no_grad()
    def look(
        self, images: Float[Tensor, "n 3 h w"], *, batch_size: int = 64
    ) -> tuple[Float[Tensor, "n k"], Float[Tensor, "n d"]]:
        """Logits and embeddings on the CPU."""
        seen = [
            [part.cpu() for part in self.network(self.trunk.stages(chunk))]
            for chunk in images.split(batch_size)
        ]
        return torch.cat([logits for logits, _ in seen]), torch.cat([who for _, who in seen])

    def find(self, images: Float[Tensor, "n 3 h w"]) -> Bool[Tensor, "n k"]:
        """Which attributes each face shows."""
        return self.look(images)[0] > self.thresholds

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes that it was taught, in the order of its logits."""
        return self.network.config.attribute_names


def load_referee(folder: Path, device: torch.device) -> Referee:
    """The referee of a model folder."""
    config = read_config(folder)
    numbers = RefereeConfig.from_json(config)
    network = open_network(lambda: RefereeNetwork(numbers), folder / f"{NAME}.safetensors")
    names = numbers.attribute_names
    freeze(network, device)
    trunk = Trunk.build(load_packaged(EFFICIENTNET), device)
    per_attribute: dict[str, dict[str, Any]] = config["attributes"]
    return Referee(
        trunk,
        network,
        torch.tensor([per_attribute[name]["threshold"] for name in names]),
        torch.tensor([name in config["reliable"] for name in names]),
        config["identity"] is not None,
    )
