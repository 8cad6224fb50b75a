"""Is there a face? A parser's map has the parts of one, or it has not."""

from collections.abc import Mapping

import torch
from jaxtyping import UInt8
from torch import Tensor

from tedigan.vocabulary.labels import LABEL_NAMES

# Of the picture's pixels, at least, each of these. 99 % of CelebA-HQ's photographs have them at 64 px, faces of a
# generator at psi 0.7 nearly always, at psi 4 a third, noise too (python -m benchmarks.checks faces).
PARTS: dict[tuple[str, ...], float] = {
    ("skin",): 0.1,
    ("nose",): 0.005,
    ("mouth", "u_lip", "l_lip"): 0.002,
    ("l_eye", "r_eye", "eye_g"): 0.001,
}


def shares_of(labels: UInt8[Tensor, "h w"]) -> dict[str, float]:
    """Class -> its share of the picture."""
    counts = torch.bincount(labels.flatten().int(), minlength=len(LABEL_NAMES))
    shares = (counts.double() / labels.numel()).tolist()
    return dict(zip(LABEL_NAMES, shares, strict=False))


def has_face(shares: Mapping[str, float]) -> bool:
    """Whether each part of a face is there."""
    return all(sum(shares[one] for one in names) >= least for names, least in PARTS.items())
