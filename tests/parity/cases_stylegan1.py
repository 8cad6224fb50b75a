"""StyleGAN1 in its two dialects (TediGAN's base release, genforce), and the encoder of TediGAN's base release."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from tedigan.encoders.idinvert import IdinvertEncoder
from tedigan.foreign.dialects import genforce_stylegan1, idinvert_encoder, tedigan_base
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.stylegan import Generator
from tedigan.store.model_folders import fill
from tests.parity.case import CUTOFF, PSI, Case, Outputs, Shapes, Z, filled, shapes_of
from tests.parity.filling import fill_shapes, unit_values
from tests.parity.foreign_file import foreign_file

TEDIGAN, GENFORCE = "IIGROUP/TediGAN", "genforce/genforce"
FLAT = "state_dict"


@torch.no_grad()
def tedigan_generator(resolution: int, **settings: Any) -> tuple[Shapes, Outputs]:
    """Images without truncation, which is a tensor of theirs; then codes with it."""
    networks = importlib.import_module("models.stylegan_generator_network")
    network = filled(networks.StyleGANGeneratorNet(resolution, **settings))
    outputs = {"images": network(Z)}
    network.truncation.truncation[:, :CUTOFF] = PSI
    outputs["ws"] = network.truncation(network.mapping(Z))
    return {FLAT: shapes_of(network.state_dict())}, outputs


@torch.no_grad()
def genforce_generator(resolution: int, **settings: Any) -> tuple[Shapes, Outputs]:
    """Images without truncation, codes with it."""
    networks = importlib.import_module("models.stylegan_generator")
    network = filled(networks.StyleGANGenerator(resolution, **settings))
    ws = network.truncation(network.mapping(Z)["w"], PSI, CUTOFF)
    shapes = {"generator_smooth": shapes_of(network.state_dict())}
    return shapes, {"images": network(Z)["image"], "ws": ws}


def our_tedigan_generator(shapes: Shapes, folder: Path) -> Outputs:
    """The same from their file."""
    return generator_outputs(fill_shapes(shapes[FLAT]), folder, tedigan_base)


def our_genforce_generator(shapes: Shapes, folder: Path) -> Outputs:
    """The same from their file."""
    content = {section: fill_shapes(names) for section, names in shapes.items()}
    return generator_outputs(content, folder, genforce_stylegan1)


@torch.no_grad()
def generator_outputs(content: Any, folder: Path, dialect: ModuleType) -> Outputs:
    """Images and truncated codes of the one generator in a file."""
    file = foreign_file(folder, content)
    assert dialect.recognises(file)
    [model] = dialect.translate(file)
    network = Generator(GeneratorConfig.from_json(model.config))
    fill(network, model.networks["G_ema"], file.name)
    ws = network.ws_of(Z, truncation_psi=PSI, truncation_cutoff=CUTOFF)
    return {"images": network(Z), "ws": ws}


def photographs() -> Tensor:
    """Noise of order 1 for an encoder."""
    return unit_values("images", [2, 3, 256, 256])


@torch.no_grad()
def tedigan_encoder(**settings: Any) -> tuple[Shapes, Outputs]:
    """At 256 px."""
    networks = importlib.import_module("models.stylegan_encoder_network")
    network = filled(networks.StyleGANEncoderNet(256, use_bn=True, **settings))
    ws = network(photographs()).view(-1, 14, 512)
    return {FLAT: shapes_of(network.state_dict())}, {"ws": ws}


@torch.no_grad()
def our_tedigan_encoder(shapes: Shapes, folder: Path) -> Outputs:
    """The same from their file."""
    file = foreign_file(folder, fill_shapes(shapes[FLAT]))
    assert idinvert_encoder.recognises(file)
    [model] = idinvert_encoder.translate(file)
    network = IdinvertEncoder.from_json(model.config)
    fill(network, model.networks["encoder"], file.name)
    return {"ws": network(photographs())}


GENERATORS = [
    Case(
        "tedigan_base_generator_256",
        TEDIGAN,
        lambda: tedigan_generator(256, repeat_w=False, final_tanh=True),
        our_tedigan_generator,
    ),
    Case(
        "tedigan_base_generator_1024",
        TEDIGAN,
        lambda: tedigan_generator(1024),
        our_tedigan_generator,
    ),
    Case(
        "genforce_stylegan1_256", GENFORCE, lambda: genforce_generator(256), our_genforce_generator
    ),
    Case(
        "genforce_stylegan1_64_untied",
        GENFORCE,
        lambda: genforce_generator(64, repeat_w=False),
        our_genforce_generator,
    ),
    Case(
        "genforce_stylegan1_1024",
        GENFORCE,
        lambda: genforce_generator(1024),
        our_genforce_generator,
    ),
]
ENCODER = Case("idinvert_encoder_256", TEDIGAN, tedigan_encoder, our_tedigan_encoder)
CASES = [*GENERATORS, ENCODER]
