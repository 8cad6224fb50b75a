"""Peak memory of what is done with official weights at a generator's full width, each in a fork.

python -m benchmarks.model_memory [RESOLUTION ...]

import: rosinality's file of random values; pSp's file of zeros, with IR-SE 50 (0.9 to 1.2 GB).
adopt: the former as `train_generator.init`, with its sheet. gradient: of a frozen generator, one image, to its
codes. edit: two steps of the inversion of one photograph with D's features, which is where an edit takes most.
encoder's step: on one photograph, with its adversary and R1. MiB beyond a process that has imported all; imports
also as multiples of the file.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from tedigan.encoders.mean_face import MeanFace
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.generator.whitening import whitening_of
from tedigan.method.inversion import Inverter
from tedigan.models.adopt_generator import adopt_generator
from tedigan.models.imports import import_models
from tedigan.models.single_faces import inversion_settings
from tedigan.tensors import stream
from tedigan.training.encoder_trainer import EncoderSettings, EncoderTrainer, new_encoder
from tests.foreign.test_dialect_rosinality import W_DIM, generator_tensors
from tests.parity.cases_psp import CASES as PSP


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


def edit(resolution: int) -> None:
    """The inversion of one photograph, as an edit begins."""
    config = GeneratorConfig(resolution)
    generator = Generator(config).requires_grad_(False)
    features = Discriminator(config).requires_grad_(False)
    settings = inversion_settings(2, has_features=True)
    whitening = whitening_of(generator, stream(0, "whitening"))
    inverter = Inverter(generator, MeanFace(generator), features, whitening, settings)
    inverter.invert(torch.zeros(1, 3, resolution, resolution))


def encoder_step(resolution: int) -> None:
    """One step of an encoder's training, on photographs and with its adversary."""
    config = GeneratorConfig(resolution)
    generator = Generator(config).requires_grad_(False)
    features = Discriminator(config).requires_grad_(False)
    encoder = new_encoder(generator, features, head_dim=512, num_passes=2, seed=0)
    settings = EncoderSettings(0, 1, 1, 1e-4, 1.0, 0.5, 0.02, 0.05, 0.01, 0.9, 0.3, 16)
    trainer = EncoderTrainer(generator, features, encoder, settings)
    photographs = torch.zeros(1, 3, resolution, resolution)
    trainer.photograph_step(photographs, stream(0, "step"), 0)


def psp_file(path: Path, resolution: int, decoder: dict[str, torch.Tensor]) -> None:
    """A whole file of pSp; the decoder's values, zeros elsewhere."""
    num_ws = 2 * resolution.bit_length() - 4
    [case] = [case for case in PSP if case.name == "psp_photographs_32"]
    shapes = case.shapes()["state_dict"]
    encoder = {n: shape for n, shape in shapes.items() if n.startswith("encoder.")}
    for name, shape in [*encoder.items()]:
        if ".styles.7." in name:
            more = range(8, num_ws)
            encoder |= {name.replace(".styles.7.", f".styles.{row}."): shape for row in more}
    state = {name: torch.zeros(shape) for name, shape in encoder.items()}
    state |= {f"decoder.{name}": tensor for name, tensor in decoder.items()}
    opts = {
        "encoder_type": "GradualStyleEncoder",
        "output_size": resolution,
        "start_from_latent_avg": True,
    }
    average = torch.zeros(num_ws, 512)
    torch.save({"state_dict": state, "latent_avg": average, "opts": opts}, path)


def main() -> None:
    """Print a row for each."""
    torch.set_num_threads(1)
    print("| px | work | MiB | of the file, MiB | CPU s |\n|---|---|---|---|---|")
    for resolution in [int(one) for one in sys.argv[1:]] or [256, 1024]:
        with tempfile.TemporaryDirectory() as folder:
            print_rows(resolution, Path(folder))


def print_rows(resolution: int, folder: Path) -> None:
    """Those of one size."""
    widths = {2**k: min(32768 // 2**k, 512) for k in range(2, resolution.bit_length())}
    theirs, psp = folder / "theirs.pt", folder / "psp.pt"
    tensors = generator_tensors(widths, num_mapping_layers=8)
    tensors = {
        name: tensor if name.endswith("kernel") else random_like(tensor, name)
        for name, tensor in tensors.items()
    }
    torch.save({"g_ema": tensors}, theirs)
    psp_file(psp, resolution, tensors)
    del tensors
    works: list[tuple[str, Path | None, Callable[[], object]]] = [
        ("import", theirs, partial(import_models, theirs, folder / "model", licence="")),
        ("import of pSp", psp, partial(import_models, psp, folder / "psp", licence="")),
        ("adopt", theirs, partial(adopt_generator, theirs, folder / "adopted")),
        ("gradient", None, partial(gradient, resolution)),
        ("edit", None, partial(edit, resolution)),
        ("encoder's step", None, partial(encoder_step, resolution)),
    ]
    for name, file, work in works:
        mib, seconds = peak_of(work)
        size = file.stat().st_size / 2**20 if file else 0
        of_file = f"{mib / size:.1f} x {size:.0f}" if size else ""
        print(f"| {resolution} | {name} | {mib} | {of_file} | {seconds:.0f} |", flush=True)


def random_like(tensor: torch.Tensor, name: str) -> torch.Tensor:
    """Random values, and 512 in the place of the tests' small w."""
    shape = [512 if size == W_DIM else size for size in tensor.shape]
    return torch.randn(shape) / (100 if name.startswith("style") else 1)


if __name__ == "__main__":
    main()
