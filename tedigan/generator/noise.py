"""The noise that a layer adds to its features: its stored map, one drawn for each image, a given one, or none."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.draws import normal
from tedigan.errors import ShapeError

NoiseMode = Literal["const", "random", "none"]


def noise_maps(
    stored: Sequence[Float[Tensor, "_ _"]],
    n: int,
    *,
    noise_mode: NoiseMode | Sequence[NoiseMode],
    generator: torch.Generator | None,
    noise: Sequence[Float[Tensor, "_ 1 _ _"] | None] | None,
) -> list[Float[Tensor, "_ 1 _ _"] | None]:
    """What each layer adds for n images, before its strength; None = nothing.

    stored: each layer's own map. noise_mode: const = the stored map, random = drawn from `generator`
    (on its device, in the order of the layers), none = off; one word for all layers or one for each.
    noise: maps in place of the stored ones, one for each layer, of n images or of 1; None = the stored one.
    Raises ShapeError for another number of words or maps, or a map of another size.
    """
    modes = [noise_mode] * len(stored) if isinstance(noise_mode, str) else noise_mode
    if len(modes) != len(stored):
        raise ShapeError(
            f"noise_mode names {len(modes)} layers, but this generator adds noise in {len(stored)}; "
            "give one word for all, or one for each."
        )
    given = [None] * len(stored) if noise is None else _checked(noise, stored, n)
    const = [
        own[None, None] if one is None else one for one, own in zip(given, stored, strict=True)
    ]
    return [_map(one, mode, n, generator) for one, mode in zip(const, modes, strict=True)]


def _map(
    const: Tensor, mode: NoiseMode, n: int, generator: torch.Generator | None
) -> Tensor | None:
    if mode == "random":
        return normal(generator, n, 1, *const.shape[2:]).to(const)
    return const if mode == "const" else None


def _checked(
    given: Sequence[Tensor | None], stored: Sequence[Tensor], n: int
) -> Sequence[Tensor | None]:
    if len(given) != len(stored):
        raise ShapeError(
            f"noise has {len(given)} maps, but this generator adds noise in {len(stored)} layers; "
            "give one map for each, or none."
        )
    for i, (one, own) in enumerate(zip(given, stored, strict=True)):
        if one is not None and one.shape not in {(1, 1, *own.shape), (n, 1, *own.shape)}:
            raise ShapeError(
                f"noise[{i}] is {list(one.shape)}, but this layer takes [1, 1, {own.shape[0]}, "
                f"{own.shape[1]}], or {n} such maps for {n} images; were they made for another generator?"
            )
    return given
