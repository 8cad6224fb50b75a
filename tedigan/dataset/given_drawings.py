"""A sketch or a label map that somebody gives: any size, colours and habits -> as a data set holds them.

What can be understood is, with a note that says how; what cannot is refused in one line that names it.
"""

import io
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from torch import Tensor

from tedigan.dataset.masks import COLOUR_TOLERANCE, numbers_of
from tedigan.encoders.modalities import Drawing
from tedigan.errors import ImageError, LabelError
from tedigan.store import pictures
from tedigan.vocabulary.labels import (
    LABEL_NAMES,
    LABEL_PALETTE,
    OTHER_COLOURS,
    parted_brows,
    resize_labels,
)

PAPER = 24  # levels of any channel by which paper may differ from its colour
LEAST_PAPER = 0.35  # share of a drawing that is paper; a photograph has less
LEAST_INK, LEAST_STROKES = 24, 0.0005  # levels of the darkest stroke; share of the sheet
MOST_STRANGE = 0.05  # share of a map that may be mixed colours, where two classes meet
ATTRIBUTES = {
    "hat": "Wearing_Hat",
    "eye_g": "Eyeglasses",
    "ear_r": "Wearing_Earrings",
    "neck_l": "Wearing_Necklace",
}  # that a painted class shows


@dataclass(frozen=True)
class Given:
    """A drawing, and what was done to understand it."""

    drawing: UInt8[Tensor, "1 *c size size"]
    notes: list[str] = field(default_factory=list)


def read_drawing(picture: Image.Image | str | Path, kind: Drawing, size_px: int) -> Given:
    """A sketch or a label map, from Pillow or from a file."""
    if isinstance(picture, Image.Image):
        buffer = io.BytesIO()
        picture.save(buffer, format="PNG")  # whatever its mode
        content, name = buffer.getvalue(), {"sketch": "the sketch", "label": "the label map"}[kind]
    else:
        content, name = _content_of(Path(picture)), Path(picture).name
    return (read_sketch if kind == "sketch" else read_labels)(content, size_px, name=name)


def _content_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error}. Check its name and rights.") from error


def read_sketch(content: bytes, size_px: int, *, name: str = "sketch") -> Given:
    """A sketch file: any ink on any paper, padded to a square with paper. A photograph is sketched first.

    Raises ImageError for an empty sheet and for what is no picture.
    """
    pixels, notes = _on_paper(content, name)
    height, width = pixels.shape[1:]
    paper, ink = _paper_and_ink(pixels)
    share = float((ink <= PAPER).float().mean())
    if share < LEAST_PAPER:
        from tedigan.dataset.kinds.sketches import sketch_of  # needs the extra `data`

        drawn = sketch_of(pictures.resize(pixels, max(size_px, min(height, width))), size_px)
        return Given(drawn[None], [f"{name} looks like a photograph: our own sketcher drew it"])
    strongest = float(ink.quantile(0.999)) if ink.numel() < 2**24 else float(ink.max())
    if strongest < LEAST_INK or float((ink > strongest / 2).float().mean()) < LEAST_STROKES:
        raise ImageError(
            f"{name} is an empty sheet ({width} x {height} px of one colour), expected strokes. Draw some."
        )
    if sum(paper) < 3 * 128:
        notes.append(f"{name} is light on dark: turned over")
    if height != width:
        notes.append(f"{name} is {width} x {height} px: padded to a square with paper")
    strokes = _squared((ink / strongest).clamp(0, 1)[None, None])
    return Given(_sized(strokes, size_px), notes)


def read_labels(content: bytes, size_px: int, *, name: str = "label map") -> Given:
    """A label map file: class indices, or CelebAMask-HQ's colours; padded to a square with background.

    Transparent pixels and classes that are missing say nothing. Raises LabelError for colours and indices of no
    class, and for a map that shows nothing.
    """
    labels, notes = _indices(content, name)
    height, width = labels.shape
    if int(labels.max()) == 0:
        raise LabelError(
            f"{name} is background and nothing else, expected classes of a face ({', '.join(LABEL_NAMES[1:4])}, "
            "...). Paint some."
        )
    if height != width:
        notes.append(f"{name} is {width} x {height} px: padded to a square with background")
    square = _squared(labels[None, None].float())[:, 0].to(torch.uint8)
    return Given(resize_labels(square, size_px), notes)


def shown_by(labels: UInt8[Tensor, "n h w"]) -> dict[str, bool]:
    """What a map shows beyond doubt: that somebody painted a hat. What it lacks may only not be painted."""
    there = {LABEL_NAMES[index] for index in labels.unique().tolist()}
    return {attribute: True for name, attribute in ATTRIBUTES.items() if name in there}


def _on_paper(content: bytes, name: str) -> tuple[UInt8[Tensor, "3 h w"], list[str]]:
    """The colours; where the sheet is transparent, on white, or on black if what is drawn is light."""
    rgba = pictures.decode_cutout(content, name=name).float()
    alpha = rgba[3:] / 255
    if bool((alpha == 1).all()):
        return rgba[:3].to(torch.uint8), []
    drawn = (rgba[:3] * alpha).sum() / (3 * alpha.sum()).clamp(min=1)
    paper = 0.0 if float(drawn) > 128 else 255.0
    flat = rgba[:3] * alpha + paper * (1 - alpha)
    return flat.round().to(torch.uint8), [f"{name} is transparent: put on paper"]


