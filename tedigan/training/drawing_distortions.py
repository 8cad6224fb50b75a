"""What hands do to drawings: sketches warped, torn, doubled, thick or thin; maps with classes missing or merged.

Edge maps that lie on the photograph to the pixel make encoders that fail on a person's lines (the point of
DeepFacePencil), so training drawings are distorted, each by chance of its own and all of it drawn on the CPU.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.draws import each, uniform
from tedigan.vocabulary.labels import LABEL_NAMES

SPARED = 0.3  # of the drawings, by each distortion
MOST_TURNED, MOST_SCALED, MOST_SHIFTED = 0.06, 0.05, 0.03  # radians; shares; shares of the side
MOST_WARPED, WARP_CELLS = 0.03, 4  # shares of the side, of a field of so many cells a side
MOST_SHAKEN, SHAKE_CELLS = 0.012, 16
GAP_CELLS, MOST_TORN = 16, 0.35  # of the strokes
HOLE_CELLS, MOST_LOST = 4, 0.2  # whole parts that nobody drew
MOST_ASIDE = 0.025  # a stroke drawn again beside itself, as a share of the side
FAINTEST = 0.5  # ink
LOST_CLASS, MERGED = 0.15, 0.2  # chance of each class, and of each merger

# What stands where a class was not drawn: what it lies on.
BELOW = {
    "nose": "skin", "eye_g": "skin", "l_eye": "skin", "r_eye": "skin", "l_brow": "skin", "r_brow": "skin",
    "mouth": "skin", "u_lip": "skin", "l_lip": "skin", "l_ear": "background", "r_ear": "background",
    "hair": "background", "hat": "hair", "ear_r": "background", "neck_l": "neck", "neck": "background",
    "cloth": "background",
}  # fmt: skip
# What people paint in one colour: left -> the colour.
MERGERS = (
    {"r_eye": "l_eye"},
    {"r_brow": "l_brow"},
    {"r_ear": "l_ear"},
    {"mouth": "l_lip", "u_lip": "l_lip"},
    {"neck": "skin"},
    {"l_ear": "skin", "r_ear": "skin"},
    {"cloth": "background", "neck_l": "neck"},
    {"ear_r": "background"},
)


def distort_sketches(
    sketches: Float[Tensor, "n 1 h w"], rng: torch.Generator
) -> Float[Tensor, "n 1 h w"]:
    """Sketches of 0..1, 1 = paper, as another hand would have drawn them."""
    n, side = len(sketches), sketches.shape[-1]
    ink = 1 - sketches
    ink = _sampled(ink, _field(n, side, rng), mode="bilinear")
    again = _sampled(ink, MOST_ASIDE * _noise(n, 2, 2, side, rng), mode="bilinear")
    ink = torch.lerp(ink, torch.maximum(ink, again), _amount(n, rng).to(ink))
    ink = _of_width(ink, rng)
    ink = ink * _kept(n, GAP_CELLS, MOST_TORN, side, rng).to(ink)
    ink = ink * _kept(n, HOLE_CELLS, MOST_LOST, side, rng).to(ink)
    return 1 - ink * (1 - (1 - FAINTEST) * _amount(n, rng).to(ink))


def distort_labels(labels: UInt8[Tensor, "n h w"], rng: torch.Generator) -> UInt8[Tensor, "n h w"]:
    """Label maps as somebody would have painted them: shaken, and by fewer colours."""
    field = _field(len(labels), labels.shape[-1], rng)
    moved = _sampled(labels[:, None].float(), field, mode="nearest")[:, 0].to(torch.uint8)
    names = torch.stack(each(rng, len(labels), lambda: _names(rng))).to(labels.device)
    flat: Tensor = names.gather(1, moved.flatten(1).long())
    return flat.reshape(labels.shape)


def _names(rng: torch.Generator) -> UInt8[Tensor, " 19"]:
    """Class -> class, of one map."""
    names = torch.arange(len(LABEL_NAMES), dtype=torch.uint8)
    is_spared, dice = bool(torch.rand((), generator=rng) < SPARED), torch.rand(19, generator=rng)
    merged = torch.rand(len(MERGERS), generator=rng) < MERGED
    if is_spared:
        return names
    for merger, happens in zip(MERGERS, merged.tolist(), strict=True):
        for name, other in merger.items() if happens else ():
            names[_index(name)] = _index(other)
    for name, below in BELOW.items():
        if dice[_index(name)] < LOST_CLASS:
            names[names == _index(name)] = _index(below)
    return names


def _index(name: str) -> int:
    return LABEL_NAMES.index(name)


@dataclass(frozen=True)
class _Affine:
    """Turned, scaled and shifted grids of the unit square."""

    matrices: Float[Tensor, "n 2 3"]

    @classmethod
    def of(cls, n: int, rng: torch.Generator) -> "_Affine":
        draws = (2 * uniform(rng, n, 5) - 1) * _amount(n, rng)[:, 0, 0]
        turn, wide, high, right, down = draws.T
        angle = MOST_TURNED * turn
        cos, sin = angle.cos(), angle.sin()
        rows = [
            torch.stack([cos * (1 + MOST_SCALED * wide), -sin, 2 * MOST_SHIFTED * right], dim=1),
            torch.stack([sin, cos * (1 + MOST_SCALED * high), 2 * MOST_SHIFTED * down], dim=1),
        ]
        return cls(torch.stack(rows, dim=1))


def _field(n: int, side: int, rng: torch.Generator) -> Float[Tensor, "n side side 2"]:
    """Where each pixel comes from, less where it is: turned, warped and shaken, in shares of the side."""
    still = F.affine_grid(torch.eye(2, 3)[None], [1, 1, side, side], align_corners=False)
    whole = F.affine_grid(_Affine.of(n, rng).matrices, [n, 1, side, side], align_corners=False)
    warp = MOST_WARPED * _amount(n, rng) * _noise(n, 2, WARP_CELLS, side, rng)
    shake = MOST_SHAKEN * _amount(n, rng) * _noise(n, 2, SHAKE_CELLS, side, rng)
    return (whole - still) / 2 + (warp + shake)


def _noise(
    n: int, channels: int, cells: int, side: int, rng: torch.Generator
) -> Float[Tensor, "n side side c"]:
    """Smooth fields of about -1..1, of so many cells a side."""
    coarse = 2 * uniform(rng, n, channels, cells, cells) - 1
    smooth = F.interpolate(coarse, (side, side), mode="bicubic", align_corners=False)
    return smooth.permute(0, 2, 3, 1)


def _sampled(
    planes: Float[Tensor, "n c h w"], field: Float[Tensor, "n h w 2"], *, mode: str
) -> Float[Tensor, "n c h w"]:
    """Each pixel from where the field says."""
    side = planes.shape[-1]
    still = F.affine_grid(torch.eye(2, 3)[None], [1, 1, side, side], align_corners=False)
    grid = (still + 2 * field).to(planes)
    return F.grid_sample(planes, grid, mode=mode, padding_mode="border", align_corners=False)


def _of_width(ink: Float[Tensor, "n 1 h w"], rng: torch.Generator) -> Float[Tensor, "n 1 h w"]:
    """Up to a pixel a side thicker or thinner at 64 px, and as much in proportion at other sizes."""
    reach = max(1, round(ink.shape[-1] / 64))
    thick = F.max_pool2d(ink, 2 * reach + 1, stride=1, padding=reach)
    thin = ink.square()
    change = ((2 * uniform(rng, len(ink), 1, 1, 1) - 1) * _amount(len(ink), rng)).to(ink)
    return torch.where(change > 0, torch.lerp(ink, thick, change), torch.lerp(ink, thin, -change))


def _kept(
    n: int, cells: int, most: float, side: int, rng: torch.Generator
) -> Float[Tensor, "n 1 side side"]:
    """1 where strokes stay, 0 where they are gone: up to a share `most` of the sheet, in blots of a cell."""
    share = most * _amount(n, rng)
    blots = uniform(rng, n, 1, cells, cells)
    smooth = F.interpolate(blots, (side, side), mode="bilinear", align_corners=False)
    least = torch.stack([one.quantile(float(s)) for one, s in zip(smooth, share, strict=True)])
    kept = ((smooth - least[:, None, None, None]) * 2 * cells + 0.5).clamp(0, 1)
    return torch.where(share > 0, kept, 1.0)


def _amount(n: int, rng: torch.Generator) -> Float[Tensor, "n 1 1 1"]:
    """How much of a distortion each drawing gets, 0..1; `SPARED` of them none."""
    dice = uniform(rng, n, 1, 1, 1)
    return ((dice - SPARED) / (1 - SPARED)).clamp(min=0)
