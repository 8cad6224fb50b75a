"""The generator: mapping and synthesis; StyleGAN2 has NVIDIA's tensor names."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.generator.config import GeneratorConfig
from tedigan.generator.mapping import Mapping, truncate
from tedigan.generator.synthesis import NoiseMode, Synthesis


class Generator(nn.Module):
    """StyleGAN2 (arXiv:1912.04958): G(z) = synthesis(mapping(z) repeated over num_ws layers)."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.mapping = Mapping(config)
        self.synthesis = Synthesis(config)

    @property
    def num_ws(self) -> int:
        """W+ codes that synthesis takes."""
        return self.config.num_ws

    def ws_of(
        self,
        z: Float[Tensor, "n z_dim"],
        *,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """z -> the W+ code that repeats one w, truncated."""
        ws = self.mapping(z)[:, None].expand(-1, self.num_ws, -1)
        return truncate(
            ws,
            self.mapping.w_avg,
            truncation_psi=truncation_psi,
            truncation_cutoff=truncation_cutoff,
        )

    def forward(
        self,
        z: Float[Tensor, "n z_dim"],
        *,
        truncation_psi: float = 1.0,
        noise_mode: NoiseMode = "const",
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "n 3 r r"]:
        """z -> images, about -1..1."""
        ws = self.ws_of(z, truncation_psi=truncation_psi)
        images: Tensor = self.synthesis(ws, noise_mode=noise_mode, generator=generator)
        return images
