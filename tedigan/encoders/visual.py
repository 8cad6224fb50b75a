"""E_v, E_vs, E_vl: photograph, sketch or label map -> W+ code of a fixed generator, in one pass or in several.

A refining encoder (ReStyle, arXiv:2104.02699) sees what it is given beside the picture of its last guess, and
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


@dataclass(frozen=True)
class Paint:
    """How a drawing becomes a picture in -1..1 that a discriminator can look at: `base + sum_c x_c colours_c`."""

    colours: Float[Tensor, "c 3"]
    base: float


class VisualEncoder(nn.Module):
    """inputs `[n, input_channels, r, r]` -> ws `[n, num_ws, w_dim]`, a code a layer (TediGAN, arXiv:2012.03308).

    inputs: see `tedigan.encoders.modalities`. The trunk has the discriminator's blocks, so it can start from a
    discriminator that already knows these faces; each block's features, pooled to 4 px, reach the head, so that
    fine layers see fine detail. The head speaks in whitened units of W. num_passes: how often `RefiningEncoder`
    asks; with more than one the trunk sees two pictures at once.
    """

    w_avg: Tensor
    w_std: Tensor

    def __init__(
        self,
        config: GeneratorConfig,
        *,
        head_dim: int,
        num_axes: int,
        num_passes: int = 1,
        input_channels: int = 3,
    ) -> None:
        super().__init__()
        self.config = config
        self.num_passes, self.input_channels = num_passes, input_channels
        self.resolutions = config.block_resolutions[:0:-1]
        for resolution in self.resolutions:
            self.add_module(f"b{resolution}", DiscriminatorBlock(resolution, config))
        channels = input_channels + (3 if num_passes > 1 else 0)
        if channels != 3:
            self.get_submodule(f"b{self.resolutions[0]}").fromrgb = Conv(
                channels, config.channels(config.img_resolution), 1, conv_clamp=config.clamp_of_d
            )
        pooled = sum(config.channels(resolution // 2) for resolution in self.resolutions)
        self.fc = Linear(pooled * POOLED_SIZE**2, head_dim, activate=True)
        self.out = Linear(head_dim, config.num_ws * num_axes)
        self.whitening = Whitening(config.w_dim, num_axes)
        self.register_buffer("w_avg", torch.zeros(config.w_dim))
        self.register_buffer("w_std", torch.ones(config.w_dim))

    def to_json(self) -> dict[str, Any]:
        """The structural fields of an encoder folder's config.json."""
        return {
            "architecture": "visual_encoder",
            "head_dim": self.fc.weight.shape[0],
            "num_axes": self.whitening.num_axes,
            "num_passes": self.num_passes,
            "input_channels": self.input_channels,
            "generator": self.config.to_json(),
        }

    @classmethod
    def from_json(cls, config: dict[str, Any]) -> "VisualEncoder":
        """Not yet filled, of the numbers in its folder's config.json."""
        sizes = {name: int(config[name]) for name in ("head_dim", "num_axes", "num_passes")}
        channels = int(config.get("input_channels", 3))  # of photographs, where nobody said
        generator = GeneratorConfig.from_json(config["generator"])
        return cls(generator, **sizes, input_channels=channels)

    def start_from(
        self,
        discriminator: Discriminator,
        whitening: Whitening,
        w_avg: Float[Tensor, " d"],
        w_std: Float[Tensor, " d"],
        *,
        paint: Paint | None = None,
    ) -> None:
        """Take the discriminator's blocks and the statistics of W; the first guess is the mean face.

        paint: the trunk sees a drawing as if it were painted so; None = the inputs are photographs. Where the
        trunk sees two pictures, it does not look at the second yet.
        """
        blocks = {f"b{resolution}" for resolution in self.resolutions}
        trunk = {
            name: tensor
            for name, tensor in discriminator.state_dict().items()
            if name.split(".")[0] in blocks
        }
        self._look_through(trunk, f"b{self.resolutions[0]}.fromrgb", paint)
        numbers = {f"whitening.{name}": tensor for name, tensor in whitening.state_dict().items()}
        self.load_state_dict(self.state_dict() | trunk | numbers | {"w_avg": w_avg, "w_std": w_std})
        nn.init.zeros_(self.out.weight)

    def _look_through(self, trunk: dict[str, Tensor], first: str, paint: Paint | None) -> None:
        """Let the first layer, which is for RGB, read the inputs. Gains at run time are 1 / sqrt(channels)."""
        weight = trunk[f"{first}.weight"]
        if paint is not None:
            base = paint.base * weight.sum(dim=[1, 2, 3]) / math.sqrt(3)
            trunk[f"{first}.bias"] = trunk[f"{first}.bias"] + base
            weight = torch.einsum("oihw,ci->ochw", weight, paint.colours.to(weight))
            weight = weight * math.sqrt(self.input_channels / 3)
        if self.num_passes > 1:
            weight = weight * math.sqrt((self.input_channels + 3) / self.input_channels)
            weight = torch.cat([weight, weight.new_zeros(len(weight), 3, 1, 1)], dim=1)
        trunk[f"{first}.weight"] = weight

    def forward(self, inputs: Float[Tensor, "n c r r"]) -> Float[Tensor, "n num_ws w_dim"]:
        """inputs: aligned like the generator's training faces."""
        return self.refined(inputs, self.w_avg.expand(len(inputs), self.config.num_ws, -1))

    def refined(
        self, inputs: Float[Tensor, "n c r r"], ws: Float[Tensor, "n num_ws w_dim"]
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """The next guess after `ws`. inputs: with, in several passes, that guess's pictures behind them."""
        pooled, x = [], inputs
        for resolution in self.resolutions:
            x = self.get_submodule(f"b{resolution}")(x)
            pooled.append(F.adaptive_avg_pool2d(x, POOLED_SIZE).flatten(1))
        offsets: Tensor = self.out(self.fc(torch.cat(pooled, dim=1)))
        return self.whitening.moved(ws, offsets.unflatten(1, (self.config.num_ws, -1)))


@dataclass(frozen=True)
class RefiningEncoder:
    """inputs -> ws by `network.num_passes` passes, each a shift of the last one's code.

    ws_0 = w_avg,   u_k = u_(k-1) + E(x, G(ws_(k-1)))   with u the whitened ws
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

    @property
    def input_channels(self) -> int:
        """Of what it reads: 3 photographs, 1 sketches, 19 label maps."""
        return self.network.input_channels

    def __call__(self, inputs: Float[Tensor, "n c r r"]) -> Float[Tensor, "n num_ws w_dim"]:
        """The code after the last pass."""
        ws = self.start(len(inputs))
        for _ in range(self.network.num_passes):
            ws = self.refine(inputs, ws)
        return ws

    def start(self, n: int) -> Float[Tensor, "n num_ws w_dim"]:
        """The mean face, n times."""
        return self.w_avg.expand(n, self.generator.num_ws, -1)

    def refine(
        self, inputs: Float[Tensor, "n c r r"], ws: Float[Tensor, "n num_ws w_dim"]
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """One pass."""
        if self.network.num_passes == 1:
            return self.network(inputs)
        drawn = self.generator.synthesis(ws, noise_mode="const")
        return self.network.refined(torch.cat([inputs, drawn], dim=1), ws)


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
