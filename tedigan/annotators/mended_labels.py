"""Label maps that a model predicted, mended by what is known of the face: no glasses where nobody wears any.

What an attribute rules out is taken from the map, and each of its pixels becomes the nearest class that may be
there. What an attribute says is there, but the map does not show, stays missing: nothing is invented.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import UInt8
from scipy import ndimage
from torch import Tensor

from tedigan.vocabulary.labels import LABEL_NAMES


class Rule(NamedTuple):
    """Where `attribute` has the value `value`, there is no `ruled_out`; one of `instead` is there."""

    attribute: str
    value: bool
    ruled_out: str
    instead: tuple[str, ...]


RULES = (
    Rule("Mouth_Slightly_Open", False, "mouth", ("u_lip", "l_lip")),
    Rule("Bald", True, "hair", ("skin",)),
    Rule("Eyeglasses", False, "eye_g", ("skin", "nose", "l_eye", "r_eye", "l_brow", "r_brow")),
    Rule("Wearing_Hat", False, "hat", ("hair", "skin", "background")),
    Rule(
        "Wearing_Earrings", False, "ear_r", ("l_ear", "r_ear", "hair", "neck", "skin", "background")
    ),
    Rule("Wearing_Necklace", False, "neck_l", ("neck", "cloth", "skin")),
)


def mend_labels(
    labels: UInt8[Tensor, "1 h w"], attributes: Mapping[str, bool]
) -> UInt8[Tensor, "1 h w"]:
    """The map without what the attributes rule out; attributes that are not known rule out nothing."""
    mended = labels[0].numpy().copy()
    for rule in RULES:
        is_wrong = mended == LABEL_NAMES.index(rule.ruled_out)
        if attributes.get(rule.attribute) is rule.value and is_wrong.any():
            allowed = [LABEL_NAMES.index(name) for name in rule.instead]
            mended[is_wrong] = _nearest(mended, allowed)[is_wrong]
    return torch.from_numpy(mended)[None]


def _nearest(labels: UInt8[np.ndarray, "h w"], classes: list[int]) -> UInt8[np.ndarray, "h w"]:
    """At each pixel the nearest of these classes; the first of them where the map has none."""
    is_there = np.isin(labels, classes)
    if not is_there.any():
        return np.full_like(labels, classes[0])
    y, x = ndimage.distance_transform_edt(~is_there, return_distances=False, return_indices=True)
    return labels[y, x]
