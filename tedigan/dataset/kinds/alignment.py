"""FFHQ alignment: a photograph and the face's 68 landmarks -> the square that StyleGAN was trained on.

`landmarks` are float64 `[68, 2]`, x and y of pixel centres of the photograph, in the order of 300-W: 36-41
is the eye on the left of the picture, 42-47 the other, 48 and 54 are the corners of the mouth.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, UInt8
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from tedigan.errors import ImageError

MIN_SCALE = 0.5  # pixels of the photograph for one of the result, along a side
BORDER, PADDING, BLUR = 0.1, 0.3, 0.02  # of the square's side, as in FFHQ


@dataclass(frozen=True)
class Square:
    """The part of a photograph that becomes the picture; it may be turned, and reach over the edge.

    centre: x, y in pixels from the photograph's upper left corner. across: from the centre to the middle of
    the right side.
    """

    centre: tuple[float, float]
    across: tuple[float, float]

    @property
    def side_px(self) -> float:
        """Length of a side."""
        return 2 * math.hypot(*self.across)

    def moved(self, left: int, top: int) -> "Square":
        """The same square after `left` and `top` pixels are cut off."""
        return Square((self.centre[0] - left, self.centre[1] - top), self.across)

    def bounds(self) -> tuple[int, int, int, int]:
        """The pixels that its corners span with FFHQ's border: left, top, right, bottom."""
        reach = sum(map(abs, self.across)) + max(BORDER * self.side_px, 3)
        x, y = self.centre
        return (
            math.floor(x - reach),
            math.floor(y - reach),
            math.ceil(x + reach),
            math.ceil(y + reach),
        )


def square_of(landmarks: Float64[np.ndarray, "68 2"]) -> Square:
    """The square of a face as FFHQ and CelebA-HQ cut it (Karras et al., arXiv:1710.10196, appendix C).

    across = e - rot90(m), of length max(2 |e|, 1.8 |m|)      e: eye to eye, m: eyes to mouth
    centre = middle of the eyes + 0.1 m
    """
    left, right = landmarks[36:42].mean(0), landmarks[42:48].mean(0)
    eyes, mouth = (left + right) / 2, (landmarks[48] + landmarks[54]) / 2
    eye_to_eye, eyes_to_mouth = right - left, mouth - eyes
    across = eye_to_eye + np.array([eyes_to_mouth[1], -eyes_to_mouth[0]])
    across *= max(2 * math.hypot(*eye_to_eye), 1.8 * math.hypot(*eyes_to_mouth)) / math.hypot(
        *across
    )
    centre = eyes + 0.1 * eyes_to_mouth + 0.5  # from the pixel's centre to its corner
    return Square((float(centre[0]), float(centre[1])), (float(across[0]), float(across[1])))


def align(
    pixels: UInt8[Tensor, "3 h w"], landmarks: Float64[np.ndarray, "68 2"], *, size_px: int
) -> UInt8[Tensor, "3 size size"]:
    """The aligned face. What lies outside of the photograph becomes its blurred mirror image, as in FFHQ.

    A face that would have to be enlarged more than twofold is an ImageError.
    """
    square = square_of(landmarks)
    if square.side_px < MIN_SCALE * size_px:
        raise ImageError(
            f"the face is too small: with its hair it fills {square.side_px:.0f} px, and a picture of "
            f"{size_px} px needs {math.ceil(MIN_SCALE * size_px)}. Give a larger photograph, or make a "
            "data set of fewer pixels.",
            problem="face too small",
        )
    image, square = _padded(*_cropped(*_shrunk(pixels, square, size_px)))
    return _sampled(image, square, size_px)


