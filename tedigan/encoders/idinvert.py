"""E_v of the official release: photograph -> W+ code of TediGAN's StyleGAN1 (IDInvert, arXiv:2004.00049).

The batch normalisation of the original is part of the convolutions' weights and biases here: its
statistics are frozen, and the network means the same in training mode.
"""

from typing import Any

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.errors import ShapeError, WeightsError
from tedigan.tensors import num_ws_of


def _leaky(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    return F.leaky_relu(x, 0.2)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut; a change of channels gives the shortcut a 1x1 convolution."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        hidden = min(in_channels, out_channels)
        self.conv1 = nn.Conv2d(in_channels, hidden, 3, padding=1)
        self.conv2 = nn.Conv2d(hidden, out_channels, 3, padding=1)
        self.shortcut = None
        if in_channels != out_channels:
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c_out h w"]:
        """`[n, in_channels, h, w]` -> `[n, out_channels, h, w]`."""
        beside = x if self.shortcut is None else _leaky(self.shortcut(x))
        return beside + _leaky(self.conv2(_leaky(self.conv1(x))))


class IdinvertEncoder(nn.Module):
    """images `[n, 3, r, r]` -> ws `[n, num_ws, w_dim]`, one code per layer, as they are (no w_avg is added).

    2x2 average pools, each before a residual block, down to 4 px; then one linear layer. Channels double
    with each block, from `channel_base` at full size up to `channel_max`.
    num_ws: codes per photograph, for a generator of the encoder's size.
    """

    input_channels = 3

    def __init__(
        self, input_size_px: int, *, w_dim: int, channel_base: int = 64, channel_max: int = 1024
    ) -> None:
        super().__init__()
        self.input_size_px, self.w_dim = input_size_px, w_dim
        self.channel_base, self.channel_max = channel_base, channel_max
        self.num_ws = num_ws_of(input_size_px)
        self.num_blocks = self.num_ws // 2 - 1
        widths = [min(channel_base * 2**k, channel_max) for k in range(self.num_blocks + 1)]
        self.conv = nn.Conv2d(3, widths[0], 3, padding=1)
        for k in range(1, self.num_blocks + 1):
            self.add_module(f"block{k}", ResidualBlock(widths[k - 1], widths[k]))
        self.fc = nn.Linear(widths[-1] * 16, self.num_ws * w_dim)

    def forward(self, images: Float[Tensor, "n 3 r r"]) -> Float[Tensor, "n num_ws w_dim"]:
        """images in -1..1, aligned like the generator's training faces, of the encoder's own size."""
        if images.shape[2] != self.input_size_px:
            raise ShapeError(
                f"images are {images.shape[2]} px wide, but this encoder takes "
                f"{self.input_size_px} px; resize them first."
            )
        x = _leaky(self.conv(images))
        for k in range(1, self.num_blocks + 1):
            x = self.get_submodule(f"block{k}")(F.avg_pool2d(x, 2))
        ws: Tensor = self.fc(x.flatten(1))
        return ws.unflatten(1, (self.num_ws, self.w_dim))

    def to_json(self) -> dict[str, Any]:
        """The content of the encoder folder's config.json."""
        return {
            "architecture": "idinvert_encoder",
            "input_size_px": self.input_size_px,
            "num_ws": self.num_ws,
            "w_dim": self.w_dim,
            "channel_base": self.channel_base,
            "channel_max": self.channel_max,
        }

    @classmethod
    def from_json(cls, config: dict[str, Any]) -> "IdinvertEncoder":
        """An unfilled encoder of these numbers; a field that is missing or of another kind is a WeightsError."""
        try:
            sizes = {name: int(config[name]) for name in ("w_dim", "channel_base", "channel_max")}
            return cls(int(config["input_size_px"]), **sizes)
        except (KeyError, TypeError, ValueError) as error:
            raise WeightsError(
                f"the encoder's config.json lacks or garbles {error}; expected input_size_px, w_dim, "
                "channel_base and channel_max. Import the weights again."
            ) from error
