"""The generator: mapping and synthesis, StyleGAN2 or StyleGAN1."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.generator.config import Architecture, GeneratorConfig
from tedigan.generator.mapping import Mapping, truncate
from tedigan.generator.noise import NoiseMode
from tedigan.generator.stylegan1 import StyleGAN1Synthesis
from tedigan.generator.stylegan2 import Synthesis

SYNTHESES: dict[Architecture, type[Synthesis] | type[StyleGAN1Synthesis]] = {
    "stylegan2": Synthesis,
    "stylegan1": StyleGAN1Synthesis,
}


class Generator(nn.Module):
    """G(z) = synthesis(mapping(z), one row for each layer); config.architecture says whose synthesis.

    StyleGAN2 (arXiv:1912.04958) has NVIDIA's tensor names, StyleGAN1 (arXiv:1812.04948) our own.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.mapping = Mapping(config)
        self.synthesis = SYNTHESES[config.architecture](config)

    @property
    def num_ws(self) -> int:
        """W+ codes that synthesis takes."""
        return self.config.num_ws

    def ws_of_w(self, w: Float[Tensor, "n *rows w_dim"]) -> Float[Tensor, "n num_ws w_dim"]:
        """What the mapping network gives -> a row for each layer: one w repeated, or the rows as they are."""
        return w[:, None].expand(-1, self.num_ws, -1) if self.config.repeat_w else w

    def ws_of(
        self,
        z: Float[Tensor, "n z_dim"],
        *,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """z -> the W+ code of the mapping network, truncated."""
        return truncate(
            self.ws_of_w(self.mapping(z)),
            self.mapping.w_avg,
            truncation_psi=truncation_psi,
            truncation_cutoff=truncation_cutoff,
        )

    def forward(
        self,
        z: Float[Tensor, "n z_dim"],
        *,
        truncation_psi: float = 1.0,
        noise_mode: NoiseMode | Sequence[NoiseMode] = "const",
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "n 3 r r"]:
        """z -> images, about -1..1."""
        ws = self.ws_of(z, truncation_psi=truncation_psi)
        images: Tensor = self.synthesis(ws, noise_mode=noise_mode, generator=generator)
        return images
