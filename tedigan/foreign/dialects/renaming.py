"""What the dialects share: our names looked up under theirs, every tensor used once, none left."""

import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from tedigan.errors import KeysError, WeightsError
from tedigan.foreign.dialects.foreign import may_be_left_out
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.ops import resample_filter
from tedigan.model_configs import check_config

_ADVICE = "Download the file again, or export it with its authors' unchanged code."

MIN_RESOLUTION, MAX_RESOLUTION = 8, 1024


class Section:
    """The tensors of one network of a foreign file; `source` names it in errors."""

    def __init__(self, tensors: Mapping[str, Tensor], source: str) -> None:
        self.source = source
        self.low_pass = resample_filter()
        self._left = dict(tensors)

    def __contains__(self, name: object) -> bool:
        """Whether there is a tensor of that name, not yet taken."""
        return name in self._left

    def count(self, pattern: str) -> int:
        """Number of names that match the whole regular expression."""
        return sum(re.fullmatch(pattern, name) is not None for name in self._left)

    def add(self, name: str, tensor: Tensor) -> None:
        """Put in what the file keeps elsewhere or leaves out."""
        self._left[name] = tensor

    def shape(self, name: str, num_axes: int) -> list[int]:
        """Of a tensor that stays; num_axes: how many it must have, none of them empty."""
        shape = list(self._find(name).shape)
        if len(shape) != num_axes or 0 in shape:
            raise KeysError(
                f"{self.source}: {name} is {shape}, expected {num_axes} axes, none of them empty; the file is no "
                f"unchanged network of this kind. {_ADVICE}"
            )
        return shape

    def take(self, name: str, shape: torch.Size | list[int]) -> Tensor:
        """One tensor as float32, reshaped; axes of length 1 may be missing from it or be too many."""
        tensor = self._find(name)
        if [size for size in tensor.shape if size != 1] != [size for size in shape if size != 1]:
            raise KeysError(
                f"{self.source}: {name} is {list(tensor.shape)}, expected {list(shape)} up to axes of length 1; "
                f"the file is no unchanged network of this kind. {_ADVICE}"
            )
        del self._left[name]
        return tensor.reshape(shape).to(torch.float32)

    def drop_filters(self, suffix: str = "kernel") -> None:
        """Take the stored low-pass filters together, which are one constant, as `low_pass`."""
        found: Tensor | None = None
        for name in [name for name in self._left if name.endswith(suffix)]:
            kernel = self._left.pop(name).to(torch.float32).squeeze()
            check_low_pass(kernel, f"{self.source}: {name}")
            kernel = kernel / kernel.sum()
            found = kernel if found is None else found
            if not torch.allclose(kernel, found, atol=1e-6):
                raise WeightsError(
                    f"{self.source}: {name} is another low-pass filter than the others; expected one in all "
                    f"layers. {_ADVICE}"
                )
        if found is not None and not torch.allclose(found, self.low_pass):
            self.low_pass = found

    def finish(self) -> None:
        """Raise KeysError if a tensor was not taken."""
        if self._left:
            names = ", ".join(sorted(self._left)[:3])
            raise KeysError(
                f"{self.source}: {len(self._left)} tensors have no place in our network ({names}); expected none. "
                f"The file is another variant of this network. {_ADVICE}"
            )

    def _find(self, name: str) -> Tensor:
        if name not in self._left:
            raise KeysError(
                f"{self.source}: {name} is missing; a file of this kind has it. {_ADVICE}"
            )
        return self._left[name]


def check_low_pass(kernel: Tensor, source: str) -> None:
    """Refuse a filter that ours cannot be: of other sizes, or not alike from both ends."""
    is_square = kernel.shape == (4, 4) and bool(torch.isfinite(kernel).all()) and kernel.sum() > 0
    if not is_square or not torch.allclose(kernel, kernel.flip(0, 1), atol=1e-6):
        raise WeightsError(
            f"{source} is another low-pass filter ({list(kernel.shape)}); expected four taps each way, alike from "
            "both ends, such as [1, 3, 3, 1], with any gain. Only networks with such a filter are run."
        )


def level_of(resolution: int) -> int:
    """0 at 4 px, 1 at 8 px, ..."""
    return resolution.bit_length() - 3


def renamed(
    network: nn.Module, section: Section, name_of: Callable[[str], str]
) -> dict[str, Tensor]:
    """The state of `network`, which may lie on the meta device, from the file.

    name_of: their name for ours. The low-pass filters are the section's.
    """
    return {
        name: section.low_pass
        if name.endswith("resample_filter")
        else section.take(name_of(name), tensor.shape).to(tensor.dtype)
        for name, tensor in network.state_dict().items()
    }


def read_discriminator(
    section: Section, config: GeneratorConfig, name_of: Callable[[str, int], str]
) -> dict[str, Tensor]:
    """A discriminator's whole section, with the generator's channels.

    name_of: their name for one of ours, and the level of the finest block.
    """
    with may_be_left_out():
        section.drop_filters()
        with torch.device("meta"):
            network = Discriminator(config)
        top = level_of(config.img_resolution)
        found = renamed(network, section, lambda name: name_of(name, top))
        section.finish()
        return found


def config_of_widths(
    widths: dict[int, int], source: str, *, z_dim: int, w_dim: int, num_mapping_layers: int
) -> GeneratorConfig:
    """Settings that give a generator's blocks these channels; widths: by resolution, from 4 px up.

    Raises WeightsError for sizes and widths that no settings give.
    """
    resolution = max(widths)
    if not MIN_RESOLUTION <= resolution <= MAX_RESOLUTION:
        raise WeightsError(
            f"{source}: its layers go up to {resolution} px, expected {MIN_RESOLUTION} to {MAX_RESOLUTION}; "
            "is the file damaged? Only generators of these sizes are run."
        )
    channel_max = max(widths.values())
    channel_base = max(resolution * width for resolution, width in widths.items())
    config = GeneratorConfig(
        img_resolution=resolution,
        z_dim=z_dim,
        w_dim=w_dim,
        num_mapping_layers=num_mapping_layers,
        channel_base=channel_base,
        channel_max=channel_max,
    )
    for resolution, width in widths.items():
        if config.channels(resolution) != width:
            raise WeightsError(
                f"{source}: the layer at {resolution} px has {width} channels, where the others imply "
                f"min({channel_base} / {resolution}, {channel_max}) = {config.channels(resolution)}. Only "
                "widths that halve from some resolution on are run; choose another file."
            )
    check_config(config.to_json(), source)
    return config
