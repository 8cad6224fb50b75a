"""How far bf16 and fp16 are from fp32 on a trained generator: `python -m benchmarks.precision FOLDER`."""

import argparse
from pathlib import Path

import torch

from benchmarks.pairing import table
from tedigan.generator.fast_synthesis import FastSynthesis, measure_error
from tedigan.generator.ops import DTYPES
from tedigan.generator.stylegan2 import Synthesis
from tedigan.models.opening import load_generator
from tedigan.tensors import sample_z


def main() -> None:
    """Print a row a precision: error over the faces of a fixed seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a StyleGAN2 model folder")
    parser.add_argument("--images", type=int, default=16)
    given = parser.parse_args()
    generator = load_generator(given.folder, torch.device("cpu"))
    assert isinstance(generator.synthesis, Synthesis), "only StyleGAN2 has fast paths"
    z = sample_z(0, list(range(given.images)), generator.config.z_dim)
    ws = generator.ws_of(z, truncation_psi=0.7)
    rows = []
    for precision in DTYPES:
        fast = FastSynthesis(generator.synthesis, precision=precision)
        error = measure_error(fast, generator.synthesis, ws)
        rows.append(
            [precision, f"{error.max_abs:.1e}", f"{error.rms:.1e}", f"{error.mean_levels:.2f}"]
        )
    print(table([given.folder.name, "max", "rms", "mean levels of 255"], rows))


if __name__ == "__main__":
    main()
