"""StyleGAN2 in its four dialects: NVIDIA's two releases, rosinality's, genforce's."""

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from tedigan.foreign.dialects import genforce_stylegan2, rosinality
from tedigan.foreign.dialects.foreign import Checkpoint
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.store.model_folders import fill
from tests.parity.case import CUTOFF, PSI, Case, Outputs, Shapes, Z, filled, shapes_of
from tests.parity.filling import fill_shapes, unit_values
from tests.parity.foreign_file import foreign_file

NVIDIA_ADA, NVIDIA_3 = "NVlabs/stylegan2-ada-pytorch", "NVlabs/stylegan3"
ROSINALITY, GENFORCE = "rosinality/stylegan2-pytorch", "genforce/genforce"
TINY = GeneratorConfig(32, z_dim=32, w_dim=32, channel_base=128, channel_max=32)

LATENT_AVG = {"latent_avg": [512]}


def images_of(resolution: int, n: int) -> Tensor:
    """For a discriminator: of order 1, coarse enough to reach its last layers."""
    coarse = unit_values("images", [n, 3, resolution // 8, resolution // 8])
    return coarse.repeat_interleave(8, dim=2).repeat_interleave(8, dim=3)


# NVIDIA: their names are ours.


def nvidia_generator(module: str, resolution: int, **synthesis: Any) -> tuple[Shapes, Outputs]:
    """`synthesis`: where that release wants its arguments."""
    network = filled(
        importlib.import_module(module).Generator(512, 0, 512, resolution, 3, **synthesis)
    )
    images = network(Z, None, noise_mode="const", force_fp32=True)
    ws = network.mapping(Z, None, truncation_psi=PSI, truncation_cutoff=CUTOFF)
    return {"G_ema": shapes_of(network.state_dict())}, {"images": images, "ws": ws}


def our_nvidia_generator(shapes: Shapes, config: GeneratorConfig) -> Outputs:
    """The same from ours."""
    network = Generator(config)
    fill(network, fill_shapes(shapes["G_ema"]), "filling")
    with torch.no_grad():
        ws = network.ws_of(Z, truncation_psi=PSI, truncation_cutoff=CUTOFF)
        return {"images": network(Z), "ws": ws}


def nvidia_discriminator() -> tuple[Shapes, Outputs]:
    """At 256 px."""
    network = filled(
        importlib.import_module("training.networks").Discriminator(0, 256, 3, channel_base=16384)
    )
    logits = network(images_of(256, 2), None).squeeze(1)
    return {"D": shapes_of(network.state_dict())}, {"logits": logits}


@torch.no_grad()
def our_nvidia_discriminator(shapes: Shapes, _: Path) -> Outputs:
    """The same from ours."""
    network = Discriminator(GeneratorConfig(256, channel_base=16384))
    fill(network, fill_shapes(shapes["D"]), "filling")
    return {"logits": network(images_of(256, 2))}


# Gradients to second order: of G's path lengths and of D's R1, to the weights.


def nvidia_gradients() -> tuple[Shapes, Outputs]:
    """At 32 px; their non-fused convolution differs from their fused one in rounding alone."""
    networks = importlib.import_module("training.networks")
    numbers = {"channel_base": TINY.channel_base, "channel_max": TINY.channel_max}
    g = networks.Generator(32, 0, 32, 32, 3, synthesis_kwargs=numbers)
    d = networks.Discriminator(0, 32, 3, **numbers)
    filled(g), filled(d)
    outputs = gradients(
        g.synthesis, d, lambda ws: g.synthesis(ws, noise_mode="const"), lambda x: d(x, None)
    )
    return {"G": shapes_of(g.state_dict()), "D": shapes_of(d.state_dict())}, outputs


def our_gradients(shapes: Shapes, _: Path) -> Outputs:
    """The same from ours."""
    g, d = Generator(TINY), Discriminator(TINY)
    fill(g, fill_shapes(shapes["G"]), "filling")
    fill(d, fill_shapes(shapes["D"]), "filling")
    return gradients(g.synthesis, d, g.synthesis, d)


def gradients(
    g: nn.Module,
    d: nn.Module,
    images_of_ws: Callable[[Tensor], Tensor],
    logits_of: Callable[[Tensor], Tensor],
) -> Outputs:
    """What training asks of the two networks, each scaled so that the largest is of order 1."""
    g.requires_grad_(True)
    d.requires_grad_(True)
    ws = unit_values("ws", [2, TINY.num_ws, TINY.w_dim]).requires_grad_()
    reals = images_of(32, 8).requires_grad_()
    logits = logits_of(reals)
    directions = unit_values("directions", [2, 3, 32, 32]) / 32
    return {
        "logits": logits.flatten(),
        "path_length": to_weights(g, (images_of_ws(ws) * directions).sum(), ws),
        "r1": to_weights(d, 16 * logits.sum(), reals),
    }


def to_weights(network: nn.Module, value: Tensor, inputs: Tensor) -> Tensor:
    """Gradient of the squared gradient's sum, of all weights in the order of their names."""
    first = torch.autograd.grad(value, inputs, create_graph=True)[0].square().sum()
    weights = [weight for _, weight in sorted(network.named_parameters())]
    second = torch.autograd.grad(first, weights, materialize_grads=True)
    return torch.cat([gradient.flatten() for gradient in second])


# rosinality: through the translator.


@torch.no_grad()
def rosinality_networks(
    resolution: int, channel_multiplier: int, *, discriminator: bool = False
) -> tuple[Shapes, Outputs]:
    """The generator from z, truncated in all layers, and the discriminator."""
    model = importlib.import_module("model")
    g = filled(model.Generator(resolution, 512, 8, channel_multiplier=channel_multiplier))
    w_avg = fill_shapes(LATENT_AVG)["latent_avg"]
    images, _ = g([Z], truncation=PSI, truncation_latent=w_avg, randomize_noise=False)
    shapes, outputs = {"g_ema": shapes_of(g.state_dict())}, {"images": images}
    if discriminator:
        d = filled(model.Discriminator(resolution, channel_multiplier=channel_multiplier))
        shapes["d"] = shapes_of(d.state_dict())
        outputs["logits"] = d(images_of(resolution, 2)).squeeze(1)
    return shapes, outputs


def our_rosinality_networks(shapes: Shapes, folder: Path) -> Outputs:
    """The same from their file."""
    content = {section: fill_shapes(names) for section, names in shapes.items()}
    file = foreign_file(folder, content | fill_shapes(LATENT_AVG))
    return translated_outputs(file, rosinality)


@torch.no_grad()
def translated_outputs(file: Checkpoint, dialect: ModuleType) -> Outputs:
    """Images and, if the file has a discriminator, logits of the one model in a file."""
    assert dialect.recognises(file)
    [model] = dialect.translate(file)
    config = GeneratorConfig.from_json(model.config)
    g = Generator(config)
    fill(g, model.networks["G_ema"], file.name)
    outputs = {"images": g(Z, truncation_psi=PSI)}
    if "D" in model.networks:
        d = Discriminator(config)
        fill(d, model.networks["D"], file.name)
        outputs["logits"] = d(images_of(config.img_resolution, 2))
    return outputs


# genforce: through the translator.


@torch.no_grad()
def genforce_networks(
    resolution: int, fmaps_base: int, *, discriminator: bool = False
) -> tuple[Shapes, Outputs]:
    """The generator from z, truncated in all layers, and the discriminator."""
    generators = importlib.import_module("models.stylegan2_generator")
    g = filled(generators.StyleGAN2Generator(resolution, fmaps_base=fmaps_base))
    images = g(Z, trunc_psi=PSI, trunc_layers=g.num_layers)["image"]
    shapes, outputs = {"generator_smooth": shapes_of(g.state_dict())}, {"images": images}
    if discriminator:
        discriminators = importlib.import_module("models.stylegan2_discriminator")
        d = filled(discriminators.StyleGAN2Discriminator(resolution, fmaps_base=fmaps_base))
        shapes["discriminator"] = shapes_of(d.state_dict())
        outputs["logits"] = d(images_of(resolution, 2)).squeeze(1)
    return shapes, outputs


def our_genforce_networks(shapes: Shapes, folder: Path) -> Outputs:
    """The same from their file."""
    content = {section: fill_shapes(names) for section, names in shapes.items()}
    return translated_outputs(foreign_file(folder, content), genforce_stylegan2)


CASES = [
    Case(
        "nvidia_ada_generator_256",
        NVIDIA_ADA,
        lambda: nvidia_generator(
            "training.networks", 256, synthesis_kwargs={"channel_base": 16384}
        ),
        lambda shapes, _: our_nvidia_generator(shapes, GeneratorConfig(256, channel_base=16384)),
    ),
    Case(
        "nvidia_ada_generator_1024",
        NVIDIA_ADA,
        lambda: nvidia_generator("training.networks", 1024),
        lambda shapes, _: our_nvidia_generator(shapes, GeneratorConfig(1024)),
    ),
    Case(
        "nvidia_3_generator_256",
        NVIDIA_3,
        lambda: nvidia_generator("training.networks_stylegan2", 256, channel_base=16384),
        lambda shapes, _: our_nvidia_generator(shapes, GeneratorConfig(256, channel_base=16384)),
    ),
    Case(
        "nvidia_ada_discriminator_256", NVIDIA_ADA, nvidia_discriminator, our_nvidia_discriminator
    ),
    Case("nvidia_ada_gradients_32", NVIDIA_ADA, nvidia_gradients, our_gradients),
    Case(
        "rosinality_256_config_e",
        ROSINALITY,
        lambda: rosinality_networks(256, channel_multiplier=1),
        our_rosinality_networks,
    ),
    Case(
        "rosinality_256_config_f",
        ROSINALITY,
        lambda: rosinality_networks(256, channel_multiplier=2, discriminator=True),
        our_rosinality_networks,
    ),
    Case(
        "rosinality_1024",
        ROSINALITY,
        lambda: rosinality_networks(1024, channel_multiplier=2),
        our_rosinality_networks,
    ),
    Case(
        "genforce_stylegan2_256",
        GENFORCE,
        lambda: genforce_networks(256, fmaps_base=16384, discriminator=True),
        our_genforce_networks,
    ),
    Case(
        "genforce_stylegan2_1024",
        GENFORCE,
        lambda: genforce_networks(1024, fmaps_base=32768),
        our_genforce_networks,
    ),
]
