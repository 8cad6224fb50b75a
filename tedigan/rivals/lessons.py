"""What all rivals learn from: photographs, their captions as numbers, and which captions are true of whom.

Everything lies on the device, so that a batch is a few look-ups there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int8, Int64, UInt8
from torch import Tensor

from tedigan.errors import DataError
from tedigan.rivals.vocabulary import Vocabulary
from tedigan.tensors import stream, to_images


@dataclass(frozen=True)
class Lesson:
    """A batch before its captions are encoded; see `RivalBatch`."""

    photographs: Float[Tensor, "n 3 64 64"]
    numbers: Int64[Tensor, "n t"]
    contains: Bool[Tensor, "n n"]


@dataclass(frozen=True)
class Lessons:
    """Caption k is of photograph k // captions_each.

    mentions: 1 where a caption states an attribute, -1 where it denies one, 0 where it leaves it open.
    attributes: 1 where the photograph shows one, -1 where it does not.
    """

    pixels: UInt8[Tensor, "n 3 64 64"]
    numbers: Int64[Tensor, "m t"]
    mentions: Int8[Tensor, "m k"]
    attributes: Int8[Tensor, "n k"]
    captions_each: int

    @classmethod
    def of(
        cls,
        pixels: UInt8[Tensor, "n 3 64 64"],
        captions: Sequence[str],
        mentions: Int8[Tensor, "m k"],
        attributes: Bool[Tensor, "n k"],
        *,
        vocabulary: Vocabulary,
    ) -> "Lessons":
        """On the CPU. DataError where captions, mentions and attributes are not of these photographs."""
        each = len(captions) // max(1, len(pixels))
        if not each or len(captions) != each * len(pixels) or len(mentions) != len(captions):
            raise DataError(
                f"{len(pixels):,} photographs have {len(captions):,} captions and {len(mentions):,} rows of what "
                "they mention; expected as many captions of each photograph, and a row of each. Make them anew."
            )
        if attributes.shape != (len(pixels), mentions.shape[1]):
            raise DataError(
                f"the attributes are {list(attributes.shape)}, expected [{len(pixels)}, {mentions.shape[1]}]: a "
                "row a photograph, and the columns of what captions mention. Make them anew."
            )
        shown = torch.where(attributes, 1, -1).to(torch.int8)
        return cls(pixels, vocabulary.numbers(captions), mentions, shown, each)

    def tensors(self) -> dict[str, Tensor]:
        """All but `captions_each`, which their lengths tell."""
        names = ("pixels", "numbers", "mentions", "attributes")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], device: torch.device) -> "Lessons":
        """What `tensors` gave, on a device."""
        each = len(tensors["numbers"]) // len(tensors["pixels"])
        return cls(
            **{name: value.to(device) for name, value in tensors.items()}, captions_each=each
        )

    def to(self, device: torch.device) -> "Lessons":
        """The same on another device."""
        return self.from_tensors(self.tensors(), device)

    @property
    def device(self) -> torch.device:
        """Where all of it is."""
        return self.pixels.device

    def draw(self, batch_size: int, rng: torch.Generator) -> Lesson:
        """Photographs at random, each with one of its captions and as it is or mirrored. rng: on the device."""
        at: dict[str, Any] = {"generator": rng, "device": self.device}
        rows = torch.randint(len(self.pixels), (batch_size,), **at)
        which = rows * self.captions_each + torch.randint(self.captions_each, (batch_size,), **at)
        images = to_images(self.pixels[rows])
        is_mirrored = torch.rand(batch_size, 1, 1, 1, **at) < 0.5
        images = torch.where(is_mirrored, images.flip(3), images)
        contains = is_true_of(self.mentions[which], self.attributes[rows])
        contains |= rows[:, None] == rows
        return Lesson(images, self.numbers[which], contains)


def is_true_of(
    mentions: Int8[Tensor, "m k"], attributes: Int8[Tensor, "n k"]
) -> Bool[Tensor, "n m"]:
    """[i, j]: whether photograph i shows all that caption j states and nothing that it denies."""
    agreed = attributes.float() @ mentions.float().T
    return agreed >= mentions.abs().sum(dim=1) - 0.5


def device_stream(device: torch.device, *key: int | str) -> torch.Generator:
    """`tedigan.tensors.stream` for who draws on the device; other numbers there than on a CPU."""
    return torch.Generator(device).manual_seed(stream(*key).initial_seed())
