"""What every encoder of pictures offers: one trained here, or an official one."""

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor


@runtime_checkable
class Encoder(Protocol):
    """inputs `[n, input_channels, r, r]` -> ws `[n, num_ws, w_dim]`; see `tedigan.encoders.modalities`.

    w_avg, w_std: mean and deviation of the generator's W, which optimisation is measured in.
    """

    @property
    def w_avg(self) -> Float[Tensor, " w_dim"]:
        """Mean of W."""
        ...

    @property
    def w_std(self) -> Float[Tensor, " w_dim"]:
        """Deviation of W."""
        ...

    @property
    def input_channels(self) -> int:
        """Of what it reads: 3 photographs, 1 sketches, 19 label maps."""
        ...

    def __call__(self, inputs: Float[Tensor, "n c r r"], /) -> Float[Tensor, "n num_ws w_dim"]:
        """The codes of aligned faces."""
        ...
