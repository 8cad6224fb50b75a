"""Label maps that a model predicted, mended by what is known of a face: it is one piece, and nobody who wears no
glasses has any.

What an attribute rules out is taken from the map, and each of its pixels becomes the nearest class that may be
there. What an attribute says is there, but the map does not show, stays missing: nothing is invented.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from tedigan.vocabulary.labels import LABEL_NAMES

ISLAND = 0.02  # of the picture: a smaller piece of a person on its own is none


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


def without_islands(labels: UInt8[Tensor, "1 h w"]) -> UInt8[Tensor, "1 h w"]:
    """The map without small pieces apart from the person, and without small holes in it.

    The largest piece stays, however small; a hole becomes what is nearest.
    """
    mended = labels[0].numpy().copy()
    mended[_small_pieces(mended > 0)] = 0
    holes = _small_pieces(mended == 0, may_touch_edge=False)
    mended[holes] = _nearest(mended, list(range(1, len(LABEL_NAMES))))[holes]
    return torch.from_numpy(mended)[None]


def _small_pieces(
    mask: Bool[np.ndarray, "h w"], *, may_touch_edge: bool = True
) -> Bool[np.ndarray, "h w"]:
    """Those of less than ISLAND, but for the largest. may_touch_edge: also those that the picture's edge cuts."""
    from scipy import ndimage  # of the extra `data`

    pieces, num = ndimage.label(mask)
    sizes = np.bincount(pieces.ravel(), minlength=num + 1)
    is_small = sizes < ISLAND * mask.size
    is_small[0] = False
    if not may_touch_edge:
        edge = np.concatenate([pieces[[0, -1]].ravel(), pieces[:, [0, -1]].ravel()])
        is_small[edge] = False
    if num:
        is_small[1 + sizes[1:].argmax()] = False
    return is_small[pieces]


def _nearest(labels: UInt8[np.ndarray, "h w"], classes: list[int]) -> UInt8[np.ndarray, "h w"]:
    """At each pixel the nearest of these classes; the first of them where the map has none."""
    is_there = np.isin(labels, classes)
    if not is_there.any():
        return np.full_like(labels, classes[0])
    from scipy import ndimage

    y, x = ndimage.distance_transform_edt(~is_there, return_distances=False, return_indices=True)
    return labels[y, x]
