"""One measurement of the trainer's own step, G and D and the average, in a process of its own or of several."""

import argparse
import itertools
from contextlib import nullcontext
from dataclasses import replace

import torch

from benchmarks.gpu_training import SETTINGS
from benchmarks.timing import measure, say
from tedigan.draws import integers
from tedigan.generator.ops import DTYPES
from tedigan.provenance import CHECKOUT
from tedigan.tensors import choose_device, stream, to_images
from tedigan.training import ranks
from tedigan.training.generator_start import GeneratorSize, start_training

NUM_PHOTOGRAPHS = 64


def main() -> None:
    """Measure what the arguments say and print one RESULT line."""
    given = _arguments()
    device = choose_device(given.device)
    if given.threads:
        torch.set_num_threads(given.threads)
    with ranks.joined(on_gpu=device.type == "cuda") if ranks.is_started() else nullcontext():
        _work(given, device)


def _work(given: argparse.Namespace, device: torch.device) -> None:
    clamp = 256.0 if given.precision == "fp16" else None
    interval = 1 if given.r1 else SETTINGS.r1_interval
    settings = replace(SETTINGS, precision=given.precision, r1_interval=interval)
    trainer = start_training(
        None,
        given.resolution,
        replace(_size(given.channel_base), conv_clamp=clamp),
        settings,
        seed=0,
        device=device,
    )
    shape = (NUM_PHOTOGRAPHS, 3, given.resolution, given.resolution)
    pixels = torch.randint(256, shape, generator=stream("photographs"), dtype=torch.uint8)
    pixels = pixels.to(device)
    steps = itertools.count()

    def step() -> None:
        index = next(steps)
        rng = ranks.shared_stream(0, "ranks", index)
        rows = integers(rng, 0, len(pixels), ranks.share(given.batch)).to(device)
        trainer.step(to_images(pixels[rows]), rng, index=index)

    taken = measure(step, repeats=given.repeats, warm_up=2)
    if ranks.is_first():
        say({"images": given.batch, **taken})


def _size(channel_base: int | None) -> GeneratorSize:
    if channel_base:
        return GeneratorSize(512, 512, 8, channel_base, channel_max=512, conv_clamp=None)
    from tedigan.params import chosen, read_params  # a borrowed machine has no yaml

    return chosen(read_params(CHECKOUT / "params.yaml").train_generator, GeneratorSize)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--channel-base", type=int, help="else the network of params.yaml")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, help="else torch's own number")
    parser.add_argument("--precision", choices=list(DTYPES), default="fp32")
    parser.add_argument("--r1", action="store_true", help="at each step")
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


if __name__ == "__main__":
    main()
