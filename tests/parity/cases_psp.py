"""The encoders of pSp and e4e, and pSp as a whole."""

import importlib
import math
import tempfile
from argparse import Namespace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tedigan.encoders.psp import INPUT_SIZE_PX, PyramidEncoder
from tedigan.foreign.dialects import psp_and_e4e as psp
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.stylegan import Generator
from tedigan.store.model_folders import fill
from tests.parity.case import Case, Outputs, Shapes, shapes_of
from tests.parity.filling import fill_shapes, unit_values
from tests.parity.foreign_file import foreign_file

PSP, E4E = "eladrich/pixel2style2pixel", "omertov/encoder4editing"


def pictures_of(channels: int) -> Tensor:
    """One photograph in -1..1, sketch in 0..1 or one-hot label map, of blocks of 4 px."""
    size = INPUT_SIZE_PX // 4
    coarse = unit_values("pictures", [1, channels, size, size]) / math.sqrt(3)
    if channels == 1:
        coarse = coarse / 2 + 0.5
    if channels > 3:
        coarse = torch.nn.functional.one_hot(coarse.argmax(dim=1), channels)
        coarse = coarse.permute(0, 3, 1, 2).to(torch.float32)
    return coarse.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)


def options(encoder_type: str, channels: int, resolution: int) -> dict[str, Any]:
    """What both repositories read, and what they save."""
    return {
        "encoder_type": encoder_type,
        "input_nc": channels,
        "label_nc": 0 if channels == 3 else channels,
        "output_size": resolution,
        "stylegan_size": resolution,
        "start_from_latent_avg": True,
        "learn_in_w": False,
        "device": "cpu",
    }


def latent_avg(resolution: int) -> Tensor:
    """One mean, repeated for each layer."""
    num_ws = 2 * int(math.log2(resolution)) - 2
    return fill_shapes({"latent_avg": [512]})["latent_avg"].repeat(num_ws, 1)


@torch.no_grad()
def official(encoder_type: str, channels: int, resolution: int) -> tuple[Shapes, Outputs]:
    """Codes, and their image with the stored noise, of the whole model as it loads itself from a file."""
    opts = Namespace(**options(encoder_type, channels, resolution))
    opts.n_styles = len(latent_avg(resolution))
    encoders = importlib.import_module("models.encoders.psp_encoders")
    decoders = importlib.import_module("models.stylegan2.model")
    parts = {
        "encoder": getattr(encoders, encoder_type)(50, "ir_se", opts),
        "decoder": decoders.Generator(resolution, 512, 8),
    }
    shapes = shapes_of(
        {
            f"{part}.{name}": tensor
            for part, network in parts.items()
            for name, tensor in network.state_dict().items()
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        opts.checkpoint_path = str(Path(folder) / "model.pt")
        content = {"state_dict": fill_shapes(shapes), "latent_avg": latent_avg(resolution)}
        torch.save(content, opts.checkpoint_path)
        network = importlib.import_module("models.psp").pSp(opts).eval()
    images, ws = network(
        pictures_of(channels), resize=False, randomize_noise=False, return_latents=True
    )
    return {"state_dict": shapes}, {"images": images, "ws": ws}


@torch.no_grad()
def ours(shapes: Shapes, folder: Path, opts: dict[str, Any]) -> Outputs:
    """The same from their file."""
    content = {
        "state_dict": fill_shapes(shapes["state_dict"]),
        "latent_avg": latent_avg(opts["output_size"]),
        "opts": opts,
    }
    file = foreign_file(folder, content)
    assert psp.recognises(file)
    one, other = psp.translate(file)
    encoder = PyramidEncoder.from_json(one.config)
    fill(encoder, one.networks["encoder"], file.name)
    ws = encoder.eval()(pictures_of(opts["input_nc"]))
    generator = Generator(GeneratorConfig.from_json(other.config))
    fill(generator, other.networks["G_ema"], file.name)
    return {"images": generator.synthesis(ws), "ws": ws}


def case(name: str, peer: str, encoder_type: str, channels: int, resolution: int) -> Case:
    """One kind of encoder for one size of generator."""
    opts = options(encoder_type, channels, resolution)
    return Case(
        name,
        peer,
        lambda: official(encoder_type, channels, resolution),
        lambda shapes, folder: ours(shapes, folder, opts),
    )


CASES = [
    case("psp_photographs_1024", PSP, "GradualStyleEncoder", 3, 1024),
    case("psp_photographs_32", PSP, "GradualStyleEncoder", 3, 32),
    case("psp_sketches_32", PSP, "GradualStyleEncoder", 1, 32),
    case("psp_label_maps_32", PSP, "GradualStyleEncoder", 19, 32),
    case("e4e_photographs_64", E4E, "Encoder4Editing", 3, 64),
]
