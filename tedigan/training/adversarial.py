"""One step of adversarial training: G, then D on the same kind of batch, then the average of G.

Every regulariser comes lazily, in a step of its own, and Adam's numbers make up for the steps that it adds
(StyleGAN2, arXiv:1912.04958, appendix B).
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.draws import integers, normal, on_device, uniform
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.ops import Precision
from tedigan.generator.stylegan import Generator
from tedigan.generator.stylegan2 import Synthesis
from tedigan.method.losses import discriminator_loss, generator_loss, r1_penalty
from tedigan.tensors import stream
from tedigan.training import ranks
from tedigan.training.diff_augment import diff_augment
from tedigan.training.feature_discriminator import FeatureDiscriminator
from tedigan.training.mixed_precision import (
    Lowered,
    MixedPrecision,
    check_rounding,
    rounding,
    scales_of,
)
from tedigan.training.path_length import PathLength
from tedigan.training.ranks import descend


@dataclass(frozen=True)
class AdversarialSettings:
    """The numbers of `AdversarialTrainer`; see params.yaml for their units."""

    learning_rate: float
    r1_gamma: float
    r1_interval: int
    path_length_weight: float
    path_length_interval: int
    feature_weight: float
    style_mixing_prob: float
    ema_halflife_nimg: float
    ema_rampup: float
    mirror: bool
    augment: str
    precision: Precision
    num_fp16_res: int


def adam(
    network: nn.Module, learning_rate: float, *, interval: int | None = None
) -> torch.optim.Adam:
    """StyleGAN2's optimiser. interval: of a regulariser with steps of its own, for which it makes up."""
    share = 1.0 if interval is None else interval / (interval + 1)
    weights = [one for one in network.parameters() if one.requires_grad]
    return torch.optim.Adam(weights, lr=learning_rate * share, betas=(0.0, 0.99**share), eps=1e-8)


def mix_styles(
    ws: Float[Tensor, "n num_ws w_dim"],
    other: Float[Tensor, "n num_ws w_dim"],
    generator: torch.Generator,
    *,
    prob: float,
) -> Float[Tensor, "n num_ws w_dim"]:
    """Style mixing regularisation: with probability `prob`, layers from a random cut on come from `other`."""
    n, num_ws, _ = ws.shape
    cuts = integers(generator, 1, num_ws, n, 1)
    is_mixed = uniform(generator, n, 1) < prob
    from_other = is_mixed & (torch.arange(num_ws) >= cuts)
    return torch.where(from_other[:, :, None].to(ws.device), other, ws)


def discriminator_step(
    discriminator: Discriminator,
    optimiser: torch.optim.Optimizer,
    photographs: Float[Tensor, "n 3 r r"],
    images: Float[Tensor, "m 3 r r"],
    *,
    r1_gamma: float,
    r1_interval: int,
    index: int,
    change: Callable[[Tensor], Tensor] = lambda images: images,
    lowered: Lowered = nullcontext,
    scaler: torch.amp.GradScaler | None = None,
) -> float:
    """One step of D; after every `r1_interval`-th one of R1, weighted as if it came at each. The former's loss.

    change: the augmentation, through which R1's gradient goes, as in stylegan2-ada-pytorch.
    lowered, scaler: mixed precision, but for R1.
    """
    with lowered():
        loss = discriminator_loss(discriminator(change(photographs)), discriminator(change(images)))
    descend(optimiser, loss, scaler)
    if r1_gamma and index % r1_interval == 0:
        reals = photographs.detach().requires_grad_(True)
        penalty = r1_penalty(discriminator(change(reals)), reals)
        descend(optimiser, r1_gamma / 2 * r1_interval * penalty)
    return loss.item()


@contextmanager
def resting(network: nn.Module | None) -> Iterator[None]:
    """Within it, no gradient is computed for this network's weights."""
    weights = [] if network is None else [one for one in network.parameters() if one.requires_grad]
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)


