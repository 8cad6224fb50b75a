"""DAMSM: how well a picture fits a caption, word by word with its regions and as a whole, and the loss upon it.

AttnGAN, arXiv:1711.10485, section 3.2. In a batch each picture has its own caption to find among the others', and
each caption its own picture. Captions of others that are true of a picture too are not among them; the official
code leaves out those of its class, and faces have no class.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from tedigan.rivals.region_encoder import Looked
from tedigan.rivals.rival import EncodedText

GAMMA1, GAMMA2, GAMMA3 = (
    4.0,
    5.0,
    10.0,
)  # sharpness of a word's regions, of words in a caption, of captions in a batch
SMALLEST = 1e-8  # length


def word_scores(regions: Float[Tensor, "n c h w"], text: EncodedText) -> Float[Tensor, "n m"]:
    """How well each picture fits each caption by its words.

    s = regions^T words;   a = softmax_regions(gamma1 softmax_words(s));   context_t = sum_r a_rt regions_r
    R = log sum_t exp(gamma2 cos(word_t, context_t))
    """
    flat = regions.flatten(2)
    s = torch.einsum("icr,jct->ijrt", flat, text.words)
    mask = text.mask[None, :, None]
    among_words = s.masked_fill(~mask, -torch.inf).softmax(dim=3)
    a = (GAMMA1 * among_words).softmax(dim=2)
    contexts = torch.einsum("icr,ijrt->ijct", flat, a)
    lengths = contexts.norm(dim=2) * text.words.norm(dim=1)
    cosines = (a * s).sum(dim=2) / lengths.clamp_min(SMALLEST)
    return (GAMMA2 * cosines).masked_fill(~mask[:, :, 0], -torch.inf).logsumexp(dim=2)


def sentence_scores(code: Float[Tensor, "n c"], text: EncodedText) -> Float[Tensor, "n m"]:
    """Cosine of each picture's code with each sentence."""
    return F.normalize(code, dim=1) @ F.normalize(text.sentence, dim=1).T


def matching_losses(
    looked: Looked, text: EncodedText, contains: Bool[Tensor, "n n"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """The word and the sentence loss: each the sum of two cross-entropies, of captions and of pictures.

    contains: [i, j] where caption j is true of picture i, as in `RivalBatch`.
    """
    with torch.autocast(contains.device.type, enabled=False):
        return _matching_losses(looked.regions.float(), looked.code.float(), text, contains)


def _matching_losses(
    regions: Float[Tensor, "n c h w"],
    code: Float[Tensor, "n c"],
    text: EncodedText,
    contains: Bool[Tensor, "n n"],
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    own = torch.eye(len(contains), dtype=torch.bool, device=contains.device)
    also_true = contains & ~own
    losses = []
    for scores in (word_scores(regions, text), sentence_scores(code, text)):
        logits = (GAMMA3 * scores).masked_fill(also_true, -torch.inf)
        captions, pictures = logits.log_softmax(dim=1), logits.log_softmax(dim=0)
        losses.append(-(captions.diagonal() + pictures.diagonal()).mean())
    return losses[0], losses[1]
