"""Masks and label maps as somebody saved them: told by mode, palette and alpha, never by raw value alone.

A mask says where one class is: in two shades, two colours, or a shape on nothing. A label map says which of the 19
is where: by indices, which are grey, or by the colours of one of the two official palettes. What may mean either,
or nothing, is a LabelError.
"""

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from tedigan.errors import LabelError
from tedigan.store.pictures import Layers, decode_layers
from tedigan.vocabulary.labels import LABEL_NAMES, LABEL_PALETTE, OTHER_COLOURS, colours_to_labels

COLOUR_TOLERANCE = 12  # levels of any channel, as JPEG changes them
_MIDDLE = (32, 223)  # shades between which a pixel is neither in nor out
_MOST_MIXED = 0.05  # share of such pixels, along borders
_FEW_COLOURS = 32  # that a map may have, beside those of its borders
_MOSTLY = 0.9
_LOOK_PX = 64
_HOW = "Save it as PNG: white where the class is, black elsewhere."


def read_class_mask(content: bytes, *, name: str) -> Bool[Tensor, "h w"]:
    """Where the class is. Two colours, of which one is black; or one colour on nothing; or soft grey."""
    layers = decode_layers(content, name=name)
    is_there = _halved(layers.rgba[3], name, "transparency")
    colours = layers.rgba[:3][:, is_there].unique(dim=1).T.tolist()
    if len(colours) > 2:
        return is_there & _soft(layers, is_there, name)
    if len(colours) == 2:
        dark, bright = sorted(colours, key=sum)
        if any(dark):
            raise _cannot_tell(
                name, f"has the colours {tuple(dark)} and {tuple(bright)}, and no black"
            )
        return is_there & (layers.rgba[:3].amax(dim=0) > 0)
    if not colours or not bool(is_there.all()):
        return is_there  # nothing at all, or a shape on nothing
    return _of_one_colour(layers, colours[0], name)


def numbers_of(layers: Layers, name: str) -> UInt8[Tensor, "h w"] | None:
    """The class indices of a map that holds them; None where it is painted in colours.

    Transparent pixels are background. A LabelError for grey values that are no indices.
    """
    is_there = layers.rgba[3] >= 128
    red, green, blue = layers.rgba[:3]
    is_grey = bool(((red == green) & (green == blue))[is_there].all())
    shades = torch.where(is_there, red, torch.zeros_like(red))
    highest = int(shades.max())
    if not is_grey or (
        highest == 0 and layers.mode in {"P", "PA"} and _numbers_hidden(layers, is_there)
    ):
        return None
    if layers.mode == "1" and highest:
        raise LabelError(
            f"{name} has two shades, which say where something is and not what; expected class indices 0 to "
            f"{len(LABEL_NAMES) - 1} or CelebAMask-HQ's colours. Save a map of classes."
        )
    if highest >= len(LABEL_NAMES):
        raise LabelError(
            f"{name} holds the grey value {highest}, expected class indices 0 to {len(LABEL_NAMES) - 1} "
            "or CelebAMask-HQ's colours. Save the indices themselves."
        )
    if highest and not layers.is_exact:
        raise LabelError(
            f"{name} holds class indices in a format that changes pixels; expected PNG. Save it anew from the "
            "original."
        )
    return shades


def read_label_map(content: bytes, *, name: str) -> UInt8[Tensor, "h w"]:
    """The classes of a merged map, exactly as they are; a colour of no class is a LabelError."""
    layers = decode_layers(content, name=name)
    if (found := numbers_of(layers, name)) is not None:
        return found
    if _numbers_hidden(layers, layers.rgba[3] >= 128):
        raise LabelError(
            f"{name} has a palette with one colour for several of its numbers; expected CelebAMask-HQ's colours "
            "or a grey picture of class indices. Save it as one of them."
        )
    colours = torch.where(layers.rgba[3] >= 128, layers.rgba[:3], torch.zeros_like(layers.rgba[:3]))
    try:
        return colours_to_labels(colours)
    except LabelError as error:
        raise LabelError(f"{name}: {error}") from None


def is_label_map(content: bytes, *, name: str) -> bool:
    """Whether a picture beside a photograph is a map, perhaps a wrong one, rather than another photograph."""
    layers = decode_layers(content, name=name)
    height, width = layers.rgba.shape[1:]
    rows, columns = max(1, height // _LOOK_PX), max(1, width // _LOOK_PX)
    seen = layers.rgba[:3, ::rows, ::columns].flatten(1).T.to(torch.int16)
    distinct, counts = seen.unique(dim=0, return_counts=True)
    if len(distinct) <= _FEW_COLOURS:
        return True
    classes = torch.tensor([*LABEL_PALETTE.values(), *OTHER_COLOURS], dtype=torch.int16)
    far = (distinct[:, None] - classes).abs().amax(dim=2).amin(dim=1)
    return bool(counts[far <= COLOUR_TOLERANCE].sum() >= _MOSTLY * len(seen))


def _halved(alpha: UInt8[Tensor, "h w"], name: str, what: str) -> Bool[Tensor, "h w"]:
    """Above the middle, where no more than borders lie about it."""
    mixed = ((alpha > _MIDDLE[0]) & (alpha < _MIDDLE[1])).float().mean()
    if float(mixed) > _MOST_MIXED:
        raise _cannot_tell(name, f"has {float(mixed):.0%} of its pixels between {what} and none")
    return alpha >= 128


def _soft(layers: Layers, is_there: Tensor, name: str) -> Bool[Tensor, "h w"]:
    """A grey mask whose borders are mixed; its shades reach from black to white."""
    red, green, blue = layers.rgba[:3]
    if not bool(((red == green) & (green == blue))[is_there].all()):
        raise _cannot_tell(name, "has more than two colours")
    shades = red[is_there]
    if int(shades.min()) > _MIDDLE[0] or int(shades.max()) < _MIDDLE[1]:
        raise _cannot_tell(name, f"has shades from {int(shades.min())} to {int(shades.max())}")
    return _halved(torch.where(is_there, red, torch.zeros_like(red)), name, "black")


def _of_one_colour(layers: Layers, colour: list[int], name: str) -> Bool[Tensor, "h w"]:
    """Everywhere or nowhere."""
    everywhere = torch.ones(layers.rgba.shape[1:], dtype=torch.bool)
    if layers.values is not None and bool((layers.values != layers.values[0, 0]).any()):
        raise _cannot_tell(
            name, f"has several numbers that its palette gives one colour, {tuple(colour)}"
        )
    if not any(colour):
        return ~everywhere
    if colour not in ([255] * 3, [1] * 3):
        raise _cannot_tell(name, f"is {tuple(colour)} everywhere")
    return everywhere


def _numbers_hidden(layers: Layers, is_there: Bool[Tensor, "h w"]) -> bool:
    """Whether two numbers of a palette look alike, so that its colours say less than its numbers."""
    if layers.mode not in {"P", "PA"} or layers.values is None:
        return False
    red, green, blue = layers.rgba[:3].int()
    colours = (red << 16 | green << 8 | blue)[is_there]
    pairs = torch.stack([layers.values[is_there].int(), colours]).unique(dim=1)
    return pairs.shape[1] > len(colours.unique())


def _cannot_tell(name: str, what: str) -> LabelError:
    return LabelError(f"{name} {what}: nobody can tell where its class is. {_HOW}", problem="mask")
