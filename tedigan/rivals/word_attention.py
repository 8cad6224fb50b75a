"""Three ways in which words reach the pixels: spatial attention, channel attention and a dynamic memory.

Padding is masked in each caption by its own length. The official codes lay the mask of one caption over the pixels
of another wherever lengths differ, and ControlGAN's channel attention has none.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from tedigan.rivals.rival import TEXT_DIM, EncodedText


def among_words(
    scores: Float[Tensor, "n k t"], mask: Bool[Tensor, "n t"]
) -> Float[Tensor, "n k t"]:
    """Softmax over the words that are there."""
    return scores.masked_fill(~mask[:, None], -torch.inf).softmax(dim=2)


class SpatialAttention(nn.Module):
    """Each pixel's mean of the words, by how they fit its features (AttnGAN, arXiv:1711.10485, section 3.1)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.project = nn.Conv1d(TEXT_DIM, channels, 1, bias=False)

    def forward(self, h: Float[Tensor, "n c h w"], text: EncodedText) -> Float[Tensor, "n c h w"]:
        """h: features that ask. A context for each pixel."""
        words = self.project(text.words)
        weights = among_words(h.flatten(2).transpose(1, 2) @ words, text.mask)
        return (weights @ words.transpose(1, 2)).transpose(1, 2).unflatten(2, h.shape[2:])


class ChannelAttention(nn.Module):
    """Each channel's mean of the words, which are seen as maps (ControlGAN, arXiv:1909.07083, section 3.2).

    It looks with the spatial attention's result.
    """

    def __init__(self, num_pixels: int) -> None:
        super().__init__()
        self.project = nn.Conv1d(TEXT_DIM, num_pixels, 1, bias=False)

    def forward(
        self, context: Float[Tensor, "n c h w"], text: EncodedText
    ) -> Float[Tensor, "n c h w"]:
        """context: of the spatial attention. One for each channel."""
        words = self.project(text.words)
        weights = among_words(context.flatten(2) @ words, text.mask)
        return (weights @ words.transpose(1, 2)).unflatten(2, context.shape[2:])


class WordsBeside(nn.Module):
    """AttnGAN: features and their spatial context, side by side."""

    def __init__(self, channels: int, size_px: int) -> None:
        super().__init__()
        del size_px
        self.spatial = SpatialAttention(channels)
        self.width = 2 * channels

    def forward(self, h: Float[Tensor, "n c h w"], text: EncodedText) -> Float[Tensor, "n c2 h w"]:
        """Twice the channels."""
        return torch.cat([h, self.spatial(h, text)], dim=1)


class WordsAndChannels(nn.Module):
    """ControlGAN and ManiGAN: features, their spatial and their channel context, side by side."""

    def __init__(self, channels: int, size_px: int) -> None:
        super().__init__()
        self.spatial, self.channel = SpatialAttention(channels), ChannelAttention(size_px**2)
        self.width = 3 * channels

    def forward(self, h: Float[Tensor, "n c h w"], text: EncodedText) -> Float[Tensor, "n c3 h w"]:
        """Thrice the channels."""
        context = self.spatial(h, text)
        return torch.cat([h, context, self.channel(context, text)], dim=1)


class DynamicMemory(nn.Module):
    """DM-GAN: words are written into a memory by how they fit the picture, which is then read by each pixel.

        gate_t = sigmoid(A word_t + B mean(h));   memory_t = gate_t M_w(word_t) + (1 - gate_t) M_r(mean(h))
        o = sum_t softmax_t(h^T key(memory_t)) value(memory_t);   h' = g o + (1 - g) h,  g = sigmoid(G [h, o])

    arXiv:1904.01310, section 3.1. As in the code, mean(h) takes no gradient back, and [h', h'] goes on.
    """

    def __init__(self, channels: int, size_px: int) -> None:
        super().__init__()
        del size_px
        self.width = 2 * channels
        self.word_gate = nn.Linear(TEXT_DIM, 1, bias=False)
        self.picture_gate = nn.Linear(channels, 1, bias=False)
        self.write_word = nn.Conv1d(TEXT_DIM, self.width, 1)
        self.write_picture = nn.Linear(channels, self.width)
        self.key = nn.Conv1d(self.width, channels, 1)
        self.value = nn.Conv1d(self.width, channels, 1)
        self.response_gate = nn.Conv2d(self.width, 1, 1)

    def forward(self, h: Float[Tensor, "n c h w"], text: EncodedText) -> Float[Tensor, "n c2 h w"]:
        """Twice the channels."""
        memory = self._write(h.mean(dim=[2, 3]).detach(), text.words)
        keys, values = F.relu(self.key(memory)), F.relu(self.value(memory))
        weights = among_words(h.flatten(2).transpose(1, 2) @ keys, text.mask)
        o = (weights @ values.transpose(1, 2)).transpose(1, 2).unflatten(2, h.shape[2:])
        gate = torch.sigmoid(self.response_gate(torch.cat([h, o], dim=1)))
        updated = h + gate * (o - h)
        return torch.cat([updated, updated], dim=1)

    def _write(
        self, seen: Float[Tensor, "n c"], words: Float[Tensor, "n 256 t"]
    ) -> Float[Tensor, "n c2 t"]:
        gate = self.word_gate(words.transpose(1, 2)) + self.picture_gate(seen)[:, None]
        gate = torch.sigmoid(gate).transpose(1, 2)
        picture = F.relu(self.write_picture(seen))[:, :, None]
        return gate * F.relu(self.write_word(words)) + (1 - gate) * picture
