"""The encoder of a generator that has none: every photograph begins as the mean face."""

from jaxtyping import Float
from torch import Tensor, nn

from tedigan.encoders.visual import w_statistics
from tedigan.generator.stylegan import Generator
from tedigan.tensors import stream


class MeanFace(nn.Module):
    """images `[n, 3, r, r]` -> `w_avg` for each layer; optimisation does the rest."""

    w_avg: Tensor
    w_std: Tensor
    input_channels = 3

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.num_ws = generator.num_ws
        w_avg, w_std = w_statistics(generator, stream(0, "w_statistics"))
        self.register_buffer("w_avg", w_avg)
        self.register_buffer("w_std", w_std)

    def forward(self, images: Float[Tensor, "n 3 r r"]) -> Float[Tensor, "n num_ws w_dim"]:
        """The images are not looked at."""
        return self.w_avg.expand(len(images), self.num_ws, -1)
