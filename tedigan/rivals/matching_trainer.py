"""Teaches the word and the region encoder to find each other's halves of a batch, before any rival begins."""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from tedigan.rivals.matching import matching_losses
from tedigan.rivals.region_encoder import RegionEncoder
from tedigan.rivals.vocabulary import PADDING, UNKNOWN
from tedigan.rivals.word_encoder import WordEncoder

UNKNOWN_SHARE = 0.02  # of the words, which are read as unknown, so that this number is taught too
MAX_GRADIENT = 0.25  # norm of the word encoder's, as in AttnGAN's pre-training
ADAM = (0.5, 0.999)


class MatchingTrainer:
    """Both encoders and their optimiser; on a device where both already are.

    AttnGAN's rate is 2e-3, of heads upon a trained network; PixelFace's on faces is 2e-4. This one lies between.
    """

    def __init__(
        self, words: WordEncoder, regions: RegionEncoder, *, learning_rate: float = 5e-4
    ) -> None:
        self.words, self.regions = words, regions
        weights = [*words.parameters(), *regions.parameters()]
        self.optimiser = torch.optim.Adam(weights, lr=learning_rate, betas=ADAM)

    def components(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {"words": self.words, "regions": self.regions, "optimiser": self.optimiser}

    def step(
        self,
        photographs: Float[Tensor, "n 3 64 64"],
        numbers: Int64[Tensor, "n t"],
        contains: Bool[Tensor, "n n"],
        rng: torch.Generator,
    ) -> dict[str, Tensor]:
        """Train on one batch. photographs: in -1..1, mirrored already. rng: on the nets' device.

        The word and the sentence loss, detached.
        """
        self.words.train()
        self.regions.train()
        chance = torch.rand(numbers.shape, generator=rng, device=numbers.device)
        forgotten = (chance < UNKNOWN_SHARE) & (numbers != PADDING)
        text = self.words(numbers.masked_fill(forgotten, UNKNOWN))
        word, sentence = matching_losses(self.regions(photographs), text, contains)
        self.optimiser.zero_grad(set_to_none=True)
        (word + sentence).backward()
        nn.utils.clip_grad_norm_(self.words.parameters(), MAX_GRADIENT)
        self.optimiser.step()
        return {"word": word.detach(), "sentence": sentence.detach()}

    def freeze(self) -> None:
        """Evaluation mode, no gradients to the weights: the running statistics of the norms stay as they are."""
        for network in (self.words, self.regions):
            network.eval().requires_grad_(False)
