"""Where the time of a synthesis goes, and what each pass over memory costs: `python -m benchmarks.passes`.

Self time of operators on a CPU, by torch's profiler: convolutions, the FIR filters after those that upsample, what
follows a convolution with ToRGB (one pass where it is compiled), and the rest.
"""

import argparse
from collections import Counter
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.convolutions import gflop_per_image
from benchmarks.pairing import table
from benchmarks.synthesis import CHANNEL_BASE
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.fast_synthesis import FastSynthesis
from tedigan.generator.ops import DTYPES
from tedigan.generator.stylegan import Generator
from tedigan.generator.stylegan2 import Synthesis

CALLS = 3
FUSED = "## Call CompiledFxGraph"
UNFUSED = "mul mul_ addcmul add add_ leaky_relu_ clamp_ copy_".split()


def main() -> None:
    """Print a row a group: ms a batch, and its share."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--resolution", type=int, choices=list(CHANNEL_BASE), default=256)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--precision", choices=list(DTYPES), default="fp32")
    parser.add_argument("--compile", action="store_true")
    given = parser.parse_args()
    base = CHANNEL_BASE[given.resolution]
    torch.manual_seed(0)
    generator = Generator(GeneratorConfig(given.resolution, channel_base=base))
    generator.eval().requires_grad_(False)
    assert isinstance(generator.synthesis, Synthesis), "the configuration above is StyleGAN2's"
    fast = FastSynthesis(generator.synthesis, precision=given.precision, compiled=given.compile)
    ws = torch.randn(given.batch, generator.num_ws, 512)
    for _ in range(3):
        fast(ws)
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as seen:
        for _ in range(CALLS):
            fast(ws)
    spent = Counter[str]()
    for one in seen.key_averages(group_by_input_shape=True):
        spent[_group(one)] += one.self_cpu_time_total / 1000 / CALLS
    rows = [[name, f"{ms:.1f}", f"{ms / spent.total():.0%}"] for name, ms in spent.most_common()]
    title = f"{given.resolution} px, batch {given.batch}, {given.precision}"
    print(table([title, "ms", "share"], rows))
    gflop = gflop_per_image(given.resolution, base) * given.batch
    print(f"\n{gflop / spent.total() * 1000:.0f} GFLOP/s while it is looked at")


def _group(one: Any) -> str:
    shapes = [shape for shape in one.input_shapes if shape]
    if "convolution" in one.key:
        is_depthwise = len(shapes) > 1 and len(shapes[1]) == 4 and shapes[1][1:] == [1, 4, 4]
        return "FIR filters" if is_depthwise else "convolutions"
    name = one.key.removeprefix("aten::")
    is_rgb = name in ("mm", "matmul") and [shape[-1] for shape in shapes[1:2]] == [3]
    if one.key.startswith(FUSED) or is_rgb or (name in UNFUSED and shapes and len(shapes[0]) == 4):
        return "what follows a convolution"
    return "the rest"


if __name__ == "__main__":
    main()
