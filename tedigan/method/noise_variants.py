"""Faces of one code that differ in their noise alone: strands, pores, the fall of the hair."""

from collections.abc import Callable, Iterator, Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.errors import ParamsError
from tedigan.tensors import sample_noise, to_pixels


def draw_variants(
    synthesise: Callable[..., Tensor],
    ws: Float[Tensor, "1 num_ws w_dim"],
    sizes_px: Sequence[int],
    n: int,
    *,
    seed: int,
    layers: Sequence[int] | None = None,
    own: Sequence[Float[Tensor, "1 1 _ _"] | None] | None = None,
) -> Iterator[UInt8[Tensor, "3 r r"]]:
    """n faces of one code, on the CPU; the noise of variant j depends on `(seed, j)` alone.

    Each is drawn by itself, so that its bytes do not depend on n. synthesise: ws -> images, called as
    `Synthesis` is. sizes_px: of the noise map of each layer. layers: those whose noise is drawn anew, counted as
    the rows of ws; None = all. own: what the others keep, a map for each layer; None = the stored one.
    """
    own = [None] * len(sizes_px) if own is None else own
    anew = range(len(sizes_px)) if layers is None else checked_layers(layers, len(sizes_px))
    for index in range(n):
        drawn = sample_noise(seed, [index], sizes_px)
        maps = [drawn[i] if i in anew else one for i, one in enumerate(own)]
        noise = [None if one is None else one.to(ws.device) for one in maps]
        with torch.no_grad():
            images = synthesise(ws, noise=noise)
        yield to_pixels(images.float()).cpu()[0]


def checked_layers(layers: Sequence[int], num_layers: int) -> Sequence[int]:
    """The layers, or a ParamsError for one that adds no noise."""
    if beyond := [layer for layer in layers if not 0 <= layer < num_layers]:
        raise ParamsError(
            f"noise of layer {beyond[0]} is to be drawn anew, but this generator adds noise in layers 0 to "
            f"{num_layers - 1}. Name some of these (generate.variant_layers), or null for all."
        )
    return layers
