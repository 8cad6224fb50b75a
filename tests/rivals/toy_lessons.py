"""A few pictures of one colour each, and captions that say which."""

import torch
from torch import Tensor

from tedigan.rivals.lessons import Lessons
from tedigan.rivals.rival import EncodedText, RivalBatch
from tedigan.rivals.vocabulary import Vocabulary

CAPTIONS = ["a red face", "it is red", "a blue face", "it is blue", "a face", "it is pale and blue"]
# of the attributes red and pale
MENTIONS = torch.tensor([[1, 0], [1, 0], [-1, 0], [-1, 0], [0, 0], [-1, 1]], dtype=torch.int8)
ATTRIBUTES = torch.tensor([[True, False], [False, False], [False, True]])


def toy_lessons() -> Lessons:
    """Three pictures (red; blue; pale and blue) with two captions each."""
    pixels = torch.zeros(3, 3, 64, 64, dtype=torch.uint8)
    pixels[0, 0], pixels[1, 2], pixels[2] = 255, 255, 200
    pixels[:, 1, :, :32] = 90  # a left and a right
    vocabulary = Vocabulary.of(CAPTIONS)
    return Lessons.of(pixels, CAPTIONS, MENTIONS, ATTRIBUTES, vocabulary=vocabulary)


def toy_batch(n: int, contains: Tensor | None = None) -> RivalBatch:
    """Noise, whose caption i has the number i in all of its sentence."""
    rng = torch.Generator().manual_seed(1)
    photographs = torch.rand(n, 3, 64, 64, generator=rng) * 2 - 1
    sentence = torch.arange(n)[:, None].expand(n, 256).float() / n
    text = EncodedText(torch.zeros(n, 256, 2), sentence, torch.ones(n, 2, dtype=torch.bool))
    return RivalBatch(photographs, text, torch.eye(n).bool() if contains is None else contains)
