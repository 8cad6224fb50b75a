"""Convolutions whose weights lie as oneDNN wants them; torch's own bring them there anew at each call.

torch has the operators for what it compiles and names them in no public module. Where they are absent, or on
another device, torch's own convolutions do the same.
"""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def convolution(
    weight: Float[Tensor, "a b 3 3"], size: int, *, up: bool
) -> Callable[[Tensor], Tensor]:
    """Of stride 1 and padding 1, weight `[out, in, 3, 3]`; or up, transposed of stride 2, `[in, out, 3, 3]`.

    size: height and width of what it will see; of others it makes the same, slower.
    """
    if not _can_be_packed(weight):
        if up:
            return partial(F.conv_transpose2d, weight=weight, stride=2)
        return partial(F.conv2d, weight=weight, padding=1)
    ops, kind = torch.ops.mkldnn, "_transpose" if up else ""
    # padding, output padding where there is one, stride, dilation, groups
    geometry = ([0, 0], [0, 0], [2, 2], [1, 1], 1) if up else ([1, 1], [1, 1], [1, 1], 1)
    seen = [1, len(weight) if up else weight.shape[1], size, size]
    packed = getattr(ops, f"_reorder_convolution{kind}_weight")(weight, *geometry, seen)
    convolve = getattr(ops, f"_convolution{kind}_pointwise")
    return lambda x: convolve(x, packed, None, *geometry, "none", [], "")


def _can_be_packed(weight: Tensor) -> bool:
    """Whether this processor and this torch have what it takes, in the precision of the weight."""
    ops = torch.ops.mkldnn
    if weight.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    if not torch.backends.cpu.get_cpu_capability().startswith("AVX"):
        return False
    if not hasattr(ops, "_reorder_convolution_weight"):
        return False
    if weight.dtype == torch.float32:
        return True
    is_bf16 = weight.dtype == torch.bfloat16
    return bool(ops._is_mkldnn_bf16_supported() if is_bf16 else ops._is_mkldnn_fp16_supported())
