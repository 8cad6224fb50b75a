"""One step of adversarial training: G, then D on the same kind of batch, then the average of G."""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.method.losses import discriminator_loss, generator_loss, r1_penalty
from tedigan.training.diff_augment import diff_augment


@dataclass(frozen=True)
class AdversarialSettings:
    """The numbers of `AdversarialTrainer`; see params.yaml for their units."""

    learning_rate: float
    r1_gamma: float
    r1_interval: int
    style_mixing_prob: float
    ema_halflife_nimg: float
    ema_rampup: float
    mirror: bool
    augment: str


def adam(network: nn.Module, learning_rate: float) -> torch.optim.Adam:
    """StyleGAN2's optimiser."""
    return torch.optim.Adam(network.parameters(), lr=learning_rate, betas=(0.0, 0.99), eps=1e-8)


def mix_styles(
    ws: Float[Tensor, "n num_ws w_dim"],
    other: Float[Tensor, "n num_ws w_dim"],
    generator: torch.Generator,
    *,
    prob: float,
) -> Float[Tensor, "n num_ws w_dim"]:
    """Style mixing regularisation: with probability `prob`, layers from a random cut on come from `other`."""
    n, num_ws, _ = ws.shape
    cuts = torch.randint(1, num_ws, (n, 1), generator=generator)
    is_mixed = torch.rand(n, 1, generator=generator) < prob
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
) -> float:
    """One step of D; every `r1_interval` steps with R1, weighted as if it came at each. The loss without R1."""
    is_lazy_step = index % r1_interval == 0
    reals = photographs.detach().requires_grad_(is_lazy_step)
    real_logits = discriminator(reals)
    loss = discriminator_loss(real_logits, discriminator(images))
    value = loss.item()
    if is_lazy_step:
        loss = loss + r1_gamma / 2 * r1_interval * r1_penalty(real_logits, reals)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    return value


class AdversarialTrainer:
    """G, D, the exponential moving average G_ema, and their optimisers.

    Non-saturating loss with lazy R1 (arXiv:1912.04958, appendix B), without path-length regularisation.
    """

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        average: Generator | None,
        settings: AdversarialSettings,
        *,
        images_seen_before: int = 0,
    ) -> None:
        self.G, self.D, self.settings = generator, discriminator, settings
        self.images_seen_before = images_seen_before
        self.G_ema = copy.deepcopy(generator) if average is None else average
        self.G_ema.requires_grad_(False)
        self.G_optimiser = adam(self.G, settings.learning_rate)
        self.D_optimiser = adam(self.D, settings.learning_rate)

    def components(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        names = ("G", "D", "G_ema", "G_optimiser", "D_optimiser")
        return {name: getattr(self, name) for name in names}

    @property
    def config(self) -> GeneratorConfig:
        """The generator's numbers."""
        return self.G.config

    def step(
        self, photographs: Float[Tensor, "n 3 r r"], rng: torch.Generator, *, index: int
    ) -> dict[str, float]:
        """Train on one batch; `rng` is this step's stream, `index` counts steps from 0."""
        if self.settings.mirror:
            flips = torch.rand(len(photographs), 1, 1, 1, generator=rng) < 0.5
            photographs = torch.where(
                flips.to(photographs.device), photographs.flip(3), photographs
            )
        loss_g = self._train_generator(len(photographs), rng)
        loss_d = self._train_discriminator(photographs, rng, index)
        self._average(len(photographs), self.images_seen_before + (index + 1) * len(photographs))
        return {"loss_g": loss_g, "loss_d": loss_d}

    def _fakes(self, n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        device = self.G.mapping.w_avg.device
        z = torch.randn(2 * n, self.config.z_dim, generator=rng).to(device)
        w = self.G.mapping(z)
        ws = self.G.ws_of_w(w)
        prob = self.settings.style_mixing_prob
        mixed = mix_styles(ws[:n], ws[n:], rng, prob=prob)
        return self.G.synthesis(mixed, noise_mode="random", generator=rng), w[:n]

    def _train_generator(self, n: int, rng: torch.Generator) -> float:
        self.D.requires_grad_(False)
        images, w = self._fakes(n, rng)
        self.G.mapping.track_w_avg(w.detach())
        loss = generator_loss(self.D(diff_augment(images, rng, policy=self.settings.augment)))
        self.G_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.G_optimiser.step()
        self.D.requires_grad_(True)
        return loss.item()

    def _train_discriminator(self, photographs: Tensor, rng: torch.Generator, index: int) -> float:
        policy = self.settings.augment
        with torch.no_grad():
            images, _ = self._fakes(len(photographs), rng)
        return discriminator_step(
            self.D,
            self.D_optimiser,
            diff_augment(photographs, rng, policy=policy),
            diff_augment(images, rng, policy=policy),
            r1_gamma=self.settings.r1_gamma,
            r1_interval=self.settings.r1_interval,
            index=index,
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
