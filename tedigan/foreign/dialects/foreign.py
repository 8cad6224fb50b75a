"""What a dialect reads and what it gives back."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from tedigan.errors import WeightsError


@runtime_checkable
class Checkpoint(Protocol):
    """A foreign file, read as data (tedigan.foreign.pickles)."""

    @property
    def name(self) -> str:
        """The file's."""

    @property
    def content(self) -> Mapping[str, Any]:
        """Nested plain values; tensors are still references into the file. Keys are text."""

    def state_dict(self, *sections: str) -> dict[str, Tensor]:
        """The tensors of one section (of the whole file without a name), copied, under the file's names."""


@contextmanager
def may_be_left_out() -> Iterator[None]:
    """Say of a discriminator that cannot be read that faces can be drawn without it."""
    try:
        yield
    except WeightsError as error:
        raise type(error)(f"{error} Or import the generator without it: --only G_ema.") from None


@dataclass(frozen=True)
class ForeignModel:
    """One model of a foreign file, in our words: what a model folder is written from.

    dialect: who writes such files, such as "rosinality stylegan2".
    config: our config.json without `training`: `architecture` and its numbers.
    networks: tensors under our names; `G_ema` and, where the file has them, `G` and `D`; or `encoder`.
    notes: what was computed or assumed, a sentence each, for the model card.
    unsaid: what the file cannot tell, and what is assumed of it; see `told.Told`.
    """

    dialect: str
    config: dict[str, Any]
    networks: dict[str, dict[str, Tensor]]
    notes: list[str] = field(default_factory=list)
    unsaid: dict[str, Any] = field(default_factory=dict)