def _shrunk(
    pixels: UInt8[Tensor, "3 h w"], square: Square, size_px: int
) -> tuple[UInt8[Tensor, "3 h2 w2"], Square]:
    """Make a large photograph smaller, until its square is two to four times the result's size."""
    factor = math.floor(square.side_px / size_px / 2)
    if factor <= 1:
        return pixels, square
    height, width = pixels.shape[1:]
    size = (round(height / factor), round(width / factor))
    small = functional.interpolate(pixels[None], size, mode="bilinear", antialias=True)[0]
    down, right = size[0] / height, size[1] / width
    (x, y), (across_x, across_y) = square.centre, square.across
    return small, Square((x * right, y * down), (across_x * right, across_y * down))


def _cropped(
    pixels: UInt8[Tensor, "3 h w"], square: Square
) -> tuple[UInt8[Tensor, "3 h2 w2"], Square]:
    """Cut off what lies far from the square."""
    left, top, right, bottom = square.bounds()
    left, top = max(left, 0), max(top, 0)
    return pixels[:, top : max(bottom, 0), left : max(right, 0)], square.moved(left, top)


def _padded(
    pixels: UInt8[Tensor, "3 h w"], square: Square
) -> tuple[UInt8[Tensor, "3 h2 w2"], Square]:
    """Where the square reaches over the edge, continue the photograph by its mirror image, ever more blurred."""
    left, top, right, bottom = square.bounds()
    height, width = pixels.shape[1:]
    missing = [-left, right - width, -top, bottom - height]
    if max(missing) <= BORDER * square.side_px - 4:
        return pixels, square
    pads = [max(pad, round(PADDING * square.side_px)) for pad in missing]
    array = np.pad(pixels.numpy(), ((0, 0), pads[2:], pads[:2]), mode="reflect").astype(np.float32)
    outside = np.maximum(
        _outside(array.shape[2], *pads[:2])[None, :], _outside(array.shape[1], *pads[2:])[:, None]
    )
    array += (_blurred(array, BLUR * square.side_px) - array) * np.clip(3 * outside + 1, 0, 1)
    median = np.median(array, axis=(1, 2), keepdims=True)
    array += (median - array) * np.clip(outside, 0, 1)
    padded = torch.from_numpy(array).round().clamp(0, 255).to(torch.uint8)
    return padded, square.moved(-pads[0], -pads[2])


def _outside(length: int, before: int, after: int) -> Float[np.ndarray, " length"]:
    """How far outside of the photograph: 1 at the new edge, 0 at the old one, negative inside."""
    place = np.arange(length, dtype=np.float32)
    return 1 - np.minimum(place / before, (length - 1 - place) / after)


def _blurred(array: Float[np.ndarray, "3 h w"], sigma_px: float) -> Float[np.ndarray, "3 h w"]:
    """A Gaussian blur; a wide one at a smaller size."""
    factor = max(1, int(sigma_px / 3))
    image = functional.avg_pool2d(torch.from_numpy(array), factor, ceil_mode=True).numpy()
    small = torch.from_numpy(
        ndimage.gaussian_filter(image, (0, sigma_px / factor, sigma_px / factor))
    )
    size = array.shape[1:]
    return functional.interpolate(small[None], size, mode="bilinear", align_corners=False)[
        0
    ].numpy()


def _sampled(
    pixels: UInt8[Tensor, "3 h w"], square: Square, size_px: int
) -> UInt8[Tensor, "3 size size"]:
    """The square, read from the photograph at up to four times its size and averaged down."""
    fine = size_px * max(1, math.ceil(square.side_px / size_px))
    height, width = pixels.shape[1:]
    (x, y), (right, down) = square.centre, square.across
    theta = torch.tensor(
        [
            [2 * right / width, -2 * down / width, 2 * x / width - 1],
            [2 * down / height, 2 * right / height, 2 * y / height - 1],
        ],
        dtype=torch.float32,
    )
    where = functional.affine_grid(theta[None], [1, 3, fine, fine], align_corners=False)
    image = functional.grid_sample(
        pixels.float()[None], where, padding_mode="border", align_corners=False
    )
    small = functional.interpolate(image, (size_px, size_px), mode="area")[0]
    return small.round().clamp(0, 255).to(torch.uint8)
