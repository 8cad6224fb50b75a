"""The mean of W where a file has none: of z that are always the same."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.generator.config import GeneratorConfig
from tedigan.generator.mapping import Mapping as MappingNetwork
from tedigan.tensors import stream

NUM_SAMPLES = 10_000
NOTE = f"w_avg is the mean of w over {NUM_SAMPLES} z of a fixed stream; the file has none."


@torch.no_grad()
def sampled_w_avg(
    config: GeneratorConfig, tensors: Mapping[str, Tensor]
) -> Float[Tensor, "*rows w_dim"]:
    """As rosinality's `mean_latent` estimates it. tensors: a generator's, under our names."""
    network = MappingNetwork(config)
    names = network.state_dict().keys() - {"w_avg"}
    network.load_state_dict({name: tensors[f"mapping.{name}"] for name in names}, strict=False)
    z = torch.randn(NUM_SAMPLES, config.z_dim, generator=stream("rosinality w_avg"))
    return network(z).mean(dim=0)
