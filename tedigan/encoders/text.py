"""E_l: caption -> W+ code, in the space that the inversion encoder has already fixed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from tedigan.errors import ShapeError
from tedigan.generator.ops import Linear


class TextBackbone:
    """A frozen transformers text model; a caption's embedding is the mean of its tokens' states.

    Mean pooling and unit length are what sentence encoders such as all-MiniLM-L6-v2 were trained with
    (sentence-transformers, arXiv:1908.10084).
    """

    def __init__(self, tokenizer: Any, model: Any) -> None:
        self.tokenizer, self.model = tokenizer, model

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return int(self.model.config.hidden_size)

    def embed(
        self, captions: Sequence[str], *, batch_size: int = 1
    ) -> Iterator[Float[Tensor, "n dim"]]:
        """Embeddings, a batch at a time. One by one (the default), a caption's bits depend on itself alone."""
        for start in range(0, len(captions), batch_size):
            yield self._embed(list(captions[start : start + batch_size]))

    def states(
        self, captions: Sequence[str], *, batch_size: int = 1
    ) -> Iterator[Float[Tensor, "m dim"]]:
        """The states of each caption's own tokens, caption after caption."""
        for start in range(0, len(captions), batch_size):
            states, mask = self._read(list(captions[start : start + batch_size]))
            yield from (one[kept] for one, kept in zip(states, mask, strict=True))

    def _embed(self, captions: list[str]) -> Float[Tensor, "n dim"]:
        states, kept = self._read(captions)
        mask = kept[:, :, None].to(states.dtype)
        mean = (states * mask).sum(dim=1) / mask.sum(dim=1)
        return nn.functional.normalize(mean, dim=1)

    @torch.no_grad()
    def _read(
        self, captions: list[str]
    ) -> tuple[Float[Tensor, "n length dim"], Bool[Tensor, "n length"]]:
        """The states of all places, and which places are the caption's own."""
        tokens = self.tokenizer(captions, padding=True, truncation=True, return_tensors="pt")
        tokens = {name: tensor.to(self.model.device) for name, tensor in tokens.items()}
        states: Tensor = self.model(**tokens).last_hidden_state
        return states, tokens["attention_mask"].bool()


class TextEncoder(nn.Module):
    """Sentence embeddings `[n, dim]` -> ws `[n, num_ws, w_dim]`.

    The head speaks in standard deviations of the photographs' codes around their mean `ws_mean`, which
    is the code of a caption that says nothing. `relevance[i]` is the share of layer i's variance that
    captions explain on held-out photographs: what the control mechanism chooses layers by.
    """

    ws_mean: Tensor
    ws_std: Tensor
    relevance: Tensor

    def __init__(self, embedding_dim: int, hidden_dim: int, num_ws: int, w_dim: int) -> None:
        super().__init__()
        self.num_ws, self.w_dim = num_ws, w_dim
        self.embedding_dim = embedding_dim
        self.fc0 = Linear(embedding_dim, hidden_dim, activate=True)
        self.fc1 = Linear(hidden_dim, hidden_dim, activate=True)
        self.out = Linear(hidden_dim, num_ws * w_dim)
        self.register_buffer("ws_mean", torch.zeros(num_ws, w_dim))
        self.register_buffer("ws_std", torch.ones(num_ws, w_dim))
        self.register_buffer("relevance", torch.zeros(num_ws))

    def forward(self, embeddings: Float[Tensor, "n dim"]) -> Float[Tensor, "n num_ws w_dim"]:
        """Unit-length embeddings of captions, of the backbone that the encoder was trained with."""
        if embeddings.shape[1] != self.embedding_dim:
            raise ShapeError(
                f"embeddings have {embeddings.shape[1]} dimensions, but this text encoder takes "
                f"{self.embedding_dim}; was it trained with another backbone?"
            )
        scaled = embeddings * self.embedding_dim**0.5  # unit variance, as equalised layers expect
        offsets = self.out(self.fc1(self.fc0(scaled))).unflatten(1, (self.num_ws, self.w_dim))
        return self.ws_mean + offsets * self.ws_std


@dataclass(frozen=True)
class CaptionEncoder:
    """A text encoder with its backbone: captions in, codes out."""

    backbone: TextBackbone
    encoder: TextEncoder
    text_layers: list[int]

    def ws(self, captions: Sequence[str]) -> Float[Tensor, "n num_ws w_dim"]:
        """Captions, one by one, so that each code depends on its own caption alone."""
        return torch.cat([self.encoder(embedding) for embedding in self.backbone.embed(captions)])


def layer_relevance(
    predicted: Float[Tensor, "n num_ws w_dim"],
    ws: Float[Tensor, "n num_ws w_dim"],
    ws_mean: Float[Tensor, "num_ws w_dim"],
) -> Float[Tensor, " num_ws"]:
    """R^2 per layer on held-out pairs: 1 - |w - w_text|^2 / |w - mean|^2, never below 0."""
    residual = (ws - predicted).square().mean(dim=[0, 2])
    total = (ws - ws_mean).square().mean(dim=[0, 2])
    return (1 - residual / total.clamp_min(1e-12)).clamp_min(0)
