"""The control mechanism: which layers of a W+ code come from where, and how far an attribute is to go.

A *content* code and a *style* code of the same shape are mixed layer by layer (TediGAN,
arXiv:2012.03308). Text -> face: content = the text's code, style = a random one. Manipulation: content =
the photograph's code, style = the text's. Layers 2k and 2k + 1 act at 4 * 2^k px.
"""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tedigan.errors import ParamsError, ShapeError
from tedigan.tensors import MAX_STRENGTH


def mix_layers(
    content: Float[Tensor, "n num_ws w_dim"],
    style: Float[Tensor, "n num_ws w_dim"],
    style_layers: Sequence[int],
    *,
    amount: float = 1.0,
) -> Float[Tensor, "n num_ws w_dim"]:
    """Replace the named layers of content by style's: `(1 - amount) content + amount style` there.

    amount: 0 changes nothing, 1 replaces; between and beyond is continuous control.
    Returns a new tensor. Raises ShapeError for a layer that the codes do not have.
    """
    weights = _layer_mask(content, style_layers) * amount
    return content + weights * (style - content)


def wishes_of(readings: Sequence[Mapping[str, bool]], names: Sequence[str]) -> Float[Tensor, "n k"]:
    """What sentences name: 1 where one states an attribute, -1 where it denies it, 0 where it says nothing.

    An attribute that is not among `names` is left out.
    """
    wishes = torch.zeros(len(readings), len(names))
    for row, reading in enumerate(readings):
        for column, name in enumerate(names):
            if name in reading:
                wishes[row, column] = 1.0 if reading[name] else -1.0
    return wishes


def in_words(reading: Mapping[str, bool]) -> str:
    """What a sentence names, for people: "Smiling, not Bald"."""
    return ", ".join(name if holds else f"not {name}" for name, holds in reading.items())


def relevant_layers(relevance: Float[Tensor, " num_ws"], *, share: float) -> list[int]:
    """Layers whose relevance is at least `share` of the largest, 0-based: the published way to choose them."""
    largest = relevance.max()
    if largest <= 0:
        return list(range(len(relevance)))
    return [i for i, value in enumerate((relevance / largest).tolist()) if value >= share]


def goals(
    present: Float[Tensor, "n k"],
    wishes: Float[Tensor, "n k"],
    strength: Float[Tensor, " n"],
    *,
    margin: float,
) -> Float[Tensor, "n k"]:
    """Where each named attribute's margin is to go, from where it is; unnamed ones stay where they are.

    wishes: 1 = the text names it, -1 = denies it, 0 = says nothing. strength in -3..3: 0 leaves the face as it
    is, 1 brings it `margin` beyond the threshold, on the side that the text names (a face that is there already
    stays), -1 as far on the other side; each unit beyond goes one deviation further. Continuous and monotone in
    strength. Raises ParamsError for a strength that is not in -3..3.
    """
    if not bool((strength.abs() <= MAX_STRENGTH).all()):  # also where it is NaN
        raise ParamsError(
            f"strength is {strength.tolist()}; expected numbers in -{MAX_STRENGTH:g}..{MAX_STRENGTH:g}: 1 = what "
            "the text says, 0 = nothing, -1 = the contrary. Set it."
        )
    amount, side = strength.abs()[:, None], torch.where(strength < 0, -1.0, 1.0)[:, None]
    towards = wishes.sign() * side
    here = towards * present
    there = here.clamp_min(margin)
    goal = torch.where(amount <= 1, torch.lerp(here, there, amount), there + (amount - 1))
    return torch.where(wishes == 0, present, towards * goal)


def layers_of(
    wishes: Float[Tensor, "n k"], attribute_layers: Bool[Tensor, "k num_ws"]
) -> Float[Tensor, "n num_ws 1"]:
    """1 on each layer that an attribute which the text names acts on, 0 elsewhere."""
    named = (wishes != 0).float() @ attribute_layers.to(wishes.device).float()
    return (named > 0).float()[:, :, None]


def free_layers(attribute_layers: Bool[Tensor, "k num_ws"]) -> list[int]:
    """Layers that no attribute acts on: chance may have them whole. 0-based."""
    return torch.nonzero(~attribute_layers.any(dim=0)).flatten().tolist()


def _layer_mask(ws: Tensor, layers: Sequence[int]) -> Float[Tensor, "num_ws 1"]:
    num_ws = ws.shape[1]
    wrong = [layer for layer in layers if not 0 <= layer < num_ws]
    if wrong:
        raise ShapeError(
            f"layers {wrong} were asked for, but the codes have num_ws={num_ws} (layers 0 to "
            f"{num_ws - 1}). Set generate.style_layers / manipulate.text_layers for this generator."
        )
    mask = torch.zeros(num_ws, 1, device=ws.device)
    mask[list(layers)] = 1
    return mask
