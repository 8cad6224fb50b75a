"""The encoder of TediGAN's base release and of idinvert_pytorch: one flat state dict.

`styleganinv_ffhq256_encoder.pth`. Their 3x3 convolutions look scaled at run time but are not: the scale is divided
out before it is multiplied in (`use_wscale=False`). The last layer is scaled. Batch normalisation, which follows
every layer, is folded into it with its running statistics.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from tedigan.encoders.idinvert import IdinvertEncoder
from tedigan.errors import KeysError
from tedigan.foreign.dialects.foreign import Checkpoint, ForeignModel
from tedigan.foreign.dialects.renaming import Section

DIALECT = "idinvert encoder"
MARKS = {"block0.conv.weight", "block1.wscale1.bias"}
MAX_BLOCKS = 8  # of two convolutions, down from 1024 px
BATCH_NORM_EPS = 1e-5
NOTES = [
    "Batch normalisation is folded into the layers before it, with its running statistics.",
    "Assumed, since the file does not say: use_wscale=False, as in all settings of that release.",
]


class _Layer(NamedTuple):
    weight: str
    bias: str | None
    norm: str


_LAYERS = {  # theirs for ours, within a block
    "conv": _Layer("conv.weight", None, "bn.bn"),
    "shortcut": _Layer("conv.weight", None, "bn.bn"),
    "conv1": _Layer("conv1.weight", "wscale1.bias", "bn1.bn"),
    "conv2": _Layer("conv2.weight", "wscale2.bias", "bn2.bn"),
    "fc": _Layer("fc.weight", None, "bn.bn"),
}


def recognises(checkpoint: Checkpoint) -> bool:
    """By the names of two tensors."""
    return MARKS <= checkpoint.content.keys()


def translate(checkpoint: Checkpoint) -> list[ForeignModel]:
    """One encoder. Raises KeysError for a tensor that is missing, left over or of another shape."""
    section = Section(checkpoint.state_dict(), checkpoint.name)
    encoder = _unfilled(section)
    shapes = {name: tensor.shape for name, tensor in encoder.state_dict().items()}
    tensors: dict[str, Tensor] = {}
    for name in [name.removesuffix(".weight") for name in shapes if name.endswith(".weight")]:
        block, _, layer = name.rpartition(".")
        block = {"conv": "block0", "fc": f"block{encoder.num_blocks + 1}"}.get(name, block)
        weight, bias = _layer(section, block, layer, shapes[f"{name}.weight"])
        tensors |= {f"{name}.weight": weight, f"{name}.bias": bias}
    section.finish()
    return [ForeignModel(DIALECT, encoder.to_json(), {"encoder": tensors}, NOTES)]


def _unfilled(section: Section) -> IdinvertEncoder:
    """A network without values, of the sizes that the shapes tell."""
    # Each block has four of these; if one is missing, it is named later.
    num_blocks = math.ceil(section.count(r"block\d+\.(conv|wscale)[12]\..+") / 4)
    last = f"block{num_blocks + 1}.fc.weight"
    num_values, wide = section.shape(last, 2)
    num_ws = 2 * num_blocks + 2
    if num_blocks > MAX_BLOCKS or num_values % num_ws or wide % 16:
        raise KeysError(
            f"{section.source}: {last} is {[num_values, wide]} after {num_blocks} blocks; expected {num_ws} codes "
            f"from features at 4 px, of an encoder of at most 1024 px. Download the file again."
        )
    with torch.device("meta"):
        return IdinvertEncoder(
            4 * 2**num_blocks,
            w_dim=num_values // num_ws,
            channel_base=section.shape("block0.conv.weight", 4)[0],
            channel_max=wide // 16,
        )


def _layer(section: Section, block: str, layer: str, shape: torch.Size) -> tuple[Tensor, Tensor]:
    """Weight and bias of one of our layers, which they keep in `block`."""
    theirs = _LAYERS[layer]
    weight = section.take(f"{block}.{theirs.weight}", shape)
    if layer == "fc":
        weight = weight / math.sqrt(shape[1])
    bias = torch.zeros(shape[0])
    if theirs.bias:
        bias = section.take(f"{block}.{theirs.bias}", shape[:1])
    scale, shift = _batch_norm(section, f"{block}.{theirs.norm}", shape[0])
    return weight * scale.reshape(-1, *[1] * (len(shape) - 1)), bias * scale + shift


def _batch_norm(section: Section, prefix: str, channels: int) -> tuple[Tensor, Tensor]:
    """What it multiplies each channel by and then adds, outside training."""
    names = ("weight", "bias", "running_mean", "running_var")
    gain, bias, mean, variance = (section.take(f"{prefix}.{name}", [channels]) for name in names)
    if f"{prefix}.num_batches_tracked" in section:  # PyTorch before 0.4.1 did not count
        section.take(f"{prefix}.num_batches_tracked", [])
    scale = gain / (variance + BATCH_NORM_EPS).sqrt()
    return scale, bias - mean * scale
