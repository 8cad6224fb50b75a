"""The terms of an inversion: each gives one value a photograph, and compares with targets that are computed once.

A term is called with the codes and pictures of the photographs that are still being optimised, and with their
`rows` among all, by which it finds their targets.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.generator.whitening import Whitening

Term = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class WeightedTerm:
    """name: for the trace. term(ws, images, rows): `[n]`, one value per photograph. weight: its coefficient."""

    name: str
    weight: float
    term: Term


def pixel_term(photographs: Float[Tensor, "n 3 r r"]) -> Term:
    """mean (x - G(ws))^2 of each photograph."""
    return lambda _, images, rows: (images - photographs[rows]).square().mean(dim=[1, 2, 3])


def perceptual_term(
    photographs: Float[Tensor, "n 3 r r"], features: Callable[[Tensor], list[Tensor]]
) -> Term:
    """mean |F(x) - F(G(ws))|, each map in deviations of that photograph's map, which is computed once."""
    with torch.no_grad():
        target = [
            (maps, maps.std(dim=[1, 2, 3], keepdim=True) + 1e-6) for maps in features(photographs)
        ]

    def term(_: Tensor, images: Tensor, rows: Tensor) -> Tensor:
        distances = [
            ((ours - theirs[rows]).abs() / scale[rows]).mean(dim=[1, 2, 3])
            for ours, (theirs, scale) in zip(features(images), target, strict=True)
        ]
        return torch.stack(distances).mean(dim=0)

    return term


def encoder_term(encoder: Callable[[Tensor], Tensor], w_std: Float[Tensor, " w_dim"]) -> Term:
    """mean (ws - E(G(ws)))^2 in deviations of W: keeps ws where the encoder would find it again."""
    return lambda ws, images, _: ((ws - encoder(images)) / w_std).square().mean(dim=[1, 2])


def norm_term(whitening: Whitening) -> Term:
    """mean_i relu(|u_i| / sqrt(num_axes) - 1)^2: no layer's code is longer than a random one's."""
    root = whitening.num_axes**0.5

    def term(ws: Tensor, _: Tensor, __: Tensor) -> Tensor:
        lengths = whitening.whiten(ws).norm(dim=2) / root
        return (lengths - 1).relu().square().mean(dim=1)

    return term


def prior_term(whitening: Whitening) -> Term:
    """mean |u|^2: the nearer to the mean face, the likelier."""
    return lambda ws, _, __: whitening.whiten(ws).square().mean(dim=[1, 2])


def coherence_term(whitening: Whitening) -> Term:
    """mean_i |u_i - mean_j u_j|^2 / num_axes: layers pull each other towards one w, where edits do more."""

    def term(ws: Tensor, _: Tensor, __: Tensor) -> Tensor:
        u = whitening.whiten(ws)
        return (u - u.mean(dim=1, keepdim=True)).square().mean(dim=[1, 2])

    return term
