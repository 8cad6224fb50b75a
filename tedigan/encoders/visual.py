"""E_v: photograph -> W+ code of a fixed generator (StyleGAN inversion)."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator, DiscriminatorBlock
from tedigan.generator.ops import Linear
from tedigan.generator.stylegan import Generator

POOLED_SIZE = 4


class VisualEncoder(nn.Module):
    """images `[n, 3, r, r]` -> ws `[n, num_ws, w_dim]`, one code per layer (TediGAN, arXiv:2012.03308).

    The trunk has the discriminator's blocks, so it can start from a discriminator that already knows
    these faces; each block's features, pooled to 4 px, reach the head, so that fine layers see fine
    detail. The head speaks in standard deviations of W around `w_avg`.
    """

    w_avg: Tensor
    w_std: Tensor

    def __init__(self, config: GeneratorConfig, *, head_dim: int) -> None:
        super().__init__()
        self.config = config
        self.resolutions = config.block_resolutions[:0:-1]
        for resolution in self.resolutions:
            self.add_module(f"b{resolution}", DiscriminatorBlock(resolution, config))
        pooled = sum(config.channels(resolution // 2) for resolution in self.resolutions)
        self.fc = Linear(pooled * POOLED_SIZE**2, head_dim, activate=True)
        self.out = Linear(head_dim, config.num_ws * config.w_dim)
        self.register_buffer("w_avg", torch.zeros(config.w_dim))
        self.register_buffer("w_std", torch.ones(config.w_dim))

    def start_from(
        self, discriminator: Discriminator, w_avg: Float[Tensor, " d"], w_std: Float[Tensor, " d"]
    ) -> None:
        """Take the discriminator's blocks and the statistics of W; the first guess is the mean face."""
        blocks = {f"b{resolution}" for resolution in self.resolutions}
        trunk = {
            name: tensor
            for name, tensor in discriminator.state_dict().items()
            if name.split(".")[0] in blocks
        }
        self.load_state_dict(self.state_dict() | trunk | {"w_avg": w_avg, "w_std": w_std})
        nn.init.zeros_(self.out.weight)

    def forward(self, images: Float[Tensor, "n 3 r r"]) -> Float[Tensor, "n num_ws w_dim"]:
        """images in -1..1, aligned like the generator's training faces."""
        pooled, x = [], images
        for resolution in self.resolutions:
            x = self.get_submodule(f"b{resolution}")(x)
            pooled.append(F.adaptive_avg_pool2d(x, POOLED_SIZE).flatten(1))
        offsets = self.out(self.fc(torch.cat(pooled, dim=1)))
        offsets = offsets.unflatten(1, (self.config.num_ws, self.config.w_dim))
        return self.w_avg + offsets * self.w_std


@torch.no_grad()
def w_statistics(
    generator: Generator, rng: torch.Generator, *, num_samples: int = 8192
) -> tuple[Float[Tensor, " w_dim"], Float[Tensor, " w_dim"]]:
    """Mean and standard deviation of W over random z; `w_avg` itself is a running mean of training.

    Where the mapping network gives a w for each layer, all of them count alike.
    """
    z = torch.randn(num_samples, generator.config.z_dim, generator=rng)
    w = generator.mapping(z.to(generator.mapping.w_avg.device)).flatten(0, -2)
    return w.mean(dim=0), w.std(dim=0)
