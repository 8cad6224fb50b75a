"""The text encoder: captions into the photographs' W+ space (TediGAN A2).

    L = sum_i p_i |w_v,i - w_l,i|^2

in standard deviations of the codes, p_i = 1 / num_ws. What this finds is the mean code of the faces that fit
a caption; the control mechanism's `strength` and `variety` bring back what a mean lacks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.draws import integers
from tedigan.encoders.text import TextBackbone, TextEncoder
from tedigan.method.losses import latent_loss
from tedigan.progress import progress
from tedigan.training import ranks
from tedigan.training.schedules import linear_fall, set_rate

EMBED_BATCH = 128


@dataclass(frozen=True)
class TextEncoderSettings:
    """The numbers of `TextEncoderTrainer`; see params.yaml for their units."""

    num_steps: int
    batch_size: int
    learning_rate: float


def new_text_encoder(
    ws: Float[Tensor, "n num_ws w_dim"], *, embedding_dim: int, hidden_dim: int, seed: int
) -> TextEncoder:
    """An encoder with the statistics of the training codes, which guesses their mean."""
    torch.manual_seed(seed)
    encoder = TextEncoder(embedding_dim, hidden_dim, *ws.shape[1:]).to(ws.device)
    encoder.ws_mean.copy_(ws.mean(dim=0))
    encoder.ws_std.copy_(ws.std(dim=0).clamp_min(1e-6))
    torch.nn.init.zeros_(encoder.out.weight)
    return encoder


def read_pairs(
    data: Dataset,
    split: str,
    codes: Mapping[str, Tensor],
    backbone: TextBackbone,
    *,
    captions_per_image: int,
) -> tuple[Float[Tensor, "m dim"], Float[Tensor, "m num_ws w_dim"]]:
    """Embeddings and codes of a split, `captions_per_image` rows a photograph.

    codes: `ids` int64 [n] and `ws` [n, num_ws, w_dim], as the stage `invert` writes them.
    """
    row_of = {id: row for row, id in enumerate(codes["ids"].tolist())}
    pairs = [
        (caption, row_of[id])
        for id in data.split(split)
        for caption in data.captions(id)[:captions_per_image]
    ]
    captions = [caption for caption, _ in pairs]
    batches = backbone.embed(captions, batch_size=EMBED_BATCH)
    total = -(-len(captions) // EMBED_BATCH)
    bar = progress(batches, total=total, desc=f"{split} captions", unit="batch")
    embeddings = torch.cat(list(bar))
    return embeddings, codes["ws"].to(embeddings.device)[[row for _, row in pairs]]


class TextEncoderTrainer:
    """A text encoder and its optimiser, on pairs of a caption's embedding and its photograph's code."""

    def __init__(
        self,
        encoder: TextEncoder,
        embeddings: Float[Tensor, "n dim"],
        ws: Float[Tensor, "n num_ws w_dim"],
        settings: TextEncoderSettings,
    ) -> None:
        self.encoder, self.embeddings, self.ws, self.settings = encoder, embeddings, ws, settings
        self.optimiser = torch.optim.Adam(
            encoder.parameters(), lr=settings.learning_rate, betas=(0.9, 0.99)
        )

    def components(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {"encoder": self.encoder, "optimiser": self.optimiser}

    def learning_rate_at(self, index: int) -> float:
        """Of step `index`."""
        settings = self.settings
        return linear_fall(
            index, learning_rate=settings.learning_rate, num_steps=settings.num_steps
        )

    def step(self, rng: torch.Generator, index: int) -> dict[str, float]:
        """One step on pairs that `rng` draws with replacement."""
        encoder = self.encoder
        rows = integers(rng, 0, len(self.ws), ranks.share(self.settings.batch_size))
        target = (self.ws[rows] - encoder.ws_mean) / encoder.ws_std
        code = (encoder(self.embeddings[rows]) - encoder.ws_mean) / encoder.ws_std
        loss = latent_loss(code, target)
        set_rate(self.optimiser, self.learning_rate_at(index))
        ranks.descend(self.optimiser, loss)
        return {"loss_latent": loss.item()}