def _paper_and_ink(
    pixels: UInt8[Tensor, "3 h w"],
) -> tuple[list[int], Float[Tensor, "h w"]]:
    """The commonest colour, and how far each pixel is from it in any channel; so every ink counts alike."""
    coarse = (pixels.long() // 16).flatten(1)
    codes = coarse[0] * 256 + coarse[1] * 16 + coarse[2]
    commonest = codes == codes.bincount(minlength=4096).argmax()
    paper = pixels.flatten(1)[:, commonest].float().median(dim=1).values
    ink = (pixels.float() - paper[:, None, None]).abs().amax(dim=0)
    return paper.long().tolist(), torch.where(ink <= PAPER / 2, 0.0, ink)


def _squared(planes: Float[Tensor, "1 1 h w"]) -> Float[Tensor, "1 1 side side"]:
    """Nothing drawn on both sides of the shorter side."""
    height, width = planes.shape[2:]
    lack = max(height, width) - torch.tensor([width, height])
    left, top = (lack // 2).tolist()
    right, bottom = (lack - lack // 2).tolist()
    return F.pad(planes, (left, right, top, bottom))


def _sized(ink: Float[Tensor, "1 1 side side"], size_px: int) -> UInt8[Tensor, "1 1 size size"]:
    """Smaller or larger, with strokes that are about a pixel wide afterwards, if they were thinner."""
    factor = ink.shape[-1] / size_px
    if factor > 1:
        reach = round((factor - _stroke_px(ink)) / 2)
        if reach > 0:
            ink = F.max_pool2d(ink, 2 * reach + 1, stride=1, padding=reach)
        ink = F.interpolate(ink, (size_px, size_px), mode="area")
    else:
        ink = F.interpolate(ink, (size_px, size_px), mode="bilinear", align_corners=False)
    return ((1 - ink) * 255).round().clamp(0, 255).to(torch.uint8)


def _stroke_px(ink: Float[Tensor, "1 1 h w"]) -> float:
    """The mean width of strokes: twice their area over the length of their borders."""
    strokes = (ink > 0.5).float()
    inner = 1 - F.max_pool2d(1 - strokes, 3, stride=1, padding=1)
    border = float((strokes - inner).sum())
    return max(1.0, 2 * float(strokes.sum()) / max(border, 1.0))


def _indices(content: bytes, name: str) -> tuple[UInt8[Tensor, "h w"], list[str]]:
    layers = pictures.decode_layers(content, name=name)
    found = numbers_of(layers, name)
    return (found, []) if found is not None else _classes_of(layers.rgba, name)


def _classes_of(rgba: UInt8[Tensor, "4 h w"], name: str) -> tuple[UInt8[Tensor, "h w"], list[str]]:
    """Classes of colours; mixtures along borders become the class beside them."""
    colours = torch.tensor([*LABEL_PALETTE.values(), *OTHER_COLOURS], dtype=torch.int16)
    names = [*range(len(LABEL_NAMES)), *map(LABEL_NAMES.index, OTHER_COLOURS.values())]
    pixels = rgba[:3].flatten(1).T.to(torch.int16)
    seen, places = pixels.unique(dim=0, return_inverse=True)
    far = (seen[:, None] - colours).abs().amax(dim=2)
    nearest = far.argmin(dim=1)
    is_known = (far.amin(dim=1) <= COLOUR_TOLERANCE)[places].reshape(rgba.shape[1:])
    labels = torch.tensor(names, dtype=torch.uint8)[nearest][places].reshape(rgba.shape[1:])
    is_other = (nearest >= len(LABEL_NAMES))[places].reshape(labels.shape)
    labels = parted_brows(labels, is_other)
    is_empty = rgba[3] < 128
    labels[is_empty], notes = 0, []
    strange = ~is_known & ~is_empty
    if bool(strange.any()):
        _refuse_strange(strange, seen, places, nearest, names, name)
        labels = _grown(labels, strange)
        notes.append(
            f"{name} has {int(strange.sum())} px of mixed colours: taken for what lies beside them"
        )
    if bool(is_empty.any()):
        notes.append(f"{name} says nothing of {is_empty.float().mean():.0%}: taken for background")
    return labels, notes


def _refuse_strange(
    strange: Bool[Tensor, "h w"],
    seen: Tensor,
    places: Tensor,
    nearest: Tensor,
    names: list[int],
    name: str,
) -> None:
    """LabelError where colours of no class are more than mixtures along borders."""
    share = float(strange.float().mean())
    inside = F.max_pool2d((~strange).float()[None, None], 5, stride=1, padding=2)[0, 0] == 0
    if share <= MOST_STRANGE and not bool(inside.any()):
        return
    where = inside if bool(inside.any()) else strange
    common = int(places[where.flatten()].bincount().argmax())
    red, green, blue = seen[common].tolist()
    near = LABEL_NAMES[names[int(nearest[common])]]
    palette = LABEL_PALETTE[near]
    raise LabelError(
        f"{name} has the colour ({red}, {green}, {blue}), which is no class; the nearest is {near}, {palette}. "
        "Paint with CelebAMask-HQ's colours (tedigan.vocabulary.labels), and save as PNG."
    )


def _grown(labels: UInt8[Tensor, "h w"], strange: Bool[Tensor, "h w"]) -> UInt8[Tensor, "h w"]:
    """Strange pixels take the class that is commonest around them among known ones."""
    planes = F.one_hot(labels.long(), len(LABEL_NAMES)).permute(2, 0, 1).float() * ~strange
    around = F.avg_pool2d(planes[None], 5, stride=1, padding=2)[0]
    return torch.where(strange, around.argmax(dim=0).to(torch.uint8), labels)
