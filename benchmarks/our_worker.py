"""One measurement of the project's own classes, in a process of its own; the twin of peer_worker."""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch

from benchmarks.adversarial import Pair
from benchmarks.convolutions import conv_peak_gflops
from benchmarks.timing import measure, say
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.engine import choose_engine
from tedigan.generator.fast_synthesis import measure_error
from tedigan.generator.ops import DTYPES
from tedigan.generator.stylegan import Generator
from tedigan.generator.stylegan2 import Synthesis
from tedigan.store import pictures
from tedigan.tensors import choose_device, to_pixels


def main() -> None:
    """Measure what the arguments say and print one RESULT line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["synthesis", "files", "step", "peak"])
    parser.add_argument("--resolution", type=int, default=256)
    parser.add_argument("--channel-base", type=int, default=16384)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=list(DTYPES), default="fp32")
    parser.add_argument("--compile", choices=["auto", "never"], default="never")
    parser.add_argument("--format", choices=pictures.FORMATS, default="png")
    parser.add_argument("--r1", action="store_true")
    given = parser.parse_args()
    choose_device(given.device)  # fp32 is fp32 from here on
    kinds = {"synthesis": _synthesis, "files": _files, "step": _step, "peak": _peak}
    say({"images": given.batch, **kinds[given.what](given)})


def _generator(given: argparse.Namespace) -> Generator:
    torch.manual_seed(0)
    clamp = 256.0 if given.device == "cuda" else None
    config = GeneratorConfig(given.resolution, channel_base=given.channel_base, conv_clamp=clamp)
    return Generator(config).to(given.device)


def _engine(given: argparse.Namespace, generator: Generator) -> Any:
    return choose_engine(
        generator,
        precision=given.precision,
        compilation=given.compile,
        batch_size=given.batch,
    )


def _synthesis(given: argparse.Namespace) -> dict[str, Any]:
    generator = _generator(given).eval().requires_grad_(False)
    engine = _engine(given, generator)
    ws = torch.randn(given.batch, generator.num_ws, 512, device=given.device)
    assert isinstance(generator.synthesis, Synthesis), "the configuration above is StyleGAN2's"
    error = measure_error(engine.synthesise, generator.synthesis, ws)
    with torch.inference_mode():
        times = measure(lambda: engine.synthesise(ws), repeats=given.repeats)
    return times | {"error": vars(error), "engine": engine.record()}


@torch.inference_mode()
def _files(given: argparse.Namespace) -> dict[str, Any]:
    """z -> picture files, a batch at a time as the stage `generate` does."""
    generator = _generator(given).eval().requires_grad_(False)
    engine = _engine(given, generator)
    with tempfile.TemporaryDirectory() as folder:

        def draw() -> None:
            z = torch.randn(given.batch, 512, device=given.device)
            images = engine.synthesise(generator.ws_of(z, truncation_psi=0.7))
            for index, picture in enumerate(to_pixels(images).cpu()):
                pictures.save(Path(folder, f"{index}.{given.format}"), picture)

        return measure(draw, repeats=given.repeats) | {"engine": engine.record()}


def _step(given: argparse.Namespace) -> dict[str, Any]:
    generator = _generator(given)
    discriminator = Discriminator(generator.config).to(given.device)
    networks: list[Any] = [generator, discriminator]
    for network in networks:
        network.to(memory_format=torch.channels_last)
    pair = Pair(generator, discriminator, generator, discriminator)
    z = torch.randn(given.batch, 512, device=given.device)
    photographs = torch.randn(given.batch, 3, given.resolution, given.resolution).to(given.device)
    gamma = 1.0 if given.r1 else 0.0
    return measure(lambda: pair.step(z, photographs, r1_gamma=gamma), repeats=given.repeats)


def _peak(given: argparse.Namespace) -> dict[str, Any]:
    return {"gflops": conv_peak_gflops(DTYPES[given.precision], torch.device(given.device))}


if __name__ == "__main__":
    main()
