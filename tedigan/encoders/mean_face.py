"""The encoder of a generator that has none: every photograph or drawing begins as the mean face."""

from jaxtyping import Float
from torch import Tensor, nn

from tedigan.encoders.visual import w_statistics
from tedigan.generator.stylegan import Generator
from tedigan.tensors import stream


class MeanFace(nn.Module):
    """images `[n, 3, r, r]`, or planes of a drawing -> `w_avg` for each layer; optimisation does the rest."""

    w_avg: Tensor
    w_std: Tensor

    def __init__(self, generator: Generator, input_channels: int = 3) -> None:
        super().__init__()
        self.num_ws, self.input_channels = generator.num_ws, input_channels
        w_avg, w_std = w_statistics(generator, stream(0, "w_statistics"))
        self.register_buffer("w_avg", w_avg)
        self.register_buffer("w_std", w_std)

    def forward(self, images: Float[Tensor, "n c r r"]) -> Float[Tensor, "n num_ws w_dim"]:
        """The images are not looked at."""
        return self.w_avg.expand(len(images), self.num_ws, -1)
