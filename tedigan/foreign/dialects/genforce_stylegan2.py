"""genforce's StyleGAN2 `.pth`: {generator, discriminator, generator_smooth}, in training also under `models`.

Their layer n takes row n of ws. Two conventions differ from ours: an up-convolution's kernel is stored as in
TensorFlow, turned by half a turn, and 1 is added to the style biases at run time.
"""

import dataclasses
from collections.abc import Mapping

import torch
from torch import Tensor

from tedigan.foreign.dialects.foreign import Checkpoint, ForeignModel
from tedigan.foreign.dialects.renaming import (
    Section,
    config_of_widths,
    level_of,
    read_discriminator,
    renamed,
)
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.stylegan import Generator

DIALECT = "genforce stylegan2"

UNSAID = {"mapping_multiplier": 0.01, "final_tanh": False, "demodulate": True}
UNSAID_OF_D = {"discriminator_clamp": 0, "discriminator_group": 4}
_MARK = "synthesis.output0.style.weight"  # an output of their StyleGAN1 has no style
_NETWORKS = {"G_ema": "generator_smooth", "G": "generator", "D": "discriminator"}
_LAYER = {
    "weight": "weight",
    "bias": "bias",
    "affine.weight": "style.weight",
    "affine.bias": "style.bias",
    "noise_strength": "noise_strength",
    "noise_const": "noise",
}


def recognises(checkpoint: Checkpoint) -> bool:
    """By the name of one tensor."""
    return bool(_paths(checkpoint).keys() & {"G_ema", "G"})


def translate(checkpoint: Checkpoint) -> list[ForeignModel]:
    """One generator, with G and D where the file has them.

    Raises KeysError for a tensor that is missing, left over or of another shape, WeightsError for channels or
    filters that ours cannot have.
    """
    sections = {
        ours: Section(checkpoint.state_dict(*path), ": ".join([checkpoint.name, *path[-1:]]))
        for ours, path in _paths(checkpoint).items()
    }
    config = _config(sections.get("G_ema") or sections["G"])
    networks = {
        ours: read_discriminator(section, config, _discriminator_name)
        if ours == "D"
        else _read_generator(section, config)
        for ours, section in sections.items()
    }
    notes = []
    if "G_ema" not in networks:
        networks["G_ema"] = networks["G"]
        notes.append("The file has no generator_smooth; G_ema is the live generator.")
    unsaid = UNSAID | (UNSAID_OF_D if "D" in networks else {})
    return [ForeignModel(DIALECT, config.to_json(), networks, notes, unsaid)]


def _paths(checkpoint: Checkpoint) -> dict[str, list[str]]:
    """Our networks and where they stand: in sections, in training also below `models`; or one, bare."""
    models = checkpoint.content.get("models", checkpoint.content)
    if not isinstance(models, Mapping):
        return {}
    above = ["models"] if "models" in checkpoint.content else []
    if _MARK in models:
        return {"G": above}
    found = {ours: models.get(theirs) for ours, theirs in _NETWORKS.items()}
    kept = {
        ours: [*above, _NETWORKS[ours]]
        for ours, section in found.items()
        if isinstance(section, Mapping) and (ours == "D" or _MARK in section)
    }
    return kept


def _config(section: Section) -> GeneratorConfig:
    """Sizes as the tensors show them."""
    levels = section.count(r"synthesis\.output\d+\.weight")
    widths = {
        4 * 2**level: section.shape(f"synthesis.layer{2 * level}.weight", 4)[0]
        for level in range(levels)
    }
    w_dim = section.shape("synthesis.layer0.style.weight", 2)[1]
    config = config_of_widths(
        widths,
        section.source,
        z_dim=section.shape("mapping.dense0.weight", 2)[1],
        w_dim=w_dim,
        num_mapping_layers=section.count(r"mapping\.dense\d+\.weight"),
    )
    return dataclasses.replace(config, repeat_w=section.shape("truncation.w_avg", 1) == [w_dim])


def _read_generator(section: Section, config: GeneratorConfig) -> dict[str, Tensor]:
    section.drop_filters()
    if not config.repeat_w:
        flat = section.take("truncation.w_avg", [config.num_ws * config.w_dim])
        section.add("truncation.w_avg", flat.reshape(config.w_shape))
    with torch.device("meta"):
        network = Generator(config)
    found = renamed(network, section, _generator_name)
    section.finish()
    for name in found:
        if name.endswith("conv0.weight"):
            found[name] = found[name].flip(2, 3)
        elif name.endswith("affine.bias"):
            found[name] = found[name] + 1
    return found


def _generator_name(name: str) -> str:
    """Their name for one of ours."""
    if name == "mapping.w_avg":
        return "truncation.w_avg"
    if name == "synthesis.b4.const":
        return "synthesis.early_layer.const"
    if name.startswith("mapping.fc"):
        return name.replace("fc", "dense")
    _, block, layer, tensor = name.split(".", 3)
    level = level_of(int(block.removeprefix("b")))
    row = 2 * level - (layer == "conv0")
    place = f"output{level}" if layer == "torgb" else f"layer{row}"
    return f"synthesis.{place}.{_LAYER[tensor]}"


def _discriminator_name(name: str, top: int) -> str:
    """Their name for one of ours; they count blocks from 0, the finest, at level `top`."""
    block, layer, tensor = name.split(".")
    index = top - level_of(int(block.removeprefix("b")))
    place = {
        "fromrgb": "input0",
        "conv0": f"layer{2 * index}",
        "conv1": f"layer{2 * index + 1}",
        "skip": f"skip_layer{index}",
        "conv": f"layer{2 * index}",
        "fc": f"layer{2 * index + 1}",
        "out": f"layer{2 * index + 2}",
    }[layer]
    return f"{place}.{tensor}"