class AdversarialTrainer:
    """G, D, the exponential moving average G_ema, and their optimisers; perhaps a feature discriminator F.

    Non-saturating loss with lazy R1 and, where they have a weight, path length and F's hinge loss.
    """

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        average: Generator | None,
        settings: AdversarialSettings,
        *,
        features: FeatureDiscriminator | None = None,
        images_seen_before: int = 0,
    ) -> None:
        self.G, self.D, self.F, self.settings = generator, discriminator, features, settings
        self.images_seen_before = images_seen_before
        self.G_ema = copy.deepcopy(generator) if average is None else average
        self.G_ema.requires_grad_(False)
        self.path_length = PathLength().to(generator.mapping.w_avg.device)
        lazily = settings.path_length_interval if settings.path_length_weight else None
        self.G_optimiser = adam(self.G, settings.learning_rate, interval=lazily)
        lazily = settings.r1_interval if settings.r1_gamma else None
        self.D_optimiser = adam(self.D, settings.learning_rate, interval=lazily)
        if features is not None:
            self.F_optimiser = adam(features, settings.learning_rate)
        self.arithmetic = MixedPrecision(settings.precision, settings.num_fp16_res)
        device = generator.mapping.w_avg.device
        self.scalers = {name: self.arithmetic.scaler(device) for name in ("G", "D")}

    def components(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        names = ["G", "D", "G_ema", "G_optimiser", "D_optimiser", "path_length"]
        names += [] if self.F is None else ["F", "F_optimiser"]
        return {name: getattr(self, name) for name in names} | {
            f"{name}_scaler": one for name, one in self.scalers.items() if one.is_enabled()
        }

    @property
    def config(self) -> GeneratorConfig:
        """The generator's numbers."""
        return self.G.config

    def step(
        self, photographs: Float[Tensor, "n 3 r r"], rng: torch.Generator, *, index: int
    ) -> dict[str, float]:
        """Train on one batch; `rng` is this step's stream, `index` counts steps from 0."""
        if self.settings.mirror:
            flips = uniform(rng, len(photographs), 1, 1, 1) < 0.5
            photographs = torch.where(
                flips.to(photographs.device), photographs.flip(3), photographs
            )
        if self.F is not None and index == 0:
            self.F.scale_to(ranks.gathered(photographs))
        if index == 0 and self.settings.precision != "fp32":
            check_rounding(self.settings.precision, self.rounding(photographs))
        loss_g = self._train_generator(len(photographs), rng)
        if self.settings.path_length_weight and index % self.settings.path_length_interval == 0:
            self._shorten_paths(len(photographs), rng)
        loss_d = self._train_discriminator(photographs, rng, index)
        batch = len(photographs) * ranks.num_ranks()
        self._average(batch, self.images_seen_before + (index + 1) * batch)
        return {"loss_g": loss_g, "loss_d": loss_d} | scales_of(self.scalers)

    def rounding(self, photographs: Float[Tensor, "n 3 r r"]) -> dict[str, float]:
        """How far the precision moves each network's gradient, beside chance; nothing is changed by it.

        Chance is what the two halves of the batch differ by; means over the ranks.
        """
        halves = photographs[: len(photographs) // 2 or 1], photographs[len(photographs) // 2 :]

        def drawn(which: int) -> Tensor:
            rng = stream("rounding", which)
            return self._draw(self._codes(len(halves[which]), rng)[0], rng)

        def loss_of_d(which: int) -> Tensor:
            with torch.no_grad():
                images = drawn(which)
            return discriminator_loss(self.D(halves[which]), self.D(images))

        def loss_of_g(which: int) -> Tensor:
            return generator_loss(self.D(drawn(which)))

        losses = {"G": (self.G, loss_of_g), "D": (self.D, loss_of_d)}
        return {
            name: ranks.mean(torch.tensor(rounding(network, loss, self._lowered))).item()
            for name, (network, loss) in losses.items()
        }

    def _lowered(self) -> AbstractContextManager[None]:
        assert isinstance(self.G.synthesis, Synthesis), "only StyleGAN2 is trained"
        return self.arithmetic.lowered(self.G.synthesis, self.D)

    def _codes(self, n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """W+ codes with mixed styles, and the w that they come from."""
        z = normal(rng, 2 * n, self.config.z_dim).to(self.G.mapping.w_avg.device)
        w = self.G.mapping(z)
        ws = self.G.ws_of_w(w)
        return mix_styles(ws[:n], ws[n:], rng, prob=self.settings.style_mixing_prob), w[:n]

    def _draw(self, ws: Tensor, rng: torch.Generator) -> Tensor:
        noise = on_device(rng, ws.device)
        return self.G.synthesis(ws, noise_mode="random", generator=noise)

    def _train_generator(self, n: int, rng: torch.Generator) -> float:
        ws, w = self._codes(n, rng)
        self.G.mapping.track_w_avg(ranks.mean(w.detach().mean(dim=0, keepdim=True)))
        with resting(self.D), resting(self.F):
            with self._lowered():
                images = self._draw(ws, rng)
                augmented = diff_augment(images, rng, policy=self.settings.augment)
                usual = generator_loss(self.D(augmented))
            loss = usual
            if self.F is not None:
                loss = loss + self.settings.feature_weight * self.F.generator_loss(images, rng)
            descend(self.G_optimiser, loss, self.scalers["G"])
        return usual.item()

    def _shorten_paths(self, n: int, rng: torch.Generator) -> None:
        """Path length regularisation on half a batch, as in StyleGAN2."""
        ws, _ = self._codes(max(1, n // 2), rng)
        penalty = self.path_length.penalty(self._draw(ws, rng), ws, on_device(rng, ws.device))
        settings = self.settings
        weight = settings.path_length_weight * settings.path_length_interval
        descend(self.G_optimiser, weight * penalty)

    def _train_discriminator(self, photographs: Tensor, rng: torch.Generator, index: int) -> float:
        settings = self.settings
        with torch.no_grad(), self._lowered():
            images = self._draw(self._codes(len(photographs), rng)[0], rng)
        if self.F is not None:
            descend(self.F_optimiser, self.F.loss(photographs, images, rng))
        return discriminator_step(
            self.D,
            self.D_optimiser,
            photographs,
            images,
            r1_gamma=settings.r1_gamma,
            r1_interval=settings.r1_interval,
            index=index,
            change=partial(diff_augment, generator=rng, policy=settings.augment),
            lowered=self._lowered,
            scaler=self.scalers["D"],
        )

    @torch.no_grad()
    def _average(self, batch: int, seen: int) -> None:
        """G_ema follows G with a half-life in images, short at the start of training."""
        halflife = min(self.settings.ema_halflife_nimg, seen * self.settings.ema_rampup)
        beta = 0.5 ** (batch / max(halflife, 1e-8))
        for weight, live in zip(self.G_ema.parameters(), self.G.parameters(), strict=True):
            weight.copy_(live.lerp(weight, beta))
        for buffer, live_buffer in zip(self.G_ema.buffers(), self.G.buffers(), strict=True):
            buffer.copy_(live_buffer)
