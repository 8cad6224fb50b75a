"""Weights too large to commit, made the same way on every machine: tensor = f(its foreign name, its shape).

The bytes of numpy's RandomState are frozen (NEP 19), and the steps after them round alike everywhere. Values
are evenly spread, not Gaussian; a transposed, flipped or forgotten tensor changes the result all the same.
"""

import math
import re
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

UNIT_STEP = 2 / math.sqrt((256**2 - 1) / 3)  # between byte values, for unit variance

# Names of weights that the networks take as they are, where others are scaled at run time by 1/sqrt(fan-in).
UNSCALED = r"\b(input_layer|body|styles\.\d+\.convs|latlayer\d|block\d+\.conv\d?)\."
# The first rule whose pattern is found in a name decides: (pattern, mean, standard deviation).
RULES = [
    (r"running_var$", 1.0, 0.1),
    (r"running_mean$", 0.0, 0.2),
    (r"(input_layer|res_layer)\.2\.weight$", 0.25, 0.05),  # PReLU
    (r"(affine|modulation)\.bias$", 1.0, 0.1),
    (r"noise_strength$|noise\.weight$", 0.1, 0.1),
    (r"truncation\.truncation$", 1.0, 0.0),
    (r"lod$", 0.0, 0.0),
    (r"noise(_\d+|_const)?$|\bconst$|input\.input$", 0.0, 1.0),
    (r"\b(mapping\.(fc|dense)\d+|style\.\d+)\b.*bias$", 0.0, 10.0),  # scaled by 0.01 at run time
    (r"\b(mapping\.(fc|dense)\d+|style\.\d+)\b.*weight$", 0.0, 100.0),  # the same
    (r"bias$", 0.0, 0.1),
    (r"_avg$", 0.0, 0.3),
    (r"(torgb|to_rgb(1|s\.\d+)\.conv|synthesis\.output\d+(\.conv)?)\.weight$", 0.0, 0.3),
    (r"(affine|modulation|\bstyle|style_mod\.dense\.fc)\.weight$", 0.0, 0.5),
]


def fill_shapes(shapes: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """Name -> shape in, name -> float32 tensor out (int64 for batch counters)."""
    return {name: _filled(name, list(shape)) for name, shape in shapes.items()}


def unit_values(name: str, shape: Sequence[int]) -> Tensor:
    """Zero mean, unit variance, within -1.73..1.73: the stream of `name`."""
    source = np.random.RandomState(zlib.crc32(name.encode())).bytes(math.prod(shape))
    values = np.frombuffer(source, np.uint8).astype(np.float32) - np.float32(127.5)
    return torch.from_numpy(values * np.float32(UNIT_STEP)).reshape(list(shape))


def _filled(name: str, shape: list[int]) -> Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.tensor(0)
    if re.search(r"(kernel|_filter)$", name):
        return _low_pass(name, shape)
    for pattern, mean, std in RULES:
        if re.search(pattern, name):
            return mean + std * unit_values(name, shape)
    if len(shape) == 1:  # batch normalisation
        return 1 + 0.1 * unit_values(name, shape)
    values = unit_values(name, shape)
    if match := re.search(UNSCALED, name):
        energy = 2 if match[1].startswith("styles") else 1  # the others are on residual branches
        values *= math.sqrt(energy / math.prod(shape[1:]))
    return values


def _low_pass(name: str, shape: list[int]) -> Tensor:
    """Binomial: 1-2-1 or 1-3-3-1 each way, with the gain that its dialect stores."""
    taps = torch.tensor([float(math.comb(shape[-1] - 1, i)) for i in range(shape[-1])])
    kernel = taps[:, None] * taps[None, :]
    is_up = re.search(r"upsample|\bconvs\.\d+\.conv\.blur|synthesis\.layer\d+\.filter", name)
    return (kernel * ((4 if is_up else 1) / kernel.sum())).expand(shape).contiguous()
