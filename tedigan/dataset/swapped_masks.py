"""Label maps that lie with each other's photograph: what a parser sees fits the other's map, both ways.

Only pairs are named, and only where both gain much: between two people whose maps are right neither gains, and one
of two photographs may gain by chance. An outline is a label map in four parts on 32 x 32 cells.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.dataset.records import Checked, Rejected
from tedigan.vocabulary.labels import LABEL_NAMES

CELLS, LOOK_PX = 32, 64  # LOOK_PX: the side in which the parser looks
PROBLEM = "swapped masks"
# Mean IoU of the four parts. Own maps of 486 photographs have 0.55 and more, others' 0.48 in the median and 0.71
# in one of a hundred. What is found, and how often wrongly: docs/numbers.md (python -m benchmarks.unsaid masks).
DOUBTED, GAIN = 0.8, 0.1
_PARTS = (
    ("background",),
    ("hair", "hat"),
    ("neck", "neck_l", "cloth"),
)  # and the face: all others
_NUM_PARTS = len(_PARTS) + 1
_BLOCK = 256  # photographs compared at once; bounds memory


def outline_of(labels: UInt8[Tensor, "h w"]) -> UInt8[Tensor, "cells cells"]:
    """The part of which each cell has most."""
    part_of = torch.full((len(LABEL_NAMES),), _NUM_PARTS - 1)
    for number, names in enumerate(_PARTS):
        part_of[[LABEL_NAMES.index(name) for name in names]] = number
    planes = F.one_hot(part_of[labels.long()], _NUM_PARTS).permute(2, 0, 1).float()
    return F.interpolate(planes[None], (CELLS, CELLS), mode="area")[0].argmax(0).to(torch.uint8)


def doubted(seen: UInt8[Tensor, "cells cells"], given: UInt8[Tensor, "cells cells"]) -> bytes:
    """Both outlines, to be compared with others'; none where they agree."""
    both = torch.stack([seen, given]).flatten(1)
    found = float(agreement(both[:1], both[1:]))
    return both.numpy().tobytes() if found < DOUBTED else b""


def find_swapped(checked: Sequence[Checked]) -> list[Rejected]:
    """The records of each pair, whose maps each fit the other's photograph."""
    among = [one for one in checked if one.outlines]
    rows = [np.frombuffer(one.outlines, np.uint8).reshape(2, -1) for one in among]
    found = []
    for a, b, gain in _pairs(torch.from_numpy(np.stack(rows))) if rows else ():
        for one, other in ((among[a], among[b]), (among[b], among[a])):
            found.append(_rejected(one, other, gain))
    return sorted(found, key=lambda one: one.id)


def _pairs(outlines: UInt8[Tensor, "n 2 c"]) -> Iterator[tuple[int, int, float]]:
    """(row, later row, the lesser gain), the surest first, each row once."""
    seen, given = outlines[:, 0], outlines[:, 1]
    own = torch.cat([agreement(a[None], b[None])[0] for a, b in zip(seen, given, strict=True)])
    found: list[tuple[float, int, int]] = []
    for start in range(0, len(own), _BLOCK):
        block = slice(start, start + _BLOCK)
        gain = agreement(seen[block], given) - own[block, None]
        back = agreement(seen, given[block]).T - own
        lesser = torch.minimum(gain, back)
        for row, other in (lesser > GAIN).nonzero().tolist():
            if row + start < other:
                found.append((float(lesser[row, other]), row + start, other))
    taken: set[int] = set()
    for gained, a, b in sorted(found, key=lambda one: (-one[0], one[1:])):
        if not taken & {a, b}:
            taken |= {a, b}
            yield a, b, gained


def agreement(seen: UInt8[Tensor, "n c"], given: UInt8[Tensor, "m c"]) -> Float[Tensor, "n m"]:
    """Mean IoU of the parts; a part that neither has agrees."""
    total = torch.zeros(len(seen), len(given))
    for part in range(_NUM_PARTS):
        a, b = (seen == part).float(), (given == part).float()
        both = a @ b.T
        either = a.sum(1)[:, None] + b.sum(1) - both
        total += torch.where(either > 0, both / either.clamp(min=1), 1.0)
    return total / _NUM_PARTS


def _rejected(one: Checked, other: Checked, gain: float) -> Rejected:
    return Rejected(
        one.id,
        one.key,
        one.source_name,
        PROBLEM,
        f"{one.source_name} and {other.source_name} have each other's masks, by what the parser sees: each fits "
        f"the other photograph by {gain:.2f} more of IoU. Exchange them, or leave dataset.parser out.",
    )
