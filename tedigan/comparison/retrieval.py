"""R-precision: of its own caption and of others that are false of its photograph, which one does a face fit best?

A random caption of another photograph may be true of this one as well: of 99 at least one often is, and no judge
could tell. So a distractor must say something that the own photograph, by the data set's table, does not show, or
deny something that it shows. An oracle, which knows the table, then always finds the own caption: 1.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from tedigan.evaluation.text_fidelity import Mentions
from tedigan.tensors import stream

NOBODY = torch.zeros(0, dtype=torch.int64)


@dataclass(frozen=True)
class Retrieval:
    """hits: of each prompt, 1 if its own caption fits best, 1 / n if n fit equally well; NaN without a distractor.

    num_distractors: of each prompt.
    """

    hits: Float[Tensor, " n"]
    num_distractors: Int64[Tensor, " n"]


def retrieve(
    found: Bool[Tensor, "n k"],
    mentions: Mentions,
    truth: Bool[Tensor, "n k"],
    *,
    num_distractors: int,
    seed: int,
) -> Retrieval:
    """A caption fits by the share of its mentions found; captions without a mention take no part.

    found: what a judge finds in the face of each prompt. truth: what each prompt's photograph shows.
    """
    hits, counts = [], []
    for row in range(len(found)):
        others = _false_of(truth[row], mentions) if mentions.is_mentioned[row].any() else NOBODY
        order = torch.randperm(len(others), generator=stream(seed, "distractors", row))
        chosen = others[order[:num_distractors]]
        counts.append(len(chosen))
        if not len(chosen):
            hits.append(torch.nan)
            continue
        fits = _fits(found[row], mentions, torch.cat([torch.tensor([row]), chosen]))
        best = fits.max()
        hits.append(float(fits[0] == best) / float((fits == best).sum()))
    return Retrieval(torch.tensor(hits), torch.tensor(counts))


def _false_of(shown: Bool[Tensor, " k"], mentions: Mentions) -> Int64[Tensor, " m"]:
    return (mentions.is_mentioned & (mentions.wanted != shown)).any(dim=1).nonzero().flatten()


def _fits(
    found: Bool[Tensor, " k"], mentions: Mentions, rows: Int64[Tensor, " m"]
) -> Float[Tensor, " m"]:
    mine = mentions.of(rows)
    hits = ((mine.wanted == found) & mine.is_mentioned).sum(dim=1)
    return hits / mine.is_mentioned.sum(dim=1)
