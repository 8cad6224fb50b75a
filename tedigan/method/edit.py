"""Text-guided manipulation: a code, of a photograph or a random one, is steered by what a text says."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.method.control import wishes_of
from tedigan.method.steering import Steering
from tedigan.method.text_to_face import Read


@dataclass(frozen=True)
class Editor:
    """The networks and numbers that edit codes. read: sentence -> what it names."""

    read: Read
    steering: Steering

    def edit(
        self,
        ws: Float[Tensor, "n num_ws w_dim"],
        texts: Sequence[str],
        strengths: Sequence[float] | None = None,
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """Codes of faces, each moved by its text, at a strength in -3..3; None = 1 for each.

        What the text does not name is held; a face that has what the text names stays as it is.
        """
        wishes = wishes_of([self.read(text).wishes for text in texts], self.steering.tagger.names)
        amount = torch.ones(len(ws)) if strengths is None else torch.tensor(list(strengths))
        return self.steering.steer(ws, wishes, strength=amount.to(ws))

    @torch.no_grad()
    def images(self, ws: Float[Tensor, "n num_ws w_dim"]) -> Float[Tensor, "n 3 r r"]:
        """Images in about -1..1, on the CPU."""
        return self.steering.generator.synthesis(ws, noise_mode="const").cpu()
