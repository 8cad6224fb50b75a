"""Where an edit shows: a soft region of the picture, so that the rest keeps the very pixels that it had.

A moved code draws all of the picture a little differently. The region is found along with the shift (see
`Steering.edit`): it is where the change serves what the text names.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Edited:
    """Moved codes, and the share of each cell of the picture that they draw: 1 all of it, 0 what was there."""

    ws: Float[Tensor, "n num_ws w_dim"]
    region: Float[Tensor, "n 1 cells cells"]

    @classmethod
    def joined(cls, parts: Sequence["Edited"]) -> "Edited":
        """Of several batches, in order."""
        return cls(torch.cat([one.ws for one in parts]), torch.cat([one.region for one in parts]))

    def split(self, size: int) -> list["Edited"]:
        """Batches of at most `size`."""
        return [
            Edited(ws, region)
            for ws, region in zip(self.ws.split(size), self.region.split(size), strict=True)
        ]


def composed(
    before: Float[Tensor, "n 3 r r"],
    after: Float[Tensor, "n 3 r r"],
    region: Float[Tensor, "n 1 cells cells"],
) -> Float[Tensor, "n 3 r r"]:
    """`after` in the region, `before` elsewhere, and in between at its soft edge."""
    size = (before.shape[2], before.shape[3])
    share = F.interpolate(region.to(before), size=size, mode="bilinear", align_corners=False)
    return before + share * (after - before)
