"""Precision, recall, density and coverage: do faces lie among photographs, and photographs among faces?

Of a set's picture its neighbourhood is the ball that reaches to its k-th nearest other one.

    precision   share of faces within some photograph's neighbourhood        arXiv:1904.06991, k = 3
    recall      share of photographs within some face's neighbourhood
    density     how many photographs' neighbourhoods a face lies in, over k  arXiv:2002.09797, k = 5
    coverage    share of photographs in whose neighbourhood a face lies

A generator that repeats one face has no recall and no coverage; one whose faces are none has no precision.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tedigan.errors import ShapeError

NEAREST_OF_PRECISION, NEAREST_OF_DENSITY = 3, 5
ROWS_AT_ONCE = 512


@dataclass(frozen=True)
class Neighbourhoods:
    """All in 0..1, but density, which may exceed 1."""

    precision: float
    recall: float
    density: float
    coverage: float


def neighbourhoods(
    photographs: Float[Tensor, "n d"], faces: Float[Tensor, "m d"]
) -> Neighbourhoods:
    """Both sets need more than NEAREST_OF_DENSITY pictures, or it is a ShapeError."""
    if min(len(photographs), len(faces)) <= NEAREST_OF_DENSITY:
        raise ShapeError(
            f"neighbourhoods of {len(photographs)} photographs and {len(faces)} faces were asked for; expected "
            f"more than {NEAREST_OF_DENSITY} of each."
        )
    few, many = NEAREST_OF_PRECISION, NEAREST_OF_DENSITY
    in_photographs = _within(faces, photographs, _radii(photographs, few))
    in_faces = _within(photographs, faces, _radii(faces, few))
    near = _within(faces, photographs, _radii(photographs, many))
    return Neighbourhoods(
        precision=float(in_photographs.any(dim=1).double().mean()),
        recall=float(in_faces.any(dim=1).double().mean()),
        density=float(near.double().sum(dim=1).mean() / many),
        coverage=float(near.any(dim=0).double().mean()),
    )


def _radii(features: Float[Tensor, "n d"], k: int) -> Float[Tensor, " n"]:
    """To the k-th nearest other one; the nearest of all is a picture itself."""
    x = features.double()
    parts = [torch.cdist(part, x).kthvalue(k + 1, dim=1).values for part in x.split(ROWS_AT_ONCE)]
    return torch.cat(parts)


def _within(
    points: Float[Tensor, "m d"], centres: Float[Tensor, "n d"], radii: Float[Tensor, " n"]
) -> Bool[Tensor, "m n"]:
    x, y = points.double(), centres.double()
    return torch.cat([torch.cdist(part, y) <= radii for part in x.split(ROWS_AT_ONCE)])
