"""The referee, loaded and ready to judge: what it finds in a face, and who it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tedigan.data.attributes import ATTRIBUTE_NAMES
from tedigan.metrics.referee import Referee, RefereeConfig
from tedigan.store.models import freeze, load_into, read_config

NAME = "referee"


@dataclass(frozen=True)
class Judge:
    """A referee with its decision thresholds.

    thresholds: of the logits, ATTRIBUTE_NAMES order. is_reliable: the attributes it may be trusted with.
    knows_people: False where the training photographs showed nobody twice.
    """

    network: Referee
    thresholds: Float[Tensor, " 40"]
    is_reliable: Bool[Tensor, " 40"]
    knows_people: bool
    device: torch.device

    @torch.no_grad()
    def look(
        self, images: Float[Tensor, "n 3 h w"], *, batch_size: int = 64
    ) -> tuple[Float[Tensor, "n 40"], Float[Tensor, "n d"]]:
        """Logits and embeddings on the CPU."""
        seen = [
            [part.cpu() for part in self.network(chunk.to(self.device))]
            for chunk in images.split(batch_size)
        ]
        return torch.cat([logits for logits, _ in seen]), torch.cat([who for _, who in seen])

    def find(self, images: Float[Tensor, "n 3 h w"]) -> Bool[Tensor, "n 40"]:
        """Which attributes each face shows."""
        return self.look(images)[0] > self.thresholds

    def reliable_names(self) -> list[str]:
        """The attributes it may be trusted with, by name."""
        return [
            name
            for name, good in zip(ATTRIBUTE_NAMES, self.is_reliable.tolist(), strict=True)
            if good
        ]


def load_judge(folder: Path, device: torch.device) -> Judge:
    """The judge of a referee folder."""
    config = read_config(folder)
    network = Referee(RefereeConfig.from_json(config))
    load_into(network, folder / f"{NAME}.safetensors")
    freeze(network, device)
    per_attribute: dict[str, dict[str, Any]] = config["attributes"]
    return Judge(
        network,
        torch.tensor([per_attribute[name]["threshold"] for name in ATTRIBUTE_NAMES]),
        torch.tensor([name in config["reliable"] for name in ATTRIBUTE_NAMES]),
        config["identity"] is not None,
        device,
    )
