"""Opens a tagger that the platform trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tedigan.data.attributes import ATTRIBUTE_NAMES
from tedigan.data.tagger import FaceTagger, TaggerConfig, settle
from tedigan.store.files import sha256_file
from tedigan.store.models import freeze, load_into, read_config

NAME = "tagger"


@dataclass(frozen=True)
class Tagger:
    """A tagger with its calibration.

    thresholds: of the logits. is_proposed: the attributes whose answers are worth writing down.
    """

    network: FaceTagger
    thresholds: Float[Tensor, " 40"]
    is_proposed: Bool[Tensor, " 40"]
    origin: str
    device: torch.device

    @torch.no_grad()
    def propose(
        self, images: Float[Tensor, "n 3 h w"], *, exclusive: Sequence[Sequence[str]] = ()
    ) -> Bool[Tensor, "n 40"]:
        """The attributes that each face seems to show; one that is not proposed is False.

        exclusive: groups of attributes of which one can be true.
        """
        logits = torch.cat([self.network(one.to(self.device)).cpu() for one in images.split(1)])
        margins = torch.where(self.is_proposed, logits - self.thresholds, -1.0)
        return torch.stack([settle(row, exclusive) for row in margins])


def load_tagger(folder: Path, device: torch.device) -> Tagger:
    """The tagger of a model folder."""
    config = read_config(folder)
    network = FaceTagger(TaggerConfig.from_json(config))
    load_into(network, folder / f"{NAME}.safetensors")
    freeze(network, device)
    found = [config["attributes"][name] for name in ATTRIBUTE_NAMES]
    digest = sha256_file(folder / f"{NAME}.safetensors")
    return Tagger(
        network,
        torch.tensor([one["threshold"] for one in found]),
        torch.tensor([one["is_proposed"] for one in found]),
        f"predicted by {NAME} {digest[:12]}",
        device,
    )
