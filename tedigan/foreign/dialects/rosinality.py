"""rosinality/stylegan2-pytorch's `.pt`: g_ema and, where kept, g, d and latent_avg; or a bare g_ema.

Their up-convolutions store the kernel as ours do, and their style biases start at 1 as ours do. What differs:
kernels have a leading axis of 1, the bias sits in the activation, the noise maps in a module of their own.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from tedigan.errors import WeightsError
from tedigan.foreign.dialects.foreign import Checkpoint, ForeignModel
from tedigan.foreign.dialects.renaming import (
    Section,
    config_of_widths,
    level_of,
    read_discriminator,
    renamed,
)
from tedigan.foreign.dialects.w_averages import NOTE, sampled_w_avg
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.stylegan import Generator
from tedigan.tensors import stream

DIALECT = "rosinality stylegan2"
MARK = "conv1.conv.modulation.weight"
UNSAID = {"mapping_multiplier": 0.01}  # lr_mlp of their Generator
UNSAID_OF_D = {"discriminator_clamp": 0, "discriminator_group": 4}

_LAYER = {
    "weight": "conv.weight",
    "bias": "activate.bias",
    "affine.weight": "conv.modulation.weight",
    "affine.bias": "conv.modulation.bias",
    "noise_strength": "noise.weight",
}
_DISCRIMINATOR = {
    "fromrgb.weight": "convs.0.0.weight",
    "fromrgb.bias": "convs.0.1.bias",
    "conv0.weight": "convs.{block}.conv1.0.weight",
    "conv0.bias": "convs.{block}.conv1.1.bias",
    "conv1.weight": "convs.{block}.conv2.1.weight",
    "conv1.bias": "convs.{block}.conv2.2.bias",
    "skip.weight": "convs.{block}.skip.1.weight",
    "conv.weight": "final_conv.0.weight",
    "conv.bias": "final_conv.1.bias",
    "fc.weight": "final_linear.0.weight",
    "fc.bias": "final_linear.0.bias",
    "out.weight": "final_linear.1.weight",
    "out.bias": "final_linear.1.bias",
}


class GeneratorTensors(NamedTuple):
    """One generator of a file, in our words."""

    config: GeneratorConfig
    tensors: dict[str, Tensor]
    notes: list[str]


def recognises(checkpoint: Checkpoint) -> bool:
    """By the name of one tensor."""
    content = checkpoint.content
    average = content.get("g_ema", content.get("g", content))
    return isinstance(average, Mapping) and MARK in average


def translate(checkpoint: Checkpoint) -> list[ForeignModel]:
    """One generator, with G and D where the file has them.

    Raises KeysError for a tensor that is missing, left over or of another shape, WeightsError for sizes,
    filters or a mapping network that ours cannot have.
    """
    content, name = checkpoint.content, checkpoint.name
    if not {"g_ema", "g"} & content.keys():
        average = read_generator(checkpoint.state_dict(), None, source=name)
        return [_model(average, {})]
    w_avg = checkpoint.state_dict().get("latent_avg")
    best = "g_ema" if "g_ema" in content else "g"
    average = read_generator(checkpoint.state_dict(best), w_avg, source=f"{name}: {best}")
    others = {}
    if best == "g":
        average.notes.append("The file has no g_ema; G_ema is the live generator.")
    elif "g" in content:
        live = read_generator(checkpoint.state_dict("g"), w_avg, source=f"{name}: g")
        if live.config != average.config:
            raise WeightsError(
                f"{name}: g is another network than g_ema ({live.config.to_json()}); expected "
                f"{average.config.to_json()}. Take a file that was written by one training run."
            )
        others["G"] = live.tensors
    if "d" in content:
        section = Section(checkpoint.state_dict("d"), f"{name}: d")
        others["D"] = read_discriminator(section, average.config, _discriminator_name)
    return [_model(average, others)]


def read_generator(
    tensors: Mapping[str, Tensor], w_avg: Tensor | None, *, source: str
) -> GeneratorTensors:
    """Their Generator's state; w_avg: None = not in the file, then it is sampled."""
    section = Section(tensors, source)
    section.drop_filters()
    config = _config(section)
    notes = _complete_noise(section, config)
    section.add("latent_avg", torch.zeros(config.w_dim) if w_avg is None else w_avg)
    with torch.device("meta"):
        network = Generator(config)
    found = renamed(network, section, _generator_name)
    section.finish()
    if w_avg is None:
        found["mapping.w_avg"] = sampled_w_avg(config, found)
        notes.append(NOTE)
    return GeneratorTensors(config, found, notes)


def _model(average: GeneratorTensors, others: dict[str, dict[str, Tensor]]) -> ForeignModel:
    networks = {"G_ema": average.tensors} | others
    unsaid = UNSAID | (UNSAID_OF_D if "D" in networks else {})
    return ForeignModel(DIALECT, average.config.to_json(), networks, average.notes, unsaid)


def _config(section: Section) -> GeneratorConfig:
    """Sizes as the tensors show them."""
    resolution = 2 ** (2 + section.count(r"to_rgbs\.\d+\.conv\.weight"))
    widths = {4: section.shape("conv1.conv.weight", 5)[1]}
    for level in range(1, level_of(resolution) + 1):
        widths[4 * 2**level] = section.shape(f"convs.{2 * level - 1}.conv.weight", 5)[1]
    w_dim, z_dim = section.shape("style.1.weight", 2)
    if z_dim != w_dim:
        raise WeightsError(
            f"{section.source}: style.1.weight is [{w_dim}, {z_dim}], so this generator wants a label besides "
            "z; expected a square matrix. Only unconditional generators are run; choose another file."
        )
    layers = section.count(r"style\.\d+\.weight")
    return config_of_widths(
        widths, section.source, z_dim=z_dim, w_dim=w_dim, num_mapping_layers=layers
    )


def _complete_noise(section: Section, config: GeneratorConfig) -> list[str]:
    """Old files lack the noise maps, which their authors' code then draws anew each time."""
    if section.count(r"noises\.noise_\d+"):
        return []
    for index in range(config.num_ws - 1):
        size = 4 * 2 ** ((index + 1) // 2)
        noise = torch.randn(size, size, generator=stream("rosinality noise", index))
        section.add(f"noises.noise_{index}", noise)
    return ["The file has no noise maps; they were drawn from a fixed stream."]


def _generator_name(name: str) -> str:
    """Their name for one of ours."""
    if name == "mapping.w_avg":
        return "latent_avg"
    if name == "synthesis.b4.const":
        return "input.input"
    room, block, rest = name.split(".", 2)
    if room == "mapping":
        return f"style.{int(block.removeprefix('fc')) + 1}.{rest}"
    layer, tensor = rest.split(".", 1)
    level = level_of(int(block.removeprefix("b")))
    if layer == "torgb":
        place = f"to_rgbs.{level - 1}" if level else "to_rgb1"
        return f"{place}.{'bias' if tensor == 'bias' else _LAYER[tensor]}"
    row = 2 * level - (layer == "conv0")  # of the layer's code in ws
    if tensor == "noise_const":
        return f"noises.noise_{row}"
    return f"convs.{row - 1}.{_LAYER[tensor]}" if row else f"conv1.{_LAYER[tensor]}"


def _discriminator_name(name: str, top: int) -> str:
    """Their name for one of ours; they count the blocks from 1, the finest, at level `top`."""
    block, tensor = name.split(".", 1)
    return _DISCRIMINATOR[tensor].format(block=top + 1 - level_of(int(block.removeprefix("b"))))
