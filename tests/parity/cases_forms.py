"""Legal forms that official networks of the usual settings do not have, each through the reader of whole files.

NVIDIA's discriminator with a clamp that its generator has not, and one low-pass filter that is not [1, 3, 3, 1].
"""

import importlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tedigan.models.imports import read_models
from tests.foreign.nvidia_snapshot import EasyDict, dump, module
from tests.parity.case import Case, Outputs, Shapes, filled, shapes_of
from tests.parity.cases_stylegan2 import NVIDIA_ADA, images_of
from tests.parity.filling import fill_shapes, unit_values

SIZES = (32, 0, 32, 32, 3)  # z_dim, c_dim, w_dim, img_resolution, img_channels
NAMES = ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels")
WIDTHS = {"channel_base": 512, "channel_max": 32}
G_CLAMP, D_CLAMPS = 256, (None, 0.5, 2.0)
FILTER = [1, 2, 2, 1]
Z = unit_values("z", [2, 32])


def _named(part: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{part}/{name}": tensor for name, tensor in tensors.items()}


def _pickled(
    folder: Path, tensors: dict[str, dict[str, Tensor]], more: dict[str, Any], clamp: Any
) -> Path:
    """A snapshot. more: what both networks were made with besides; clamp: D's."""
    synthesis = EasyDict(WIDTHS, conv_clamp=G_CLAMP, **more)
    of_g = EasyDict(zip(NAMES, SIZES, strict=True), synthesis_kwargs=synthesis)
    of_d = EasyDict(c_dim=0, img_resolution=32, img_channels=3, conv_clamp=clamp, **WIDTHS)
    content = {
        "G_ema": module("Generator", tensors["G_ema"], _init_kwargs=of_g),
        "D": module("Discriminator", tensors["D"], _init_kwargs=of_d),
    }
    path = folder / "theirs.pkl"
    path.write_bytes(dump(content))
    return path


@torch.no_grad()
def official_clamps() -> tuple[Shapes, Outputs]:
    """D's logits for images far out, by its own clamp."""
    networks = importlib.import_module("training.networks")
    g = networks.Generator(*SIZES, synthesis_kwargs=WIDTHS | {"conv_clamp": G_CLAMP})
    outputs = {}
    for clamp in D_CLAMPS:
        d = filled(networks.Discriminator(0, 32, 3, conv_clamp=clamp, **WIDTHS))
        outputs[f"logits_{clamp}"] = d(4 * images_of(32, 8), None).squeeze(1)
    return {"G_ema": shapes_of(g.state_dict()), "D": shapes_of(d.state_dict())}, outputs


@torch.no_grad()
def our_clamps(shapes: Shapes, folder: Path) -> Outputs:
    """The same from a file for each."""
    tensors = {name: fill_shapes(one) for name, one in shapes.items()}
    outputs = {}
    for clamp in D_CLAMPS:
        [found] = read_models(_pickled(folder, tensors, {}, clamp))
        assert found.config["synthesis"]["conv_clamp"] == G_CLAMP
        outputs[f"logits_{clamp}"] = found.networks["D"](4 * images_of(32, 8))
    return outputs


def _filtered(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """With FILTER in the place of the usual one, normalised as NVIDIA does."""
    taps = torch.tensor(FILTER, dtype=torch.float32)
    kernel = taps.outer(taps) / taps.outer(taps).sum()
    return {n: kernel if n.endswith("resample_filter") else one for n, one in tensors.items()}


@torch.no_grad()
def official_filter() -> tuple[Shapes, Outputs]:
    """Images with another filter, in both networks."""
    networks = importlib.import_module("training.networks")
    more = {"resample_filter": FILTER}
    g = networks.Generator(*SIZES, synthesis_kwargs=WIDTHS | {"conv_clamp": G_CLAMP} | more)
    d = networks.Discriminator(0, 32, 3, block_kwargs=more, **WIDTHS)
    shapes = {"G_ema": shapes_of(g.state_dict()), "D": shapes_of(d.state_dict())}
    for name, network in (("G_ema", g), ("D", d)):
        there = network.state_dict()
        given = fill_shapes(shapes[name])
        kept = {n: there[n] if n.endswith("resample_filter") else one for n, one in given.items()}
        network.load_state_dict(kept)
    images = g(Z, None, noise_mode="const", force_fp32=True)
    return shapes, {"images": images, "logits": d(images_of(32, 8), None).squeeze(1)}


@torch.no_grad()
def our_filter(shapes: Shapes, folder: Path) -> Outputs:
    """The same from their file."""
    tensors = {name: _filtered(fill_shapes(one)) for name, one in shapes.items()}
    [found] = read_models(_pickled(folder, tensors, {"resample_filter": FILTER}, None))
    g, d = found.networks["G_ema"], found.networks["D"]
    return {"images": g(Z), "logits": d(images_of(32, 8))}


CASES = [
    Case("nvidia_ada_clamps_32", NVIDIA_ADA, official_clamps, our_clamps),
    Case("nvidia_ada_filter_32", NVIDIA_ADA, official_filter, our_filter),
]
