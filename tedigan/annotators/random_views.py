"""Random views of faces, for training the networks that annotate them."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.draws import uniform
from tedigan.vocabulary.labels import mirror_labels


def random_views(
    images: Float[Tensor, "n 3 h w"],
    labels: UInt8[Tensor, "n h w"] | None,
    generator: torch.Generator,
    *,
    alike: bool = False,
) -> tuple[Float[Tensor, "n 3 h w"], UInt8[Tensor, "n h w"] | None]:
    """Mirror, shift (6 %), scale (10 %), turn (6 degrees) and relight (15 %) each image; its labels move along.

    All is drawn on the CPU, for each image on its own; alike: one draw for all, so that none depends on its place.
    """
    drawn = torch.rand(1, 7, generator=generator) if alike else uniform(generator, len(images), 7)
    dice = drawn.mul(2).sub(1)
    dice = dice.expand(len(images), -1)
    where = F.affine_grid(_motions(dice[:, :4]), list(images.shape), align_corners=False)
    is_mirrored = (dice[:, 4] > 0).to(images.device)[:, None, None]
    where = where.to(images.device)
    images = torch.where(is_mirrored[..., None], images.flip(3), images)
    images = F.grid_sample(images, where, padding_mode="reflection", align_corners=False)
    contrast, brightness = (0.15 * dice[:, 5:]).to(images.device)[:, :, None, None, None].unbind(1)
    images = (images * (1 + contrast) + brightness).clamp(-1, 1)
    if labels is None:
        return images, None
    labels = torch.where(is_mirrored, mirror_labels(labels), labels)
    moved = F.grid_sample(
        labels[:, None].float(),
        where,
        mode="nearest",
        padding_mode="reflection",
        align_corners=False,
    )
    return images, moved[:, 0].to(torch.uint8)


def _motions(dice: Float[Tensor, "n 4"]) -> Float[Tensor, "n 2 3"]:
    """Affine maps from numbers -1..1: turn, scale, shift across and down."""
    turn, scale = 0.1 * dice[:, 0], 1 + 0.1 * dice[:, 1]
    cos, sin, (across, down) = scale * turn.cos(), scale * turn.sin(), 0.12 * dice[:, 2:].T
    return torch.stack([cos, -sin, across, sin, cos, down], dim=1).reshape(-1, 2, 3)
