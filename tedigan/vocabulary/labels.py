"""The 19 classes of a CelebAMask-HQ label map.

`labels` are uint8 class indices `[n, h, w]`; as pixels they wear LABEL_PALETTE's colours.
The index is also the painting order: a later class covers an earlier one.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor
from torch.nn import functional

from tedigan.errors import LabelError

# Colours of CelebAMask-HQ's g_color.py.
LABEL_PALETTE: dict[str, tuple[int, int, int]] = {
    "background": (0, 0, 0),
    "skin": (204, 0, 0),
    "nose": (76, 153, 0),
    "eye_g": (204, 204, 0),
    "l_eye": (51, 51, 255),
    "r_eye": (204, 0, 204),
    "l_brow": (0, 255, 255),
    "r_brow": (255, 204, 204),
    "l_ear": (102, 51, 0),
    "r_ear": (255, 0, 0),
    "mouth": (102, 204, 0),
    "u_lip": (255, 255, 0),
    "l_lip": (0, 0, 153),
    "hair": (0, 0, 204),
    "hat": (255, 51, 153),
    "ear_r": (0, 204, 204),
    "neck_l": (0, 51, 0),
    "neck": (255, 153, 51),
    "cloth": (0, 204, 0),
}
LABEL_NAMES: tuple[str, ...] = tuple(LABEL_PALETTE)

OTHER_COLOURS = {
    (51, 255, 255): "r_brow"
}  # of MaskGAN's palette, in face_parsing/utils.py beside it
_NO_CLASS = 255
_OTHER_BROW = 51 << 16 | 255 << 8 | 255
_LEAST_BROW = 0.25  # of the brows, on each side of the nose
# A person's left and right: l_eye lies on the right of the picture. (l_lip is the lower lip.)
_SIDED = ("eye", "brow", "ear")


def check_labels(labels: UInt8[Tensor, "*n h w"]) -> None:
    """LabelError if an index is not one of the 19."""
    if labels.numel() and int(labels.max()) >= len(LABEL_NAMES):
        raise LabelError(
            f"a label map holds the index {int(labels.max())}; expected 0..{len(LABEL_NAMES) - 1}. "
            "Give a map of class indices (not of grey values) or one in the official colours."
        )


def labels_to_colours(labels: UInt8[Tensor, "n h w"]) -> UInt8[Tensor, "n 3 h w"]:
    """Class indices -> the official colours."""
    check_labels(labels)
    palette = torch.tensor(list(LABEL_PALETTE.values()), dtype=torch.uint8)
    return palette[labels.long()].permute(0, 3, 1, 2).contiguous()


def colours_to_labels(pixels: UInt8[Tensor, "3 h w"]) -> UInt8[Tensor, "h w"]:
    """The colours of either official palette -> class indices; any other colour is a LabelError."""
    codes = _colour_codes(pixels)
    labels = torch.full(codes.shape, _NO_CLASS, dtype=torch.uint8)
    known = {colour: name for name, colour in LABEL_PALETTE.items()} | OTHER_COLOURS
    for (red, green, blue), name in known.items():
        labels[codes == (red << 16 | green << 8 | blue)] = LABEL_NAMES.index(name)
    strange = codes[labels == _NO_CLASS]
    if strange.numel():
        code = int(strange[0])
        raise LabelError(
            f"a label map has {strange.numel()} px in colours of no class, such as "
            f"{(code >> 16, code >> 8 & 255, code & 255)}; expected the CelebAMask-HQ colours. "
            "Save it as PNG (not JPEG) and resize it with NEAREST."
        )
    return parted_brows(labels, codes == _OTHER_BROW)


def parted_brows(
    labels: UInt8[Tensor, "h w"], is_painted: Bool[Tensor, "h w"]
) -> UInt8[Tensor, "h w"]:
    """Where both brows wear MaskGAN's colour of one, the one on the right of the nose becomes l_brow.

    is_painted: where that colour is. A map with another brow, or without a gap between the two, stays as it is.
    """
    left, right, nose = (LABEL_NAMES.index(name) for name in ("l_brow", "r_brow", "nose"))
    if not bool(is_painted.any()) or bool((labels == left).any()):
        return labels
    columns = (labels == nose).nonzero()[:, 1].float()
    if not len(columns) or not torch.equal(labels == right, is_painted):
        return labels
    place = torch.arange(labels.shape[1]) - columns.mean()
    shares = [
        float(is_painted[:, side].sum() / is_painted.sum()) for side in (place < -1, place > 1)
    ]
    if sum(shares) < 1 or min(shares) < _LEAST_BROW:
        return labels
    return torch.where(is_painted & (place > 1), torch.tensor(left, dtype=torch.uint8), labels)


def one_hot(labels: UInt8[Tensor, "n h w"]) -> Float[Tensor, "n 19 h w"]:
    """Class indices -> 19 planes of 0 and 1, the input of the label encoder."""
    check_labels(labels)
    classes = torch.arange(len(LABEL_NAMES), dtype=torch.uint8, device=labels.device)
    return (labels[:, None] == classes[:, None, None]).to(torch.float32)


def merge_masks(masks: Mapping[str, Bool[Tensor, "h w"]]) -> UInt8[Tensor, "h w"]:
    """Masks by class name -> class indices, painted in the official order on background."""
    shapes = {tuple(mask.shape) for mask in masks.values()}
    if len(shapes) != 1:
        raise LabelError(
            f"{len(masks)} masks of sizes {sorted(shapes)}; expected one or more of one size. "
            "Copy the photograph's masks again from the published archive.",
            problem="masks of different sizes",
        )
    if unknown := set(masks) - set(LABEL_NAMES):
        raise LabelError(
            f"unknown classes {sorted(unknown)}; the 19 are: {', '.join(LABEL_NAMES)}.",
            problem="unknown classes",
        )
    labels = torch.zeros(shapes.pop(), dtype=torch.uint8)
    for index, name in enumerate(LABEL_NAMES):
        if name in masks:
            labels[masks[name]] = index
    return labels


def resize_labels(labels: UInt8[Tensor, "n h w"], size_px: int) -> UInt8[Tensor, "n size size"]:
    """NEAREST, so that no class is invented between two others; centre crop if not square."""
    height, width = labels.shape[1:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = labels[:, None, top : top + side, left : left + side]
    return functional.interpolate(square, size=(size_px, size_px), mode="nearest-exact")[:, 0]


def mirror_labels(labels: UInt8[Tensor, "n h w"]) -> UInt8[Tensor, "n h w"]:
    """The map of the mirrored photograph: left and right change their names, too."""
    names = torch.arange(len(LABEL_NAMES), dtype=torch.uint8)
    for part in _SIDED:
        left, right = LABEL_NAMES.index(f"l_{part}"), LABEL_NAMES.index(f"r_{part}")
        names[left], names[right] = right, left
    return names.to(labels.device)[labels.flip(2).long()]


def _colour_codes(pixels: UInt8[Tensor, "3 h w"]) -> Tensor:
    """Each pixel's colour as one integer."""
    red, green, blue = pixels.to(torch.int32).unbind()
    return red << 16 | green << 8 | blue
