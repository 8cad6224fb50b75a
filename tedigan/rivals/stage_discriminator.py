"""One discriminator for each size: is it a photograph, and is it one of this caption?"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from tedigan.rivals.glu_blocks import orthogonal_start
from tedigan.rivals.rival import TEXT_DIM, EncodedText
from tedigan.rivals.word_attention import among_words

LAST_PX, SLOPE = 4, 0.2


@dataclass(frozen=True)
class Seen:
    """What a discriminator sees of pictures: `regions` on its way, `whole` in the end."""

    regions: Float[Tensor, "n c 8 8"]
    whole: Float[Tensor, "n d 4 4"]


def _block(
    c_in: int, c_out: int, *, down: bool, spectral: bool, is_first: bool = False
) -> list[nn.Module]:
    """A convolution with its norm (of the weights if spectral, else of the batch) and a leaky ReLU."""
    kernel, stride = (4, 2) if down else (3, 1)
    conv = nn.Conv2d(c_in, c_out, kernel, stride, padding=1, bias=spectral)
    norm = [] if spectral or is_first else [nn.BatchNorm2d(c_out)]
    return [conv, *norm, nn.LeakyReLU(SLOPE)]


class StageDiscriminator(nn.Module):
    """Pictures of one size -> a logit without and one with the caption (AttnGAN, arXiv:1711.10485, section 3.1).

    Each halving doubles the channels up to 8 df; a smaller picture has fewer, so a convolution brings it there.
    spectral: DM-GAN's, whose convolutions are divided by their norms, and no batch norm is left.
    """

    def __init__(self, size_px: int, df: int, *, spectral: bool) -> None:
        super().__init__()
        halvings = (size_px // LAST_PX).bit_length() - 1
        widths = [min(df << number, 8 * df) for number in range(halvings)]
        pairs = list(zip([3, *widths], widths, strict=False))
        blocks = [
            _block(*pair, down=True, spectral=spectral, is_first=not number)
            for number, pair in enumerate(pairs)
        ]
        self.to_regions = nn.Sequential(*[part for block in blocks[:-1] for part in block])
        more = (
            []
            if widths[-1] == 8 * df
            else _block(widths[-1], 8 * df, down=False, spectral=spectral)
        )
        self.to_whole = nn.Sequential(*blocks[-1], *more)
        self.join = nn.Sequential(*_block(8 * df + TEXT_DIM, 8 * df, down=False, spectral=spectral))
        self.alone, self.joined = (nn.Conv2d(8 * df, 1, LAST_PX) for _ in range(2))
        self.region_width = widths[-2]
        orthogonal_start(self)
        if spectral:
            for part in (*self.to_regions, *self.to_whole, *self.join):
                if isinstance(part, nn.Conv2d):
                    spectral_norm(part)

    def forward(self, pictures: Float[Tensor, "n 3 s s"]) -> Seen:
        """Pictures in -1..1, to be asked about with `unconditional` and `conditional`."""
        regions = self.to_regions(pictures)
        return Seen(regions, self.to_whole(regions))

    def unconditional(self, seen: Seen) -> Float[Tensor, " n"]:
        """Logits: is it a photograph?"""
        return self.alone(seen.whole).flatten()

    def conditional(self, seen: Seen, text: EncodedText) -> Float[Tensor, " n"]:
        """Logits: is it a photograph of this sentence?"""
        sentence = text.sentence[:, :, None, None].expand(-1, -1, LAST_PX, LAST_PX)
        return self.joined(self.join(torch.cat([seen.whole, sentence], dim=1))).flatten()


class WordDiscriminator(nn.Module):
    """ControlGAN's word-level discriminator: a logit of how well each caption's words are found in the regions.

        alpha = softmax_t(words_t . A mean(words));   logit = b + a sum_t alpha_t cos(words_t, context_t)

    After arXiv:1909.07083, section 3.3, with the discriminator's own regions, its own a and b, and a gradient for
    both sides. The released code asks the frozen image encoder, and cuts every gradient.
    """

    def __init__(self, region_width: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(region_width, TEXT_DIM, 1, bias=False)
        self.importance = nn.Linear(TEXT_DIM, TEXT_DIM, bias=False)
        self.scale, self.bias = nn.Parameter(torch.tensor(5.0)), nn.Parameter(torch.tensor(0.0))
        orthogonal_start(self)

    def forward(self, seen: Seen, text: EncodedText) -> Float[Tensor, " n"]:
        """Of a stage's regions and as many captions."""
        regions = F.normalize(self.project(seen.regions).flatten(2), dim=1)
        words = F.normalize(text.words, dim=1)
        found = (self.scale * words.transpose(1, 2) @ regions).softmax(dim=2)
        cosines = F.cosine_similarity(words, regions @ found.transpose(1, 2), dim=1)
        mean = text.words.sum(dim=2) / text.mask.sum(dim=1, keepdim=True)
        alpha = among_words((self.importance(mean)[:, None] @ text.words), text.mask)[:, 0]
        return self.bias + self.scale * (alpha * cosines).sum(dim=1)
