"""Pivotal tuning (PTI, arXiv:2106.05744): the code stays, a few layers of the generator learn one photograph.

The generator itself is not changed: what was learnt is a handful of tensors, put in the place of its own when the
face, or an edit of it, is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import functional_call

from tedigan.errors import NumbersError, ParamsError
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.method.inversion_terms import WeightedTerm, perceptual_term, pixel_term

KINDS = (
    "weight",
    "bias",
)  # of a layer, but not of its affine map from w, which would change what a code means


@dataclass(frozen=True)
class TuningSettings:
    """num_tuning_steps: of Adam, at most; 0 = none. tuning_blocks: resolutions in px whose layers learn.

    tuning_mse: a photograph is done where its mean squared error falls to this.
    """

    num_tuning_steps: int
    tuning_learning_rate: float
    tuning_blocks: list[int]
    tuning_mse: float
    weight_pixel: float
    weight_perceptual: float


@dataclass(frozen=True)
class TunedGenerator:
    """A generator with a few tensors of its synthesis replaced, for one photograph.

    num_steps: that it took. mean_squared_error: before the last of them.
    """

    generator: Generator
    tensors: dict[str, Tensor]
    num_steps: int
    mean_squared_error: float

    @torch.no_grad()
    def draw(self, ws: Float[Tensor, "n num_ws w_dim"]) -> Float[Tensor, "n 3 r r"]:
        """Images in about -1..1, with the stored noise."""
        return _draw(self.generator, self.tensors, ws)


def tune(
    generator: Generator,
    features: Discriminator | None,
    ws: Float[Tensor, "1 num_ws w_dim"],
    image: Float[Tensor, "1 3 r r"],
    settings: TuningSettings,
) -> TunedGenerator:
    """The named blocks' layers, optimised so that the code draws its photograph.

    features: the generator's discriminator; None where `weight_perceptual` is 0.
    """
    free = {
        name: tensor.detach().clone().requires_grad_(True)
        for name, tensor in tuned_tensors(generator, settings.tuning_blocks).items()
    }
    terms = [WeightedTerm("pixel", settings.weight_pixel, pixel_term(image))]
    if features is not None:
        perceptual = perceptual_term(image, features.features)
        terms.append(WeightedTerm("perceptual", settings.weight_perceptual, perceptual))
    optimiser = torch.optim.Adam(list(free.values()), lr=settings.tuning_learning_rate)
    row, error, step = torch.zeros(1, dtype=torch.long, device=ws.device), float("inf"), 0
    for step in range(settings.num_tuning_steps + 1):
        drawn = _draw(generator, free, ws)
        error = (drawn - image).square().mean().item()
        if error <= settings.tuning_mse or step == settings.num_tuning_steps:
            break
        loss = torch.stack([one.weight * one.term(ws, drawn, row).sum() for one in terms]).sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    if not error < float("inf"):
        raise NumbersError(
            f"tuning gave pictures that are no numbers at learning rate {settings.tuning_learning_rate:g}, "
            "expected finite ones; it diverged. Lower manipulate.tuning_learning_rate, first by half."
        )
    tensors = {name: tensor.detach() for name, tensor in free.items()}
    return TunedGenerator(generator, tensors, step, error)


def tuned_tensors(generator: Generator, blocks: Sequence[int]) -> dict[str, Tensor]:
    """The tensors of these blocks that tuning may change, by their names in the synthesis network."""
    found: dict[str, Tensor] = {
        name: tensor
        for name, tensor in generator.synthesis.named_parameters()
        if any(name.startswith(f"b{block}.") for block in blocks)
        and name.endswith(KINDS)
        and ".affine." not in name
    }
    if not found:
        known = generator.config.block_resolutions
        raise ParamsError(
            f"manipulate.tuning_blocks is {list(blocks)}, which names no layer of this generator; expected some "
            f"of {list(known)} px, of a StyleGAN2. Name them, or set num_tuning_steps to 0."
        )
    return found


def _draw(generator: Generator, tensors: dict[str, Tensor], ws: Tensor) -> Tensor:
    images: Tensor = functional_call(generator.synthesis, tensors, (ws,), {"noise_mode": "const"})
    return images
