"""What an encoder may see of a face: a photograph, a sketch or a label map, each as planes of numbers.

`pictures` are uint8 as a data set holds them: photographs `[n, 3, h, w]`, sketches `[n, 1, h, w]` (255 is paper),
label maps `[n, h, w]` of class indices. `inputs` are float32 `[n, channels, h, w]`, in the ranges of the official
encoders: photographs in -1..1, sketches in 0..1, label maps one-hot.
"""

from typing import Literal, get_args

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.tensors import to_images
from tedigan.vocabulary.labels import LABEL_NAMES, mirror_labels, one_hot

Modality = Literal["image", "sketch", "label"]
Drawing = Literal["sketch", "label"]

MODALITIES: tuple[Modality, ...] = get_args(Modality)
DRAWINGS: tuple[Drawing, ...] = get_args(Drawing)
CHANNELS: dict[Modality, int] = {"image": 3, "sketch": 1, "label": len(LABEL_NAMES)}
IN_WORDS: dict[Modality, str] = {
    "image": "photographs",
    "sketch": "sketches",
    "label": "label maps",
}


def modality_of(channels: int) -> Modality:
    """Of an encoder that reads so many channels."""
    return next(name for name, number in CHANNELS.items() if number == channels)


def to_inputs(pictures: UInt8[Tensor, "n *c h w"], modality: Modality) -> Float[Tensor, "n c h w"]:
    """What the encoder of a modality is given."""
    if modality == "image":
        return to_images(pictures)
    return pictures.to(torch.float32) / 255 if modality == "sketch" else one_hot(pictures)


def mirror(pictures: UInt8[Tensor, "n *c h w"], modality: Modality) -> UInt8[Tensor, "n *c h w"]:
    """Left and right exchanged, in a label map by name too."""
    return mirror_labels(pictures) if modality == "label" else pictures.flip(-1)
