"""One measurement of NVIDIA's own classes, from a checkout of stylegan2-ada-pytorch or stylegan3.

A process of its own that never imports tedigan, so that the peer runs in its default environment; `--allocator`
gives it the project's allocator settings and nothing else.
"""

import argparse
import importlib
import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from benchmarks.adversarial import Pair
from benchmarks.timing import measure, say


def main() -> None:
    """Measure what the arguments say and print one RESULT line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["synthesis", "files", "step"])
    parser.add_argument("--peer", type=Path, required=True)
    parser.add_argument("--resolution", type=int, required=True)
    parser.add_argument("--channel-base", type=int, required=True)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--allocator", action="store_true")
    parser.add_argument("--r1", action="store_true")
    given = parser.parse_args()
    if given.allocator:
        _allocator().keep_large_blocks()
    result = {"synthesis": _synthesis, "files": _files, "step": _step}[given.what](given)
    say({"images": given.batch, **result})


def _allocator() -> Any:
    path = Path(__file__).resolve().parents[1] / "tedigan" / "allocator.py"
    spec = importlib.util.spec_from_file_location("allocator", path)
    assert spec is not None, path
    assert spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _classes(peer: Path) -> Any:
    sys.path.insert(0, str(peer))
    is_ada = (peer / "training" / "networks.py").is_file()
    return importlib.import_module("training.networks" if is_ada else "training.networks_stylegan2")


def _generator(given: argparse.Namespace) -> Any:
    torch.manual_seed(0)
    arguments: dict[str, Any] = {
        "channel_base": given.channel_base,
        "num_fp16_res": 4 if given.device == "cuda" else 0,
        "conv_clamp": 256 if given.device == "cuda" else None,
    }
    classes = _classes(given.peer)
    if classes.__name__ == "training.networks":
        arguments = {"synthesis_kwargs": arguments}
    generator = classes.Generator(512, 0, 512, given.resolution, 3, **arguments)
    return generator.to(given.device)


@torch.inference_mode()
def _synthesis(given: argparse.Namespace) -> dict[str, Any]:
    generator = _generator(given).eval().requires_grad_(False)
    ws = torch.randn(given.batch, generator.num_ws, 512, device=given.device)
    fp32 = given.device == "cpu"
    return measure(
        lambda: generator.synthesis(ws, force_fp32=fp32, noise_mode="const"), repeats=given.repeats
    )


@torch.inference_mode()
def _files(given: argparse.Namespace) -> dict[str, Any]:
    """z -> PNG files, one by one as its generate.py does."""
    generator = _generator(given).eval().requires_grad_(False)
    with tempfile.TemporaryDirectory() as folder:

        def draw() -> None:
            for index in range(given.batch):
                z = torch.randn(1, 512, device=given.device)
                images = generator(z, None, truncation_psi=0.7, noise_mode="const")
                pixels = (images.permute(0, 2, 3, 1) * 127.5 + 128).clamp(0, 255).to(torch.uint8)
                Image.fromarray(pixels[0].cpu().numpy(), "RGB").save(Path(folder, f"{index}.png"))

        return measure(draw, repeats=given.repeats)


def _step(given: argparse.Namespace) -> dict[str, Any]:
    generator = _generator(given).train().requires_grad_(True)
    classes = _classes(given.peer)
    discriminator = classes.Discriminator(
        0, given.resolution, 3, channel_base=given.channel_base
    ).to(given.device)
    pair = Pair(
        generator,
        discriminator,
        lambda z: generator(z, None, noise_mode="const"),
        lambda images: discriminator(images, None).squeeze(1),
    )
    z = torch.randn(given.batch, 512, device=given.device)
    photographs = torch.randn(given.batch, 3, given.resolution, given.resolution).to(given.device)
    gamma = 1.0 if given.r1 else 0.0
    return measure(lambda: pair.step(z, photographs, r1_gamma=gamma), repeats=given.repeats)


if __name__ == "__main__":
    main()
