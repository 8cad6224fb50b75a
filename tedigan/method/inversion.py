"""A3: instance-level optimisation of W+ codes against one photograph each, with a fixed generator."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.encoders.encoder import Encoder
from tedigan.errors import NumbersError
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator

Term = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class WeightedTerm:
    """name: for the trace. term(ws, images): `[n]`, one value per photograph. weight: its coefficient."""

    name: str
    weight: float
    term: Term


def optimise_ws(
    generator: Generator,
    ws: Float[Tensor, "n num_ws w_dim"],
    terms: Sequence[WeightedTerm],
    *,
    num_steps: int,
    learning_rate: float,
) -> tuple[Float[Tensor, "n num_ws w_dim"], list[dict[str, float]]]:
    """ws* = argmin sum of weighted terms, by Adam from `ws`.

    Photographs do not influence each other: each has its own code, loss and step. The rate falls by a
    cosine over the last quarter. Returns the codes and the trace (each term's mean, one row a step); where no
    term weighs anything the codes come back as they are, with an empty trace.
    """
    active = [term for term in terms if term.weight > 0]
    if not active:
        return ws.detach().clone(), []
    free = ws.detach().clone().requires_grad_(True)
    optimiser = torch.optim.Adam([free], lr=learning_rate, betas=(0.9, 0.999))
    trace: list[dict[str, float]] = []
    for step in range(num_steps):
        ramp = min(1.0, 4 * (1 - step / num_steps))
        for group in optimiser.param_groups:
            group["lr"] = (
                learning_rate * (0.5 - 0.5 * torch.cos(torch.tensor(ramp * torch.pi))).item()
            )
        images = generator.synthesis(free, noise_mode="const")
        values = {term.name: term.term(free, images) for term in active}
        loss = torch.stack([term.weight * values[term.name].sum() for term in active]).sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        trace.append({name: value.mean().item() for name, value in values.items()})
    if not torch.isfinite(free).all():
        raise NumbersError(
            f"an inversion gave codes that are no numbers at learning rate {learning_rate:g}, expected finite "
            "ones; it diverged. Lower the learning rate, first by half."
        )
    return free.detach(), trace


@dataclass(frozen=True)
class InversionSettings:
    """The numbers of `Inverter`: optimiser steps, Adam's rate, and the weights of the terms."""

    num_steps: int
    learning_rate: float
    weight_pixel: float
    weight_perceptual: float
    weight_encoder: float


@dataclass(frozen=True)
class Inverter:
    """Photographs -> W+ codes: by the encoder, then by optimisation (TediGAN A3).

    features: the generator's discriminator; None where `weight_perceptual` is 0.
    """

    generator: Generator
    encoder: Encoder
    features: Discriminator | None
    settings: InversionSettings

    def invert(self, images: Float[Tensor, "n 3 r r"]) -> Float[Tensor, "n num_ws w_dim"]:
        """The encoder's codes, optimised against the photographs."""
        images = images.to(self.encoder.w_avg.device)
        with torch.no_grad():
            start = self.encoder(images)
        return self.refine(images, start, num_steps=self.settings.num_steps)

    def refine(
        self,
        images: Float[Tensor, "n 3 r r"],
        ws: Float[Tensor, "n num_ws w_dim"],
        *held: WeightedTerm,
        num_steps: int,
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """Codes optimised from `ws` against the photographs, with further terms that hold them."""
        settings, encoder = self.settings, self.encoder
        images = images.to(encoder.w_avg.device)
        terms = [
            WeightedTerm("pixel", settings.weight_pixel, pixel_term(images)),
            WeightedTerm("encoder", settings.weight_encoder, encoder_term(encoder, encoder.w_std)),
            *held,
        ]
        if self.features is not None:
            perceptual = perceptual_term(images, self.features.features)
            terms.append(WeightedTerm("perceptual", settings.weight_perceptual, perceptual))
        rate = settings.learning_rate
        found, _ = optimise_ws(self.generator, ws, terms, num_steps=num_steps, learning_rate=rate)
        return found


def pixel_term(photographs: Float[Tensor, "n 3 r r"]) -> Term:
    """mean (x - G(ws))^2 of each photograph."""
    return lambda _, images: (images - photographs).square().mean(dim=[1, 2, 3])


def perceptual_term(
    photographs: Float[Tensor, "n 3 r r"], features: Callable[[Tensor], list[Tensor]]
) -> Term:
    """mean |F(x) - F(G(ws))|, each map in deviations of that photograph's map, which is computed once."""
    with torch.no_grad():
        target = [
            (maps, maps.std(dim=[1, 2, 3], keepdim=True) + 1e-6) for maps in features(photographs)
        ]

    def term(_: Tensor, images: Tensor) -> Tensor:
        distances = [
            ((ours - theirs).abs() / scale).mean(dim=[1, 2, 3])
            for ours, (theirs, scale) in zip(features(images), target, strict=True)
        ]
        return torch.stack(distances).mean(dim=0)

    return term


def encoder_term(encoder: Callable[[Tensor], Tensor], w_std: Float[Tensor, " w_dim"]) -> Term:
    """mean (ws - E(G(ws)))^2 in deviations of W: keeps ws where the encoder would find it again."""
    return lambda ws, images: ((ws - encoder(images)) / w_std).square().mean(dim=[1, 2])


def anchor_term(
    target: Float[Tensor, "n num_ws w_dim"], layers: Sequence[int], w_std: Float[Tensor, " w_dim"]
) -> Term:
    """mean (ws - target)^2 on the named layers: holds them at what the text asked for."""
    rows = list(layers)
    return lambda ws, _: ((ws[:, rows] - target[:, rows]) / w_std).square().mean(dim=[1, 2])
