"""A bank of random codes and what the latent tagger reads in them: where a face for a text starts.

Of those that fit a text, chance takes one, so that faces of one sentence differ as people do; where few do, one of
those that fit best.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from tedigan.encoders.latent_tagger import LatentTagger
from tedigan.generator.stylegan import Generator
from tedigan.tensors import stream

CHUNK = 4096


@dataclass(frozen=True)
class Bank:
    """Rows of W (num_ws of them where the mapping network gives as many) and their margins."""

    w: Float[Tensor, "m *rows w_dim"]
    margins: Float[Tensor, "m k"]

    @classmethod
    @torch.no_grad()
    def of(
        cls, generator: Generator, tagger: LatentTagger, *, size: int, truncation_psi: float
    ) -> "Bank":
        """`size` codes, always the same ones of a generator."""
        device = generator.mapping.w_avg.device
        kept, margins = [], []
        for start in range(0, size, CHUNK):
            count = min(CHUNK, size - start)
            z = torch.randn(count, generator.config.z_dim, generator=stream("bank", start)).to(
                device
            )
            w = generator.mapping.w_avg.lerp(generator.mapping(z), truncation_psi)
            kept.append(w)
            margins.append(tagger(generator.ws_of_w(w)))
        return cls(torch.cat(kept), torch.cat(margins))

    def choose(
        self,
        wishes: Float[Tensor, "n k"],
        indices: Sequence[int],
        *,
        seed: int,
        margin: float,
        best: int,
        lack: float,
    ) -> Float[Tensor, "n *rows w_dim"]:
        """For each row of wishes one of the codes that lack at most `lack` of it, or of the `best` if these are
        fewer; image i's by `(seed, i)` alone.

        What is lacking: the squares of what remains to `margin` on the side that is wished. Where nothing is
        wished, any code will do.
        """
        rows = []
        for wish, index in zip(wishes, indices, strict=True):
            named = torch.nonzero(wish).flatten()
            rng = stream(seed, "bank", index)
            if not len(named):
                rows.append(int(torch.randint(len(self.w), (), generator=rng)))
                continue
            short = F.relu(margin - self.margins[:, named] * wish[named].sign())
            missing = short.square().sum(dim=1)
            count = min(max(best, int((missing <= lack).sum())), len(self.w))
            fitting = missing.topk(count, largest=False).indices
            rows.append(int(fitting[int(torch.randint(count, (), generator=rng))]))
        return self.w[rows]
