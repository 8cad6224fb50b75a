"""How far bf16 and fp16 are from fp32 on a trained generator: `python -m benchmarks.precision FOLDER`.

With --dataset, of photographs of its size, also on what a training of it would do: how far rounding moves the
gradients of G and D, beside how far other faces do.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.gpu_training import SETTINGS
from benchmarks.pairing import table
from tedigan.dataset.folder import Dataset
from tedigan.generator.fast_synthesis import FastSynthesis, measure_error
from tedigan.generator.ops import DTYPES
from tedigan.generator.stylegan2 import Synthesis
from tedigan.models.opening import load_generator
from tedigan.params import chosen, read_params
from tedigan.provenance import CHECKOUT
from tedigan.tensors import sample_z, to_images
from tedigan.training.generator_start import GeneratorSize, start_training


def main() -> None:
    """Print a row a precision: error over the faces of a fixed seed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="a StyleGAN2 model folder")
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--dataset", type=Path, help="to measure gradients on")
    parser.add_argument("--photographs", type=int, default=8, help="of it")
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
    if given.dataset is not None:
        print("\n" + _of_gradients(given.folder, Dataset.open(given.dataset), given.photographs))


def _of_gradients(folder: Path, data: Dataset, num_photographs: int) -> str:
    """As a training asks before its first step, of which the gate is 1."""
    size = chosen(read_params(CHECKOUT / "params.yaml").train_generator, GeneratorSize)
    photographs = to_images(data.pixels(data.split("train")[:num_photographs]))
    rows = []
    for precision in DTYPES:
        settings, where = replace(SETTINGS, precision=precision), torch.device("cpu")
        trainer = start_training(folder, data.resolution, size, settings, seed=0, device=where)
        found = trainer.rounding(photographs)
        rows.append([precision, f"{found['G']:.2f}", f"{found['D']:.2f}"])
    return table([f"{data.folder}: gradients, beside chance", "G", "D"], rows)


if __name__ == "__main__":
    main()
