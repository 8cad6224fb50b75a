"""Chance as a writer of sentences needs it."""

from collections.abc import Sequence
from typing import TypeVar

import torch

_Item = TypeVar("_Item")


class Dice:
    """Draws from a torch.Generator, a block at a time."""

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator
        self._drawn: list[float] = []

    def share(self) -> float:
        """Uniform in [0, 1)."""
        if not self._drawn:
            self._drawn = torch.rand(256, generator=self._generator).tolist()
        return self._drawn.pop()

    def one_of(self, items: Sequence[_Item]) -> _Item:
        """Any of the items, each as likely."""
        return items[int(self.share() * len(items))]

    def some_of(self, items: Sequence[_Item], most: int) -> list[_Item]:
        """1..most of the items in a random order; none if there are none."""
        rest = list(items)
        count = 1 + int(self.share() * min(most, len(rest)))
        return [rest.pop(int(self.share() * len(rest))) for _ in range(count) if rest]
