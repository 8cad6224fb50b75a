"""A torch file without what its program put around: `module.` before each name, networks not asked for."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor

from tedigan.foreign.pickles.torch_files import TorchFile

PREFIX = "module."  # of torch's DataParallel
AVERAGES = {"g_ema", "generator_smooth"}
SECTIONS = {"G": {"g", "generator"}, "D": {"d", "discriminator"}}


@dataclass(frozen=True)
class WrappedFile:
    """A `Checkpoint`. only: of G_ema, G and D; where there is no average, the live generator is that."""

    file: TorchFile
    only: Collection[str] = ("G_ema", "G", "D")

    @property
    def name(self) -> str:
        """The file's."""
        return self.file.name

    @cached_property
    def content(self) -> Mapping[str, Any]:
        """Of what is asked for, without prefixes."""
        return self._without_wrapping(self.file.content, levels=2)

    def state_dict(self, *sections: str) -> dict[str, Tensor]:
        """See `TorchFile.state_dict`."""
        return _bare(self.file.state_dict(*sections))

    def _without_wrapping(self, content: Mapping[str, Any], levels: int) -> dict[str, Any]:
        left_out: set[str] = set()
        if AVERAGES & content.keys():
            left_out = set().union(*(SECTIONS[name] for name in SECTIONS if name not in self.only))
        elif "D" not in self.only:
            left_out = SECTIONS["D"]
        return {
            name: self._without_wrapping(value, levels - 1)
            if levels and isinstance(value, Mapping)
            else value
            for name, value in _bare(content).items()
            if name not in left_out or not isinstance(value, Mapping)
        }


def _bare(section: Mapping[str, Any]) -> dict[str, Any]:
    """Without the prefix, where every name has it, if need be more than once."""
    found = dict(section)
    while found and all(name.startswith(PREFIX) for name in found):
        found = {name.removeprefix(PREFIX): value for name, value in found.items()}
    return found
