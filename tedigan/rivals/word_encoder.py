"""The text encoder that AttnGAN, ControlGAN, DM-GAN, DF-GAN and ManiGAN share: a bi-LSTM's words and sentence."""

import torch
from jaxtyping import Int64
from torch import Tensor, nn

from tedigan.rivals.rival import TEXT_DIM, EncodedText
from tedigan.rivals.vocabulary import PADDING

EMBEDDING_DIM, DROPOUT = 300, 0.5
INITIAL_RANGE = 0.1  # of the embeddings, which start uniform on either side of 0


class WordEncoder(nn.Module):
    """Word numbers -> 256-d words and sentence (DAMSM's text encoder, AttnGAN, arXiv:1711.10485, section 3.2).

    An embedding of 300, dropout 0.5, one bi-LSTM layer with 128 per direction. A word is both directions'
    outputs at its place, the sentence both directions' last states. Each direction is an LSTM of its own that
    reads from a caption's first or last word on, so that padding, which comes behind, changes nothing and no
    length leaves the device.
    """

    def __init__(self, num_words: int) -> None:
        super().__init__()
        self.num_words = num_words
        self.embedding = nn.Embedding(num_words, EMBEDDING_DIM, padding_idx=PADDING)
        nn.init.uniform_(self.embedding.weight, -INITIAL_RANGE, INITIAL_RANGE)
        self.dropout = nn.Dropout(DROPOUT)
        self.onward = nn.LSTM(EMBEDDING_DIM, TEXT_DIM // 2, batch_first=True)
        self.backward = nn.LSTM(EMBEDDING_DIM, TEXT_DIM // 2, batch_first=True)

    def forward(self, numbers: Int64[Tensor, "n t"]) -> EncodedText:
        """numbers: of `Vocabulary.numbers`, a word or more in each row, padding behind, whose words are zero."""
        mask = numbers != PADDING
        lengths = mask.sum(dim=1)
        places = torch.arange(numbers.shape[1], device=numbers.device)
        mirrored = torch.where(mask, lengths[:, None] - 1 - places, places)[:, :, None]
        embedded = self.dropout(self.embedding(numbers))
        onward, _ = self.onward(embedded)
        back, _ = self.backward(embedded.gather(1, mirrored.expand_as(embedded)))
        last = (lengths - 1)[:, None, None].expand(-1, 1, TEXT_DIM // 2)
        sentence = torch.cat([onward.gather(1, last), back.gather(1, last)], dim=2)[:, 0]
        back = back.gather(1, mirrored.expand_as(back))
        words = torch.cat([onward, back], dim=2) * mask[:, :, None]
        return EncodedText(words.transpose(1, 2), sentence, mask)
