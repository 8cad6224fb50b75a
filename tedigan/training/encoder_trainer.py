"""The encoders of photographs, sketches and label maps (facts of the objective: TediGAN A1, A5).

Two phases: pairs (G(ws), ws) with the exact code as target, then photographs with

    L_E = w_pix mean((x - x^)^2) + w_perc perceptual(x, x^) + w_adv softplus(-D(x^)) + w_lat |E(G(ws)) - ws|^2
          + w_delta mean_i |u_i - u_0|^2
    L_D = softplus(D(x^)) + softplus(-D(x)) + gamma/2 |grad D(x)|^2

with D starting from the generator's discriminator, and u the whitened code of the photograph (the last term is
e4e's delta regularisation, arXiv:2102.02766). One E step for each pass of the encoder (ReStyle, arXiv:2104.02699),
each from where the last one ended, then one D step on the same batch.

A drawing tells structure and no colour. So its encoder's pictures take the layers from a random cut on from the
photograph's own code w, which is known there, and its pairs' layers count by what the drawing can tell of them:

    x^ = G(E(s)_{i < cut}, w_{i >= cut}),   w_lat sum_i p_i |E(s)_i - w_i|^2 on pairs and on photographs
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tedigan.draws import integers, normal, on_device, uniform
from tedigan.encoders.visual import Paint, RefiningEncoder, VisualEncoder, w_statistics
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.generator.whitening import whitening_of
from tedigan.method.losses import (
    delta_loss,
    generator_loss,
    latent_loss,
    perceptual_loss,
    pixel_loss,
)
from tedigan.tensors import stream
from tedigan.training import ranks
from tedigan.training.adversarial import adam, discriminator_step, mix_styles, resting
from tedigan.training.schedules import set_rate, warm_up_then_fall

# n and a step's stream -> what the encoder sees of n faces, and their codes.
SomePairs = Callable[[int, torch.Generator], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Lesson:
    """Photographs of a step. inputs: what the encoder sees of them. ws: their codes, None = not known."""

    photographs: Float[Tensor, "n 3 r r"]
    inputs: Float[Tensor, "n c r r"]
    ws: Float[Tensor, "n num_ws w_dim"] | None = None


@dataclass(frozen=True)
class EncoderSettings:
    """The numbers of `EncoderTrainer`; see params.yaml for their units."""

    num_synthetic_steps: int
    num_steps: int
    batch_size: int
    learning_rate: float
    weight_pixel: float
    weight_perceptual: float
    weight_adversarial: float
    weight_latent: float
    weight_delta: float
    style_mixing_prob: float
    r1_gamma: float
    r1_interval: int


def new_encoder(
    generator: Generator,
    features: Discriminator,
    *,
    head_dim: int,
    num_passes: int,
    seed: int,
    paint: Paint | None = None,
) -> VisualEncoder:
    """An encoder that knows the discriminator's faces and guesses the mean one, on the generator's device.

    paint: how a drawing looks to it at first; None = it reads photographs.
    """
    whitening = whitening_of(generator, stream(seed, "whitening"))
    encoder = VisualEncoder(
        generator.config,
        head_dim=head_dim,
        num_axes=whitening.num_axes,
        num_passes=num_passes,
        input_channels=3 if paint is None else len(paint.colours),
    ).to(generator.mapping.w_avg.device)
    torch.manual_seed(seed)
    for layer in (encoder.fc, encoder.out):
        torch.nn.init.normal_(layer.weight)
    statistics = w_statistics(generator, stream(seed, "w_statistics"))
    encoder.start_from(features, whitening, *statistics, paint=paint)
    return encoder


@dataclass
class EncoderTrainer:
    """The encoder, its adversary and their optimisers. `features` stays as it is, `adversary` learns.

    some_pairs: None = generated faces, seen as they are. layer_weights: of the latent term, their sum 1; None =
    all alike.
    """

    generator: Generator
    features: Discriminator
    encoder: VisualEncoder
    settings: EncoderSettings
    some_pairs: SomePairs | None = None
    layer_weights: Float[Tensor, " num_ws"] | None = None

    def __post_init__(self) -> None:
        self.adversary = copy.deepcopy(self.features).requires_grad_(True)
        self.passes = RefiningEncoder(self.encoder, self.generator)
        self.num_steps = self.settings.num_synthetic_steps + self.settings.num_steps
        self.optimiser = torch.optim.Adam(
            self.encoder.parameters(), lr=self.settings.learning_rate, betas=(0.9, 0.99)
        )
        lazily = self.settings.r1_interval if self.settings.r1_gamma else None
        self.adversary_optimiser = adam(
            self.adversary, self.settings.learning_rate, interval=lazily
        )

    def components(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {
            "encoder": self.encoder,
            "adversary": self.adversary,
            "optimiser": self.optimiser,
            "adversary_optimiser": self.adversary_optimiser,
        }

    def set_learning_rate(self, index: int) -> None:
        """Of step `index`; the adversary's stays as it is."""
        rate = self.settings.learning_rate
        set_rate(
            self.optimiser,
            warm_up_then_fall(index, learning_rate=rate, num_steps=self.num_steps),
        )

    def synthetic_step(self, rng: torch.Generator) -> dict[str, float]:
        """The exact code is known: only the latent term. The loss is the last pass's."""
        inputs, target = self._pairs(ranks.share(self.settings.batch_size), rng)
        ws, loss = self.passes.start(len(inputs)), torch.zeros([])
        for _ in range(self.encoder.num_passes):
            ws = self.passes.refine(inputs, ws.detach())
            loss = self._latent_term(ws, target)
            self._update(loss)
        return {"loss_latent": loss.item()}

    def photograph_step(
        self, photographs: Tensor, rng: torch.Generator, index: int
    ) -> dict[str, float]:
        """All terms on photographs, the latent term on half as many pairs; then the adversary.

        The losses are the last pass's.
        """
        flips = uniform(rng, len(photographs), 1, 1, 1) < 0.5
        photographs = torch.where(flips.to(photographs.device), photographs.flip(3), photographs)
        return self.drawing_step(Lesson(photographs, photographs), rng, index)

    def drawing_step(self, lesson: Lesson, rng: torch.Generator, index: int) -> dict[str, float]:
        """As `photograph_step`, as the lesson stands: nothing is mirrored, since the code would be another."""
        settings = self.settings
        numbers, images = self._encoder_steps(lesson, rng)
        if not settings.weight_adversarial:
            return numbers
        loss_d = discriminator_step(
            self.adversary,
            self.adversary_optimiser,
            lesson.photographs,
            images,
            r1_gamma=settings.r1_gamma,
            r1_interval=settings.r1_interval,
            index=index,
        )
        return numbers | {"loss_d": loss_d}

    def _encoder_steps(
        self, lesson: Lesson, rng: torch.Generator
    ) -> tuple[dict[str, float], Tensor]:
        """One step for each pass; the terms of the last one, and its pictures."""
        photographs, inputs = lesson.photographs, lesson.inputs
        with torch.no_grad():
            features = self.features.features(photographs)
            scales = [ranks.deviation(one) for one in features]
        made, target = self._pairs(max(1, ranks.share(self.settings.batch_size) // 2), rng)
        own = None if lesson.ws is None else self._own_layers(len(photographs), rng)
        ws, made_ws = self.passes.start(len(photographs)), self.passes.start(len(made))
        terms, images = dict[str, tuple[float, Tensor]](), photographs
        with resting(self.adversary):
            for _ in range(self.encoder.num_passes):
                ws = self.passes.refine(inputs, ws.detach())
                made_ws = self.passes.refine(made, made_ws.detach())
                shown = ws if own is None or lesson.ws is None else torch.where(own, lesson.ws, ws)
                images = self.generator.synthesis(shown, noise_mode="const")
                terms = self._picture_terms(
                    images, photographs, (features, scales)
                ) | self._code_terms((ws, lesson.ws), (made_ws, target))
                self._update(
                    sum((weight * term for weight, term in terms.values()), torch.zeros([]))
                )
        return {name: term.item() for name, (_, term) in terms.items()}, images.detach()

    def _own_layers(self, n: int, rng: torch.Generator) -> Bool[Tensor, "n num_ws 1"]:
        """Which layers a photograph's own code draws: from a random cut on, perhaps none."""
        num_ws = self.generator.num_ws
        cuts = integers(rng, 1, num_ws + 1, n, 1)
        return (torch.arange(num_ws) >= cuts)[:, :, None].to(self.encoder.w_avg.device)

    def _code_terms(
        self, photographs: tuple[Tensor, Tensor | None], pairs: tuple[Tensor, Tensor]
    ) -> dict[str, tuple[float, Tensor]]:
        """What compares codes, each with its weight. Both: what was found, and what is so, where it is known."""
        settings, (ws, known) = self.settings, photographs
        terms = {
            "loss_latent": (settings.weight_latent, self._latent_term(*pairs)),
            "loss_delta": (
                settings.weight_delta,
                delta_loss(self.encoder.whitening.whiten(ws)),
            ),
        }
        if known is not None:
            terms["loss_code"] = (settings.weight_latent, self._latent_term(ws, known))
        return terms

    def _picture_terms(
        self, images: Tensor, photographs: Tensor, features: tuple[list[Tensor], list[Tensor]]
    ) -> dict[str, tuple[float, Tensor]]:
        """What compares pictures, each with its weight. features: the photographs', and their deviations."""
        settings = self.settings
        terms = {
            "loss_pixel": (settings.weight_pixel, pixel_loss(images, photographs)),
            "loss_perceptual": (
                settings.weight_perceptual,
                perceptual_loss(self.features.features(images), *features),
            ),
        }
        if settings.weight_adversarial:
            adversarial = generator_loss(self.adversary(images))
            terms["loss_adversarial"] = (settings.weight_adversarial, adversarial)
        return terms

    @torch.no_grad()
    def _pairs(self, n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """What is seen of n faces, and their codes; here: pictures in -1..1 of codes by style mixing."""
        if self.some_pairs is not None:
            return self.some_pairs(n, rng)
        z = normal(rng, 2 * n, self.generator.config.z_dim)
        ws = self.generator.ws_of(z.to(self.encoder.w_avg.device))
        ws = mix_styles(ws[:n], ws[n:], rng, prob=self.settings.style_mixing_prob)
        images = self.generator.synthesis(
            ws, noise_mode="random", generator=on_device(rng, ws.device)
        )
        return images.clamp(-1, 1), ws

    def _latent_term(self, ws: Tensor, target: Tensor) -> Tensor:
        """mean |ws - target|^2 in standard deviations of W."""
        scale = self.encoder.w_std
        return latent_loss(ws / scale, target / scale, self.layer_weights)

    def _update(self, loss: Tensor) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        ranks.average_gradients(self.optimiser)
        torch.nn.utils.clip_grad_norm_(self.encoder.parameters(), 10.0)
        self.optimiser.step()
