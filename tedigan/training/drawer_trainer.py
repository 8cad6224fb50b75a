"""The drawer: a small network that draws generated faces, learnt from the encoder's own pairs.

Where the pairs hold two kinds of sketches, it learns the mean of both: how likely a pen leaves ink there.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from tedigan.encoders.modalities import CHANNELS
from tedigan.encoders.unet import UNet
from tedigan.training.drawing_lessons import DrawingLessons
from tedigan.training.ranks import descend, share
from tedigan.training.schedules import set_rate, warm_up_then_fall

MAX_PX = 128  # of the side in which a drawer looks at faces: lines are no finer


@dataclass(frozen=True)
class DrawerSettings:
    """The numbers of `DrawerTrainer`; see params.yaml for their units."""

    num_drawer_steps: int
    drawer_channels: int
    batch_size: int
    learning_rate: float


class DrawerTrainer:
    """The drawer and its optimiser. num_steps: of the encoder, beside which it learns, at most as many.

    start: what draws faces already; None = a new one.
    """

    def __init__(
        self,
        lessons: DrawingLessons,
        settings: DrawerSettings,
        start: UNet | None,
        *,
        num_steps: int,
        seed: int,
    ) -> None:
        torch.manual_seed(seed)  # the network's initial weights
        side = min(MAX_PX, lessons.generator.config.img_resolution)
        outputs = CHANNELS[lessons.modality]
        drawer = start or UNet(side, settings.drawer_channels, outputs)
        self.drawer = drawer.requires_grad_(True).to(lessons.device)
        self.lessons, self.settings = lessons, settings
        self.num_steps = min(settings.num_drawer_steps, num_steps)
        self.optimiser = torch.optim.Adam(self.drawer.parameters(), lr=settings.learning_rate)

    def components(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {"drawer": self.drawer, "drawer_optimiser": self.optimiser}

    def step(self, rng: torch.Generator, index: int) -> dict[str, float]:
        """One step; none after the last."""
        settings = self.settings
        if index >= self.num_steps:
            return {}
        rate = warm_up_then_fall(
            index, learning_rate=settings.learning_rate, num_steps=self.num_steps
        )
        set_rate(self.optimiser, rate)
        images, wanted = self.lessons.drawn(share(settings.batch_size), rng)
        loss = drawer_loss(self.drawer.small(images), wanted)
        descend(self.optimiser, loss)
        return {"loss_drawer": loss.item()}


def drawer_loss(
    logits: Float[Tensor, "n c p p"], inputs: Float[Tensor, "n c r r"]
) -> Float[Tensor, ""]:
    """Cross-entropy of each pixel: of ink, or of the classes. inputs: see `encoders.modalities`."""
    wanted = F.interpolate(inputs, logits.shape[2:], mode="area")
    if inputs.shape[1] == 1:
        return F.binary_cross_entropy_with_logits(logits, 1 - wanted)
    return -(wanted * logits.log_softmax(dim=1)).sum(dim=1).mean()
