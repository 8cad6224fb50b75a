"""The words that the rivals' captions are made of, and their numbers.

AttnGAN's reading of a caption: lower case, every run of letters, digits and underscores is a word. It departs
where that one loses meaning in silence: words that the vocabulary lacks have a number of their own (AttnGAN skips
them), a long caption loses its end (AttnGAN: random words, other ones each time).
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor

from tedigan.errors import CaptionError

PADDING, UNKNOWN = 0, 1  # numbers of no word, and of any word that is not in the vocabulary
MAX_WORDS = 48  # of a caption; the published captions of CelebA-HQ have 44 at most
_WORD = re.compile(r"\w+")


def words_of(caption: str) -> list[str]:
    """A caption's words, in order."""
    return _WORD.findall(caption.lower())


@dataclass(frozen=True)
class Vocabulary:
    """words: by their number; the first two stand for padding and for unknown words."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, captions: Sequence[str], *, min_count: int = 1) -> "Vocabulary":
        """The words of these captions that occur `min_count` times or more, in order of first appearance."""
        counts = Counter(word for caption in captions for word in words_of(caption))
        kept = [word for word, count in counts.items() if count >= min_count]
        return cls(("<padding>", "<unknown>", *kept))

    def numbers(
        self, captions: Sequence[str], *, max_words: int = MAX_WORDS
    ) -> Int64[Tensor, "n t"]:
        """Each caption's words by number, PADDING behind its last; t is the longest one's length.

        Raises CaptionError for a caption without a word.
        """
        number_of = {word: number for number, word in enumerate(self.words)}
        rows = [
            [number_of.get(word, UNKNOWN) for word in words_of(caption)[:max_words]]
            for caption in captions
        ]
        for caption, row in zip(captions, rows, strict=True):
            if not row:
                raise CaptionError(
                    f"a caption is {caption!r}, expected one word or more. Describe a face in it."
                )
        longest = max(map(len, rows), default=0)
        padded = [row + [PADDING] * (longest - len(row)) for row in rows]
        return torch.tensor(padded, dtype=torch.int64).reshape(len(rows), longest)
