"""Tiny networks that the tests share."""

import torch

from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator

TINY = GeneratorConfig(
    img_resolution=16, z_dim=16, w_dim=12, num_mapping_layers=2, channel_base=128, channel_max=8
)


def tiny_generator(seed: int = 0) -> Generator:
    torch.manual_seed(seed)
    generator = Generator(TINY).eval().requires_grad_(False)
    for name, parameter in generator.named_parameters():
        if name.endswith("noise_strength"):
            parameter.fill_(0.1)
    generator.mapping.w_avg.normal_()
    return generator


def tiny_discriminator(seed: int = 1) -> Discriminator:
    torch.manual_seed(seed)
    return Discriminator(TINY)
