"""The vocabulary, the word encoder and the region encoder, which all rivals share, as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor

from tedigan.rivals.region_encoder import RegionEncoder
from tedigan.rivals.rival import EncodedText
from tedigan.rivals.vocabulary import Vocabulary
from tedigan.rivals.word_encoder import WordEncoder


@dataclass(frozen=True)
class SharedEncoders:
    """New ones are to be trained (`encoder_trainer`); rivals learn from frozen ones."""

    vocabulary: Vocabulary
    words: WordEncoder
    regions: RegionEncoder

    @classmethod
    def new(cls, vocabulary: Vocabulary, *, seed: int) -> "SharedEncoders":
        """With random weights, on the CPU."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(vocabulary, WordEncoder(len(vocabulary.words)), RegionEncoder())

    def to(self, device: torch.device) -> "SharedEncoders":
        """Both networks on another device; itself."""
        self.words.to(device)
        self.regions.to(device)
        return self

    def freeze(self) -> "SharedEncoders":
        """Evaluation mode, no gradients to the weights; itself."""
        for network in (self.words, self.regions):
            network.eval().requires_grad_(False)
        return self

    @torch.no_grad()
    def encode(self, numbers: Int64[Tensor, "n t"]) -> EncodedText:
        """Captions of `Vocabulary.numbers`."""
        return self.words(numbers)

    def read(self, captions: Sequence[str]) -> EncodedText:
        """Captions as they stand."""
        numbers = self.vocabulary.numbers(captions)
        return self.encode(numbers.to(self.words.embedding.weight.device))

    def networks(self) -> dict[str, torch.nn.Module]:
        """By name, as files call them."""
        return {"words": self.words, "regions": self.regions}

    def tensors(self) -> dict[str, Tensor]:
        """All weights under `words.` and `regions.`."""
        return {
            f"{part}.{name}": value
            for part, network in self.networks().items()
            for name, value in network.state_dict().items()
        }

    @classmethod
    def from_tensors(
        cls, vocabulary: Vocabulary, tensors: Mapping[str, Tensor]
    ) -> "SharedEncoders":
        """What `tensors` gave, in any precision; frozen, on the CPU."""
        found = cls.new(vocabulary, seed=0)
        for part, network in found.networks().items():
            start = f"{part}."
            own = {
                name.removeprefix(start): value
                for name, value in tensors.items()
                if name.startswith(start)
            }
            network.load_state_dict(own)
        return found.freeze()
