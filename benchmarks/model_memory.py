"""Peak memory of an import, an adoption and a gradient to codes at a generator's full width, each in a fork.

python -m benchmarks.model_memory [RESOLUTION ...]

The file is rosinality's, of random values. MiB beyond a process that has imported all; import and adoption also as
multiples of the file.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from tedigan.generator.config import GeneratorConfig
from tedigan.generator.stylegan import Generator
from tedigan.models.adopt_generator import adopt_generator
from tedigan.models.imports import import_models
from tests.foreign.test_dialect_rosinality import generator_tensors


def peak_of(work: Callable[[], object]) -> tuple[int, float]:
    """MiB beyond what is there, and CPU seconds, of work in a fork."""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        before, begin = _peak_kib(reset=True), os.times()
        work()
        end = os.times()
        taken = (_peak_kib() - before) // 1024, end.user + end.system - begin.user - begin.system
        os.write(writing, json.dumps(taken).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        told = file.read()
    os.waitpid(child, 0)
    return tuple(json.loads(told)) if told else (-1, -1.0)


def _peak_kib(*, reset: bool = False) -> int:
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def gradient(resolution: int) -> None:
    """One step of what an edit or an encoder's training asks of a frozen generator: one image, to its codes."""
    generator = Generator(GeneratorConfig(resolution)).requires_grad_(False)
    ws = torch.randn(1, generator.num_ws, 512).requires_grad_()
    generator.synthesis(ws).square().mean().backward()


def main() -> None:
    """Print a row for each."""
    torch.set_num_threads(1)
    print("| px | work | MiB | of the file | CPU s |\n|---|---|---|---|---|")
    for resolution in [int(one) for one in sys.argv[1:]] or [256, 1024]:
        sizes = [2**k for k in range(2, resolution.bit_length())]
        widths = {size: min(32768 // size, 512) for size in sizes}
        with tempfile.TemporaryDirectory() as folder:
            file, place = Path(folder, "theirs.pt"), Path(folder, "model")
            tensors = {
                name: torch.randn(tensor.shape) if tensor.numel() else tensor
                for name, tensor in generator_tensors(widths, num_mapping_layers=8).items()
                if not name.endswith("kernel")
            }
            torch.save({"g_ema": tensors}, file)
            del tensors
            size = file.stat().st_size / 2**20
            works: list[tuple[str, Callable[[], object]]] = [
                ("import", partial(import_models, file, place, licence="")),
                ("gradient", partial(gradient, resolution)),
                ("adopt", partial(adopt_generator, file, Path(folder, "adopted"))),
            ]
            for name, work in works:
                mib, seconds = peak_of(work)
                print(
                    f"| {resolution} | {name} | {mib} | {mib / size:.1f} | {seconds:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
