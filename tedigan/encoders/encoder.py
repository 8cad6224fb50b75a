"""What every inversion encoder offers: one trained here, or an official one."""

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor


@runtime_checkable
class Encoder(Protocol):
    """images `[n, 3, r, r]` in -1..1 -> ws `[n, num_ws, w_dim]`.

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

    def __call__(self, images: Float[Tensor, "n 3 r r"], /) -> Float[Tensor, "n num_ws w_dim"]:
        """The codes of aligned faces."""
        ...
