"""The encoders of pSp (arXiv:2008.00951) and e4e (arXiv:2102.02766): pictures -> W+ codes in one pass.

Both have the same tensors, under the official names, and differ in what a head's output means. Inputs are
256 px: photographs in -1..1, aligned as FFHQ is; sketches in 0..1 (one channel); label maps one-hot (19 channels).
"""

import math
from collections.abc import Mapping
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.encoders.irse import IRSE50, STAGES
from tedigan.errors import ShapeError, WeightsError
from tedigan.generator.ops import Linear

PyramidArchitecture = Literal["psp_encoder", "e4e_encoder"]

W_DIM = 512
INPUT_SIZE_PX = 256
INPUTS = {1: "sketches", 3: "photographs", 19: "label maps"}  # by channels
NUM_WS = (8, 10, 12, 14, 16, 18)  # of generators of 32 to 1024 px
NUM_COARSE, NUM_MIDDLE = 3, 4  # codes from the features at 16 and at 32 px; all others from 64 px


class StyleHead(nn.Module):
    """Features -> one code: convolutions that halve the size until one pixel is left, then a linear layer."""

    def __init__(self, size_px: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(int(math.log2(size_px))):
            layers += [nn.Conv2d(W_DIM, W_DIM, 3, stride=2, padding=1), nn.LeakyReLU(0.01)]
        self.convs = nn.Sequential(*layers)
        self.linear = Linear(W_DIM, W_DIM)

    def forward(self, x: Float[Tensor, "n c s s"]) -> Float[Tensor, "n c"]:
        """`[n, 512, size_px, size_px]` -> `[n, 512]`."""
        code: Tensor = self.linear(self.convs(x).flatten(1))
        return code


def enlarged_sum(
    coarse: Float[Tensor, "n c h w"], fine: Float[Tensor, "n c h2 w2"]
) -> Float[Tensor, "n c h2 w2"]:
    """`coarse`, bilinearly enlarged from corner to corner, plus `fine`."""
    return F.interpolate(coarse, fine.shape[2:], mode="bilinear", align_corners=True) + fine


class PyramidEncoder(nn.Module):
    """pictures `[n, input_channels, 256, 256]` -> ws `[n, num_ws, 512]`, one head for each layer of G.

        psp_encoder    w_i = w_avg_i + head_i
        e4e_encoder    w_0 = w_avg_0 + head_0,   w_i = w_avg_i + head_0 + head_i

    To be run in evaluation mode: the batch normalisation's statistics are part of the weights.
    """

    w_avg: Tensor
    input_size_px = INPUT_SIZE_PX
    w_dim = W_DIM

    def __init__(
        self, architecture: PyramidArchitecture, *, input_channels: int, num_ws: int
    ) -> None:
        super().__init__()
        self.architecture, self.input_channels, self.num_ws = architecture, input_channels, num_ws
        num_fine = num_ws - NUM_COARSE - NUM_MIDDLE
        self.backbone = IRSE50(input_channels)
        self.styles = nn.ModuleList(
            StyleHead(size) for size in [16] * NUM_COARSE + [32] * NUM_MIDDLE + [64] * num_fine
        )
        fine, middle, _ = (channels for channels, _ in STAGES[1:])
        self.latlayer1 = nn.Conv2d(middle, W_DIM, 1)
        self.latlayer2 = nn.Conv2d(fine, W_DIM, 1)
        self.register_buffer("w_avg", torch.zeros(num_ws, W_DIM))

    def forward(self, pictures: Float[Tensor, "n c h w"]) -> Float[Tensor, "n num_ws w_dim"]:
        """pictures: in the range of their kind, see the module; the codes include w_avg."""
        self._check(pictures)
        fine, middle, coarse = self.backbone(pictures)
        middle = enlarged_sum(coarse, self.latlayer1(middle))
        fine = enlarged_sum(middle, self.latlayer2(fine))
        num_fine = self.num_ws - NUM_COARSE - NUM_MIDDLE
        features = [coarse] * NUM_COARSE + [middle] * NUM_MIDDLE + [fine] * num_fine
        heads = [head(x) for head, x in zip(self.styles, features, strict=True)]
        if self.architecture == "e4e_encoder":
            heads[1:] = [heads[0] + delta for delta in heads[1:]]
        return self.w_avg + torch.stack(heads, dim=1)

    def _check(self, pictures: Tensor) -> None:
        expected = (self.input_channels, INPUT_SIZE_PX, INPUT_SIZE_PX)
        if pictures.shape[1:] != expected:
            raise ShapeError(
                f"pictures are {list(pictures.shape)}, but this encoder reads {INPUTS[self.input_channels]}, "
                f"[n, {', '.join(map(str, expected))}]. Resize them first, or choose the encoder of their kind."
            )

    def to_json(self) -> dict[str, Any]:
        """The content of the encoder folder's config.json."""
        return {
            "architecture": self.architecture,
            "input_channels": self.input_channels,
            "input_size_px": self.input_size_px,
            "num_ws": self.num_ws,
            "w_dim": self.w_dim,
        }

    @classmethod
    def from_json(cls, config: Mapping[str, Any]) -> "PyramidEncoder":
        """An unfilled encoder of these numbers; a field that is missing or of another kind is a WeightsError."""
        expected = {
            "architecture": get_args(PyramidArchitecture),
            "input_channels": tuple(INPUTS),
            "num_ws": NUM_WS,
        }
        for name, values in expected.items():
            if config.get(name) not in values:
                raise WeightsError(
                    f"the encoder's config.json has {name}={config.get(name)!r}, expected one of "
                    f"{', '.join(map(str, values))}. Import the weights again."
                )
        return cls(
            config["architecture"],
            input_channels=config["input_channels"],
            num_ws=config["num_ws"],
        )
