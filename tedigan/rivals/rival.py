"""What every rival is: nets that learn of a batch of photographs with captions, and draw by the average of G.

A `wrong` caption is one of another photograph of the batch that is false of this one. None of the official codes
looks: they take the next caption, which is true of this photograph as well in a few per cent of the cases.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

SIZE_PX = 64
TEXT_DIM = 256  # of a word and of a sentence
AVERAGE_DECAY = 0.999  # of G_ema at each step, as in AttnGAN; at first less


@dataclass(frozen=True)
class EncodedText:
    """Captions as the frozen text encoder reads them. mask: True where there is a word, False for padding."""

    words: Float[Tensor, "n 256 t"]
    sentence: Float[Tensor, "n 256"]
    mask: Bool[Tensor, "n t"]

    def rows(self, index: Int64[Tensor, " m"]) -> "EncodedText":
        """Those of some captions."""
        return EncodedText(self.words[index], self.sentence[index], self.mask[index])

    def to(self, device: torch.device) -> "EncodedText":
        """The same on another device."""
        return EncodedText(self.words.to(device), self.sentence.to(device), self.mask.to(device))


@dataclass(frozen=True)
class RivalBatch:
    """photographs: -1..1, mirrored already. text: a caption of each.

    contains: [i, j] is True where caption j is true of photograph i; what nobody knows is False.
    """

    photographs: Float[Tensor, "n 3 64 64"]
    text: EncodedText
    contains: Bool[Tensor, "n n"]

    def wrong(self) -> tuple[EncodedText, Bool[Tensor, " n"]]:
        """For each photograph the next caption of the batch that is false of it, and whether there is one.

        Where there is none, the next one stands in its place, which no loss may count.
        """
        n = len(self.contains)
        rows = torch.arange(n, device=self.contains.device)
        following = (rows[:, None] + 1 + rows) % n
        is_false = ~self.contains.gather(1, following)
        first = is_false.to(torch.uint8).argmax(dim=1)
        return self.text.rows(following[rows, first]), is_false.any(dim=1)


class Rival(nn.Module, ABC):
    """G, its average G_ema, and D (one or several), with their optimisers; made on the CPU, then moved.

    `G_ema` alone is what a model folder keeps. `image_encoder`, where a method needs one, is the frozen region
    encoder that all share; it belongs to no component. Optimisers are made in the constructor: torch moves
    parameters in place. z_dim: all of a picture's chance, that of the condition's augmentation included.
    """

    name: ClassVar[str]
    edits_photographs: ClassVar[bool] = False  # whether `draw` needs them
    z_dim: ClassVar[int] = 100
    G: nn.Module
    G_ema: nn.Module
    G_optimiser: torch.optim.Optimizer

    @classmethod
    @abstractmethod
    def from_json(
        cls, numbers: Mapping[str, Any], image_encoder: nn.Module | None = None
    ) -> "Rival":
        """A new one, with random weights of torch's own stream. numbers: as `to_json` gives; {} = the defaults.

        image_encoder: None for whom neither a loss nor `draw` looks with it, which is a matter of the method.
        """

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Numbers that decide the shapes of the nets, such as gf and df."""

    @abstractmethod
    def step(self, batch: RivalBatch, rng: torch.Generator) -> dict[str, Tensor]:
        """One step of every D, then one of G, then of the average. rng: on the nets' device.

        The losses as detached numbers of no axis, left on the device, so that nobody waits for them.
        """

    @abstractmethod
    def draw(
        self,
        text: EncodedText,
        z: Float[Tensor, "n z_dim"],
        photographs: Float[Tensor, "n 3 64 64"] | None = None,
    ) -> Float[Tensor, "n 3 64 64"]:
        """Pictures in -1..1 by G_ema, in evaluation mode and without gradients; the same ones each time.

        photographs: to be edited by the captions; ShapeError where a method needs them and has none.
        """

    @abstractmethod
    def components(self) -> dict[str, Any]:
        """Nets and optimisers, by name, for a checkpoint."""

    def average(self) -> None:
        """After each step of G: G_ema follows it. Steps are counted by Adam, whose state a checkpoint keeps."""
        counted = self.G_optimiser.state[next(self.G.parameters())]["step"]
        follow(self.G_ema, self.G, average_decay(int(counted)))


def average_decay(num_steps: int) -> float:
    """(1 + n) / (10 + n), at most 0.999: a short training's average does not show how it began."""
    return min(AVERAGE_DECAY, (1 + num_steps) / (10 + num_steps))


@torch.no_grad()
def follow(average: nn.Module, live: nn.Module, decay: float) -> None:
    """Move G_ema towards G: parameters and running statistics of norms by the same share; counters are copied.

    The official codes leave the running statistics out, so that they sample with the live net's.
    """
    pairs = [*zip(average.state_dict().values(), live.state_dict().values(), strict=True)]
    floats = [(old, new) for old, new in pairs if old.is_floating_point()]
    torch._foreach_lerp_([old for old, _ in floats], [new for _, new in floats], 1 - decay)
    for old, new in pairs:
        if not old.is_floating_point():
            old.copy_(new)
