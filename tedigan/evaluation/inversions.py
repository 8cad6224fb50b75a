"""The inversion table: who inverts photographs how well, and whether an edit of the code can be taken back.

A row is a contestant: a way to invert. Its numbers, one a photograph:

    pixel_mse            mean (x - G(ws))^2, pictures in -1..1
    perceptual_distance  of photograph and inversion
    descriptor_distance  |d(x) - d(G(ws))|_2 of an independent face descriptor; None where there is none
    edit_return_ws       mean ((ws' - ws) / w_std)^2, where ws' = edit back(invert(G(edit(ws))))
    edit_return_mse      mean (G(ws') - G(ws))^2

The last two are the latent editing consistency of e4e (arXiv:2102.02766, metrics/LEC.py), with deviations of W
and the mean over photographs in the place of its sum and trimmed mean. Who does not see an edit at all (the mean
face, a weak encoder) scores the edit's own length in `edit_return_ws`; optimised codes may score more, as several
codes draw nearly one picture. So rivals are compared by the picture that returns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

Codes = Float[Tensor, "n num_ws w_dim"]
Images = Float[Tensor, "n 3 r r"]


@dataclass(frozen=True)
class Contestant:
    """A way to invert, by name: images in -1..1 -> ws."""

    name: str
    invert: Callable[[Images], Codes]


@dataclass(frozen=True)
class EditAndBack:
    """An edit of codes, and what takes it back."""

    edit: Callable[[Codes], Codes]
    back: Callable[[Codes], Codes]


@dataclass(frozen=True)
class InversionJudges:
    """What compares pictures, and draws codes.

    perceptual: (images, images) -> `[n]`. descriptor: images -> `[n, d]`, None = that column is null.
    """

    draw: Callable[[Codes], Images]
    w_std: Float[Tensor, " w_dim"]
    perceptual: Callable[[Images, Images], Tensor]
    descriptor: Callable[[Images], Tensor] | None = None


@dataclass(frozen=True)
class InversionScores:
    """One contestant's numbers, each `[n]`, a value a photograph; None = not measured."""

    name: str
    pixel_mse: Float[Tensor, " n"]
    perceptual_distance: Float[Tensor, " n"]
    descriptor_distance: Float[Tensor, " n"] | None
    edit_return_ws: Float[Tensor, " n"] | None
    edit_return_mse: Float[Tensor, " n"] | None

    def means(self) -> dict[str, str | float | None]:
        """The row of the table."""
        return {
            name: float(value.double().mean()) if isinstance(value, Tensor) else value
            for name, value in vars(self).items()
        }


def score_inversions(
    contestants: Sequence[Contestant],
    images: Images,
    judges: InversionJudges,
    *,
    edit: EditAndBack | None = None,
    batch_size: int,
) -> list[InversionScores]:
    """The rows of the table, in the contestants' order, `batch_size` photographs at a time."""
    return [
        _joined([_scores(one, part, judges, edit) for part in images.split(batch_size)])
        for one in contestants
    ]


def _scores(
    one: Contestant, images: Images, judges: InversionJudges, edit: EditAndBack | None
) -> InversionScores:
    ws = one.invert(images)
    drawn = _pictures(judges, ws)
    described = None
    if judges.descriptor is not None:
        described = (judges.descriptor(images) - judges.descriptor(drawn)).norm(dim=1)
    return InversionScores(
        one.name,
        _squared(drawn, images),
        judges.perceptual(drawn, images),
        described,
        *_returns(one, ws, drawn, judges, edit),
    )


def _returns(
    one: Contestant,
    ws: Codes,
    drawn: Images,
    judges: InversionJudges,
    edit: EditAndBack | None,
) -> tuple[Tensor | None, Tensor | None]:
    """How far an edit, inverted again and taken back, is from the code and from its picture."""
    if edit is None:
        return None, None
    again = edit.back(one.invert(_pictures(judges, edit.edit(ws))))
    away = ((again - ws) / judges.w_std).square().mean(dim=[1, 2])
    return away, _squared(_pictures(judges, again), drawn)


@torch.no_grad()
def _pictures(judges: InversionJudges, ws: Codes) -> Images:
    """As a photograph would be seen: no brighter than white."""
    return judges.draw(ws).clamp(-1, 1)


def _squared(images: Images, others: Images) -> Float[Tensor, " n"]:
    return (images - others).square().mean(dim=[1, 2, 3])


def _joined(parts: Sequence[InversionScores]) -> InversionScores:
    """Of one contestant, its photographs in order."""
    columns: list[dict[str, Any]] = [vars(part) for part in parts]
    whole = {
        name: torch.cat([column[name] for column in columns])
        for name, first in columns[0].items()
        if isinstance(first, Tensor)
    }
    return InversionScores(**columns[0] | whole)
