"""E_v: photograph -> W+ code of a fixed generator (StyleGAN inversion), in one pass or in several.

A refining encoder (ReStyle, arXiv:2104.02699) sees the photograph beside the picture of its last guess, and
answers with a shift; it begins at the mean face.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator, DiscriminatorBlock
from tedigan.generator.ops import Conv, Linear
from tedigan.generator.stylegan import Generator
from tedigan.generator.whitening import Whitening

POOLED_SIZE = 4


class VisualEncoder(nn.Module):
    """images `[n, 3, r, r]` -> ws `[n, num_ws, w_dim]`, one code per layer (TediGAN, arXiv:2012.03308).

    The trunk has the discriminator's blocks, so it can start from a discriminator that already knows
    these faces; each block's features, pooled to 4 px, reach the head, so that fine layers see fine
    detail. The head speaks in whitened units of W. num_passes: how often `RefiningEncoder` asks; with more than
    one the trunk sees two pictures at once.
    """

    w_avg: Tensor
    w_std: Tensor

    def __init__(
        self, config: GeneratorConfig, *, head_dim: int, num_axes: int, num_passes: int = 1
    ) -> None:
        super().__init__()
        self.config = config
        self.num_passes = num_passes
        self.resolutions = config.block_resolutions[:0:-1]
        for resolution in self.resolutions:
            self.add_module(f"b{resolution}", DiscriminatorBlock(resolution, config))
        if num_passes > 1:
            self.get_submodule(f"b{self.resolutions[0]}").fromrgb = Conv(
                6, config.channels(config.img_resolution), 1, conv_clamp=config.conv_clamp
            )
        pooled = sum(config.channels(resolution // 2) for resolution in self.resolutions)
        self.fc = Linear(pooled * POOLED_SIZE**2, head_dim, activate=True)
        self.out = Linear(head_dim, config.num_ws * num_axes)
        self.whitening = Whitening(config.w_dim, num_axes)
        self.register_buffer("w_avg", torch.zeros(config.w_dim))
        self.register_buffer("w_std", torch.ones(config.w_dim))

    @classmethod
    def from_json(cls, config: dict[str, Any]) -> "VisualEncoder":
        """Not yet filled, of the numbers in its folder's config.json."""
        sizes = {name: int(config[name]) for name in ("head_dim", "num_axes", "num_passes")}
        return cls(GeneratorConfig.from_json(config["generator"]), **sizes)

    def start_from(
        self,
        discriminator: Discriminator,
        whitening: Whitening,
        w_avg: Float[Tensor, " d"],
        w_std: Float[Tensor, " d"],
    ) -> None:
        """Take the discriminator's blocks and the statistics of W; the first guess is the mean face.

        Where the trunk sees two pictures, it does not look at the second yet.
        """
        blocks = {f"b{resolution}" for resolution in self.resolutions}
        trunk = {
            name: tensor
            for name, tensor in discriminator.state_dict().items()
            if name.split(".")[0] in blocks
        }
        if self.num_passes > 1:
            name = f"b{self.resolutions[0]}.fromrgb.weight"
            first = trunk[name] * math.sqrt(2)  # the gain at run time is for twice the channels
            trunk[name] = torch.cat([first, torch.zeros_like(first)], dim=1)
        numbers = {f"whitening.{name}": tensor for name, tensor in whitening.state_dict().items()}
        self.load_state_dict(self.state_dict() | trunk | numbers | {"w_avg": w_avg, "w_std": w_std})
        nn.init.zeros_(self.out.weight)

    def forward(self, images: Float[Tensor, "n 3 r r"]) -> Float[Tensor, "n num_ws w_dim"]:
        """images in -1..1, aligned like the generator's training faces."""
        return self.w_avg + self.shift(images)

    def shift(self, images: Float[Tensor, "n c r r"]) -> Float[Tensor, "n num_ws w_dim"]:
        """What to add to the last guess. images: the photographs and, in several passes, the guess's pictures."""
        pooled, x = [], images
        for resolution in self.resolutions:
            x = self.get_submodule(f"b{resolution}")(x)
            pooled.append(F.adaptive_avg_pool2d(x, POOLED_SIZE).flatten(1))
        offsets: Tensor = self.out(self.fc(torch.cat(pooled, dim=1)))
        return offsets.unflatten(1, (self.config.num_ws, -1)) @ self.whitening.to_w


@dataclass(frozen=True)
class RefiningEncoder:
    """images -> ws by `network.num_passes` passes, each a shift of the last one's code.

    ws_0 = w_avg,   ws_k = ws_(k-1) + E(x, G(ws_(k-1)))
    """

    network: VisualEncoder
    generator: Generator

    @property
    def w_avg(self) -> Float[Tensor, " w_dim"]:
        """Mean of W."""
        return self.network.w_avg

    @property
    def w_std(self) -> Float[Tensor, " w_dim"]:
        """Deviation of W."""
        return self.network.w_std

    def __call__(self, images: Float[Tensor, "n 3 r r"]) -> Float[Tensor, "n num_ws w_dim"]:
        """The code after the last pass."""
        ws = self.start(len(images))
        for _ in range(self.network.num_passes):
            ws = self.refine(images, ws)
        return ws

    def start(self, n: int) -> Float[Tensor, "n num_ws w_dim"]:
        """The mean face, n times."""
        return self.w_avg.expand(n, self.generator.num_ws, -1)

    def refine(
        self, images: Float[Tensor, "n 3 r r"], ws: Float[Tensor, "n num_ws w_dim"]
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """One pass."""
        if self.network.num_passes == 1:
            return self.network(images)
        drawn = self.generator.synthesis(ws, noise_mode="const")
        return ws + self.network.shift(torch.cat([images, drawn], dim=1))


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
