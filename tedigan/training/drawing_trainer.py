"""An encoder of drawings and, beside it, the drawer by which its codes are fitted."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from tedigan.encoders.encoder import Encoder
from tedigan.method.drawing_fit import FitSettings, drawer_to_json
from tedigan.models.drawing_encoders import fitting
from tedigan.store.model_folders import freeze
from tedigan.training.drawer_trainer import DrawerTrainer
from tedigan.training.drawing_lessons import DrawingLessons
from tedigan.training.encoder_trainer import EncoderTrainer
from tedigan.training.ranks import share, shared_stream


@dataclass(frozen=True)
class DrawingTrainer:
    """Both, at each step. drawer: None = nobody learns to draw, and codes are not fitted."""

    encoder: EncoderTrainer
    drawer: DrawerTrainer | None
    lessons: DrawingLessons
    fit: FitSettings

    def components(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        drawers = {} if self.drawer is None else self.drawer.components()
        return self.encoder.components() | drawers

    def step(self, index: int, *, seed: int, name: str) -> dict[str, float]:
        """The losses. seed, name: of the stage; each step has a random stream of its own for both."""
        rng, settings = shared_stream(seed, name, index), self.encoder.settings
        self.encoder.set_learning_rate(index)
        drawn = {}
        if self.drawer is not None:
            drawn = self.drawer.step(shared_stream(seed, name, "drawer", index), index)
        if index < settings.num_synthetic_steps:
            return self.encoder.synthetic_step(rng) | drawn
        lesson = self.lessons.photographs(index, share(settings.batch_size), rng)
        return self.encoder.drawing_step(lesson, rng, index) | drawn

    def finished(self) -> tuple[dict[str, nn.Module], dict[str, Any]]:
        """The networks, frozen, and what config.json says of them."""
        networks: dict[str, nn.Module] = {"encoder": self.encoder.encoder}
        config = self.encoder.encoder.to_json()
        if self.drawer is not None:
            networks["drawer"] = self.drawer.drawer
            config["drawer"] = drawer_to_json(self.drawer.drawer, self.fit)
        for network in networks.values():
            freeze(network, self.lessons.device)
        return networks, config

    def as_used(self) -> Encoder:
        """Who finds codes of drawings from now on."""
        passes = self.encoder.passes
        if self.drawer is None:
            return passes
        return fitting(passes, self.drawer.drawer, self.lessons.generator, self.fit)
