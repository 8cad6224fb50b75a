"""Cut-outs: the person of a photograph on nothing, with soft edges.

`alpha` is float32 0..1 `[h, w]`, 1 where the person hides the background. A cut-out is uint8 `[4, h, w]`:
red, green, blue, alpha.
"""

import torch
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from tedigan.errors import ImageError, LabelError, ShapeError
from tedigan.vocabulary.labels import check_labels

MIN_SHARE = 0.01  # of the picture, that person and background must each fill
LOOK_PX = 256  # what varies slowly is computed at about this size
WINDOW_PX = 5  # radius of its windows
EPSILON = 1e-4  # colours that differ by less than its root, 1 % of the range, are one surface


def alpha_of_labels(
    labels: UInt8[Tensor, "h w"], pixels: UInt8[Tensor, "3 h w"]
) -> Float[Tensor, "h w"]:
    """The alpha of everything that a label map does not call background.

    A map without a person, or without a background, is a LabelError: see `check_person`.
    """
    check_person(labels)
    return soften(labels > 0, pixels)


def check_person(labels: UInt8[Tensor, "h w"]) -> None:
    """LabelError if the map shows no person or no background: there is nothing to cut."""
    check_labels(labels)
    share = float((labels > 0).float().mean())
    if not MIN_SHARE <= share <= 1 - MIN_SHARE:
        raise LabelError(
            f"the label map calls {share:.1%} of the picture a person; expected {MIN_SHARE:.0%} to "
            f"{1 - MIN_SHARE:.0%}. Look at the map, or make this photograph's cut-out by a matting model."
        )


def check_alpha(alpha: UInt8[Tensor, "h w"], *, name: str) -> None:
    """ImageError if a given cut-out shows all or nothing."""
    share = float(alpha.float().mean()) / 255
    if not MIN_SHARE <= share <= 1 - MIN_SHARE:
        raise ImageError(
            f"{name} shows {share:.1%} of the picture; expected {MIN_SHARE:.0%} to {1 - MIN_SHARE:.0%}, the rest "
            "being transparent. Cut the person out, or remove it.",
            problem="cut-out",
        )


def soften(
    is_person: Bool[Tensor, "h w"], pixels: UInt8[Tensor, "3 h2 w2"]
) -> Float[Tensor, "h w"]:
    """A hard mask -> alpha that follows the photograph's own edges near the mask's border.

        alpha = a . colour + b, with a and b fitted to the mask in each window, then averaged

    Guided filter with a colour guide, in its subsampled form (He and Sun, arXiv:1505.00996). Farther than
    two windows from the border alpha is the mask.
    """
    if is_person.shape != pixels.shape[1:]:
        raise ShapeError(
            f"the mask is {list(is_person.shape)}, the photograph {list(pixels.shape[1:])}; "
            "expected one size. Resize the labels to the photograph with NEAREST."
        )
    mask, colours = is_person.float()[None, None], pixels.float()[None] / 255
    slope, offset = _fit(_shrink(mask), _shrink(colours), radius=WINDOW_PX)
    alpha = (_grow(slope, mask) * colours).sum(1, keepdim=True) + _grow(offset, mask)
    return _steeper(alpha)[0, 0]


def cut_out(pixels: UInt8[Tensor, "3 h w"], alpha: Float[Tensor, "h w"]) -> UInt8[Tensor, "4 h w"]:
    """The photograph with its alpha; where both show through, the background's colour is taken out.

        F = F_mean + alpha (I - alpha F_mean - (1 - alpha) B_mean)

    Blur fusion (Forte, "Approximate fast foreground colour estimation", ICIP 2021). Where alpha is 0 the
    colour is black: nobody sees it, and it packs well.
    """
    colours, shown = pixels.float()[None] / 255, alpha[None, None]
    person, background = _mean_colour(colours, shown), _mean_colour(colours, 1 - shown)
    mixed = shown * person + (1 - shown) * background
    clean = torch.where(shown < 1, person + shown * (colours - mixed), colours)
    levels = torch.cat([clean * (shown > 0), shown], dim=1)[0]
    return (levels * 255).round().clamp(0, 255).to(torch.uint8)


def _fit(
    mask: Float[Tensor, "1 1 h w"], colours: Float[Tensor, "1 3 h w"], *, radius: int
) -> tuple[Float[Tensor, "1 3 h w"], Float[Tensor, "1 1 h w"]]:
    """Slope and offset of the best linear map from colour to mask around each pixel."""
    mean_mask, mean = _box(mask, radius), _box(colours, radius)
    covariance = _box(colours * mask, radius) - mean * mean_mask
    products = (colours[:, :, None] * colours[:, None]).flatten(1, 2)
    variance = _box(products, radius).unflatten(1, (3, 3)) - mean[:, :, None] * mean[:, None]
    variance = variance.permute(0, 3, 4, 1, 2) + EPSILON * torch.eye(3)
    slope = torch.linalg.solve(variance, covariance.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    offset = mean_mask - (slope * mean).sum(1, keepdim=True)
    return _box(slope, radius), _box(offset, radius)


def _mean_colour(
    colours: Float[Tensor, "1 3 h w"], weight: Float[Tensor, "1 1 h w"]
) -> Float[Tensor, "1 3 h w"]:
    """The mean colour around each pixel of what `weight` says is there; its cube trusts the pure pixels."""
    trust = weight**3
    there = _box(_shrink(trust), WINDOW_PX).clamp(min=1e-4)
    return _grow(_box(_shrink(colours * trust), WINDOW_PX) / there, colours)


def _steeper(alpha: Float[Tensor, "1 1 h w"]) -> Float[Tensor, "1 1 h w"]:
    """Alpha 0.1..0.9 -> 0..1: what is nearly nothing or nearly all becomes it."""
    return ((alpha - 0.1) / 0.8).clamp(0, 1)


def _factor(x: Float[Tensor, "1 c h w"]) -> int:
    """How many times smaller the picture is looked at."""
    return max(1, round(max(x.shape[2:]) / LOOK_PX))


def _shrink(x: Float[Tensor, "1 c h w"]) -> Float[Tensor, "1 c h2 w2"]:
    return functional.avg_pool2d(x, _factor(x), ceil_mode=True)


def _grow(
    x: Float[Tensor, "1 c h w"], like: Float[Tensor, "1 d h2 w2"]
) -> Float[Tensor, "1 c h2 w2"]:
    return functional.interpolate(x, like.shape[2:], mode="bilinear", align_corners=False)


def _box(x: Float[Tensor, "1 c h w"], radius: int) -> Float[Tensor, "1 c h w"]:
    """The mean over a square window around each pixel."""
    size = (1, 1, 2 * radius + 1, 2 * radius + 1)
    return torch.from_numpy(ndimage.uniform_filter(x.numpy(), size, mode="nearest"))
