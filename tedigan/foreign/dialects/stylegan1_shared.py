"""StyleGAN1 generators as genforce's programs write them: the part that older and newer files share.

Their tensors are ours up to names, with three exceptions. Up-convolutions that they run fused (transposed) are
stored turned by half a turn against those that they run in two steps, a habit of TensorFlow; ours are all like
the latter. Biases of the mapping network act before our gain of sqrt 2, where theirs act after it. And the RGB
layers of the smaller sizes, which a grown network does not use, are left out.
"""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tedigan.errors import KeysError, WeightsError
from tedigan.foreign.dialects.renaming import Section, config_of_widths
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.ops import LRELU_GAIN
from tedigan.generator.stylegan import Generator

MAX_SIZES = 9  # from 4 to 1024 px
_PLACES = {  # where they keep our kinds of layers
    "fc": "mapping.dense",
    "conv": "synthesis.layer",
    "epilogue": "synthesis.layer",
    "torgb": "synthesis.output",
}
_ADVICE = "Download the file again, or choose another one."


@dataclass(frozen=True)
class Spelling:
    """How a dialect names the tensors of a layer.

    words: theirs for ours, without the number: "epilogue.bias" is our epilogue{i}.bias.
    fused_word, fused_axes: the same for the weight of a fused up-convolution, and the order of its axes that makes
        it ours, [out, in, height, width].
    """

    words: Mapping[str, str]
    fused_word: str
    fused_axes: tuple[int, int, int, int]

    def name(self, word: str, number: int) -> str:
        """Their whole name, such as "synthesis.layer3.style.weight"."""
        return f"{_PLACES[word.split('.')[0]]}{number}.{self.words[word]}"


def read_generator(
    section: Section, spelling: Spelling, *, fused_rows: Collection[int]
) -> tuple[GeneratorConfig, dict[str, Tensor]]:
    """A generator's numbers, without `final_tanh`, and its tensors under our names.

    fused_rows: the layers whose up-convolution is fused.
    Raises KeysError for a tensor that is missing or of another shape, WeightsError for a network that ours cannot
    be: one that wants labels, is not yet fully grown, or has other widths or another blur.
    """
    _check_is_grown(section)
    config = _config(section, spelling)
    reader = _Reader(section, spelling, config, fused_rows)
    with torch.device("meta"):
        wanted = Generator(config).state_dict()
    found = {name: reader.take(name, list(tensor.shape)) for name, tensor in wanted.items()}
    reader.drop_constants()
    return config, found


def _check_is_grown(section: Section) -> None:
    if "mapping.label_weight" in section:
        raise WeightsError(
            f"{section.source}: mapping.label_weight is there, so this generator wants labels; expected an "
            "unconditional one. Choose another file."
        )
    lod = section.take("synthesis.lod", []).item()
    if lod != 0:
        raise WeightsError(
            f"{section.source}: synthesis.lod (level of detail) is {lod:g}, so the network still grows and its "
            "finest layers are not in use; expected 0. Train it to its full size, or choose a later file."
        )


def _config(section: Section, spelling: Spelling) -> GeneratorConfig:
    """The numbers that the shapes tell."""
    num_sizes = _num_layers(section, "torgb")
    if not 2 <= num_sizes <= MAX_SIZES:
        raise KeysError(
            f"{section.source}: it has {num_sizes} RGB layers (synthesis.output0, ...); expected 2 to "
            f"{MAX_SIZES}, one for each size from 4 px up to 8 px or up to 1024 px. {_ADVICE}"
        )
    biases = [spelling.name("epilogue.bias", 2 * level) for level in range(num_sizes)]
    widths = {4 * 2**level: section.shape(name, 1)[0] for level, name in enumerate(biases)}
    _, w_dim = section.shape(spelling.name("epilogue.affine.weight", 0), 2)
    _, z_dim = section.shape(spelling.name("fc.weight", 0), 2)
    num_mapping_layers = _num_layers(section, "fc")
    config = config_of_widths(
        widths, section.source, z_dim=z_dim, w_dim=w_dim, num_mapping_layers=num_mapping_layers
    )
    last = spelling.name("fc.weight", max(num_mapping_layers - 1, 0))
    given, _ = section.shape(last, 2)
    if given not in (w_dim, config.num_ws * w_dim):
        raise KeysError(
            f"{section.source}: {last} gives {given} numbers; expected one w of {w_dim}, or one for each of "
            f"{config.num_ws} layers. {_ADVICE}"
        )
    return replace(config, architecture="stylegan1", repeat_w=given == w_dim)


def _num_layers(section: Section, kind: str) -> int:
    """Layers of a weight and a bias each, of which one may be missing: then it is named later."""
    return math.ceil(section.count(re.escape(_PLACES[kind]) + r"\d+\..+") / 2)


@dataclass(frozen=True)
class _Reader:
    """Takes the tensors of a generator whose numbers are known."""

    section: Section
    spelling: Spelling
    config: GeneratorConfig
    fused_rows: Collection[int]

    def take(self, name: str, shape: list[int]) -> Tensor:
        """The tensor that we call `name`."""
        if name == "mapping.w_avg":
            return self._w_avg(shape)
        if name == "synthesis.const":
            return self.section.take("synthesis.layer0.const", shape)
        match = re.fullmatch(r"\w+\.([a-z]+)(\d*)\.(.+)", name)
        assert match, f"{name} is no tensor of our StyleGAN1"
        word, number = f"{match[1]}.{match[3]}", int(match[2] or self.config.num_ws // 2 - 1)
        if word == "conv.weight" and number in self.fused_rows:
            return self._fused_weight(number, shape)
        tensor = self.section.take(self.spelling.name(word, number), shape)
        return tensor / LRELU_GAIN if word == "fc.bias" else tensor

    def _fused_weight(self, row: int, shape: list[int]) -> Tensor:
        axes = self.spelling.fused_axes
        theirs = [shape[axes.index(axis)] for axis in range(4)]
        name = f"{_PLACES['conv']}{row}.{self.spelling.fused_word}"
        return self.section.take(name, theirs).permute(axes).flip([2, 3])

    def _w_avg(self, shape: list[int]) -> Tensor:
        """One mean for each row, from one for all rows or one for each."""
        name, num_values = "truncation.w_avg", math.prod(shape)
        if self.section.shape(name, 1) == shape[-1:]:
            return self.section.take(name, shape[-1:]).expand(shape).contiguous()
        return self.section.take(name, [num_values]).reshape(shape)

    def drop_constants(self) -> None:
        """Forget what a grown network does not use: RGB layers of smaller sizes, and the blur's copies."""
        for level, resolution in enumerate(self.config.block_resolutions):
            channels = self.config.channels(resolution)
            if resolution < self.config.img_resolution:
                self.section.take(self.spelling.name("torgb.weight", level), [3, channels, 1, 1])
                self.section.take(self.spelling.name("torgb.bias", level), [3])
            if level > 0:
                self._check_blur(f"synthesis.layer{2 * level}.blur.kernel", channels)

    def _check_blur(self, name: str, channels: int) -> None:
        kernel = self.section.take(name, [channels, 1, 3, 3])
        taps = torch.tensor([0.25, 0.5, 0.25])
        if not torch.allclose(kernel, taps[:, None] * taps[None, :]):
            raise WeightsError(
                f"{self.section.source}: {name} is another low-pass filter; expected [1, 2, 1] / 4 each way. Only "
                "networks trained with that filter are run; choose another file."
            )
