"""What is worn, taught to a parser without masks of it: a table says who wears it, drawn faces show how.

Label maps that a parser predicted lack glasses, hats, earrings and necklaces. Half of the photographs of people
who wear none are dressed with those of drawn faces, whose masks are exact. Of people who wear one only the table
speaks: somewhere in a window the class has to be, and where the parser begins to see it, the map is not believed.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor, nn

from tedigan.annotators.parser_network import parsing_loss
from tedigan.dataset.folder import Dataset
from tedigan.dataset.small_pixels import small_pixels
from tedigan.errors import DataError
from tedigan.tensors import to_images
from tedigan.vocabulary.labels import LABEL_NAMES, resize_labels


@dataclass(frozen=True)
class Worn:
    """share: of the picture, that it covers at least.

    window: top, bottom, left and right of where an aligned face has it.
    """

    attribute: str
    share: float
    window: tuple[float, float, float, float]


WORN = {
    "eye_g": Worn("Eyeglasses", 0.015, (0.36, 0.62, 0.12, 0.88)),
    "hat": Worn("Wearing_Hat", 0.08, (0.0, 0.42, 0.0, 1.0)),
    "ear_r": Worn("Wearing_Earrings", 0.002, (0.45, 0.9, 0.0, 1.0)),
    "neck_l": Worn("Wearing_Necklace", 0.004, (0.7, 1.0, 0.1, 0.9)),
}
SURE, MAYBE = 0.5, 0.08  # probability from which a wearer's class is believed, and the map is not
WEIGHT_SOMEWHERE, WEIGHT_WEARERS = 0.15, 0.7
_INDICES = torch.tensor([LABEL_NAMES.index(name) for name in WORN])


@dataclass(frozen=True)
class Wardrobe:
    """Drawn faces that wear something."""

    pixels: UInt8[Tensor, "n 3 s s"]
    labels: UInt8[Tensor, "n s s"]

    @classmethod
    def open(cls, data: Dataset, side: int) -> "Wardrobe":
        """Those of a data set; DataError if nobody in it wears anything."""
        ids = data.split("train")
        labels = resize_labels(data.labels(ids), side)
        is_worn = torch.isin(labels, _INDICES.to(torch.uint8)).flatten(1).any(1)
        if not is_worn.any():
            raise DataError(
                f"none of the {len(ids)} label maps of {data.folder} shows glasses, a hat, earrings or a "
                "necklace; expected some. Name a data set of drawn faces."
            )
        return cls(small_pixels(data, ids, side)[is_worn], labels[is_worn])

    def dress(
        self, pixels: UInt8[Tensor, "b 3 s s"], labels: UInt8[Tensor, "b s s"], rng: torch.Generator
    ) -> tuple[UInt8[Tensor, "b 3 s s"], UInt8[Tensor, "b s s"]]:
        """Every second face with what some drawn face wears, in another shade; glasses let the eyes through."""
        chosen = torch.randint(len(self.pixels), (len(pixels),), generator=rng)
        worn, theirs = self.pixels[chosen].float(), self.labels[chosen]
        is_worn = torch.isin(theirs, _INDICES.to(torch.uint8))
        is_worn[1::2] = False
        shade = torch.rand(len(pixels), 3, 1, 1, generator=rng) * 0.7 + 0.5
        clear = torch.rand(len(pixels), 1, 1, generator=rng) * 0.45 + 0.05
        is_lens = (theirs == LABEL_NAMES.index("eye_g")) & (worn.mean(1) >= 110)
        hides = torch.where(is_lens, clear, 1.0)[:, None] * is_worn[:, None]
        mixed = pixels * (1 - hides) + (worn * shade).clamp(0, 255) * hides
        return mixed.round().to(torch.uint8), torch.where(is_worn, theirs, labels)


def who_wears(data: Dataset, ids: list[int]) -> Bool[Tensor, "n 4"]:
    """By attribute, in the order of WORN; DataError if the data set does not say, or nobody does."""
    names = data.attribute_names
    missing = [one.attribute for one in WORN.values() if one.attribute not in names]
    if missing:
        raise DataError(
            f"{data.folder} does not say who has {', '.join(missing)}; a parser is taught what is worn by such "
            "a table. Use a source with CelebA's attributes."
        )
    columns = [names.index(one.attribute) for one in WORN.values()]
    wears = data.attributes(ids)[:, columns].bool()
    if not wears.any() or wears.any(1).all():
        raise DataError(
            f"of {len(ids)} photographs of {data.folder} {int(wears.any(1).sum())} wear something; expected some "
            "of both. Make a larger data set."
        )
    return wears


def worn_quality(
    network: nn.Module, data: Dataset, ids: list[int], device: torch.device
) -> dict[str, dict[str, float | None]]:
    """How often the parser sees what is worn, by the table: no mask says where."""
    found = [network(to_images(data.pixels([id])).to(device)).argmax(1).cpu() for id in ids]
    return shares_seen(torch.cat(found).to(torch.uint8), who_wears(data, ids))


def shares_seen(
    labels: UInt8[Tensor, "n h w"], wears: Bool[Tensor, "n 4"]
) -> dict[str, dict[str, float | None]]:
    """Of each class: in what share of those who wear it a map shows it, and of those who do not.

    Shown is what covers a quarter of its least share. None where there is nobody.
    """
    found: dict[str, dict[str, float | None]] = {}
    for column, (name, one) in enumerate(WORN.items()):
        share = (labels == LABEL_NAMES.index(name)).float().mean((1, 2))
        is_seen = (share >= one.share / 4).float()
        groups = {"wearers": is_seen[wears[:, column]], "others": is_seen[~wears[:, column]]}
        found[name] = {
            key: float(seen.mean()) if len(seen) else None for key, seen in groups.items()
        }
    return found


def draw_both(
    wears: Bool[Tensor, "n 4"], num: int, rng: torch.Generator
) -> tuple[Int64[Tensor, " a"], Int64[Tensor, " b"]]:
    """Places of `num` photographs: half of people who wear nothing, half of wearers, each class as often."""
    bare = torch.nonzero(~wears.any(1))[:, 0]
    plain = bare[torch.randint(len(bare), (num - num // 2,), generator=rng)]
    kinds = torch.nonzero(wears.any(0))[:, 0]
    kind = kinds[torch.randint(len(kinds), (num // 2,), generator=rng)]
    chance = torch.rand(num // 2, len(wears), generator=rng) * wears.T[kind]
    return plain, chance.argmax(1)


def wearers_loss(
    logits: Float[Tensor, "n 19 s s"],
    labels: UInt8[Tensor, "n s s"],
    wears: Bool[Tensor, "n 4"],
    weights: Float[Tensor, " 19"],
) -> Float[Tensor, ""]:
    """Cross-entropy with the maps where they are believed, and -log of how surely each worn class is somewhere.

    - 1/n sum log mean(top k p)       p: the class' probability in its window, k: its share of the picture
    """
    chance = logits.softmax(1)
    target, is_doubtful = labels.clone(), torch.zeros_like(labels, dtype=torch.bool)
    somewhere = logits.new_zeros(())
    for column, (name, one) in enumerate(WORN.items()):
        index, rows = LABEL_NAMES.index(name), torch.nonzero(wears[:, column])[:, 0]
        if not len(rows):
            continue
        there = chance[rows, index] * _window(one, logits.shape[-1]).to(logits.device)
        num = math.ceil(one.share * there[0].numel())
        somewhere = somewhere - there.flatten(1).topk(num).values.mean(1).add(1e-4).log().sum()
        is_sure, is_maybe = there.detach() > SURE, there.detach() > MAYBE
        target[rows] = torch.where(is_sure, index, target[rows].int()).to(torch.uint8)
        is_doubtful[rows] |= is_maybe & ~is_sure
    believed = F.cross_entropy(logits, target.long(), weights, reduction="none")[
        ~is_doubtful
    ].mean()
    return believed + WEIGHT_SOMEWHERE / WEIGHT_WEARERS * somewhere / len(logits)


def worn_loss(
    bare: tuple[Float[Tensor, "a 19 s s"], UInt8[Tensor, "a s s"]],
    wearers: tuple[Float[Tensor, "b 19 s s"], UInt8[Tensor, "b s s"]],
    wears: Bool[Tensor, "b 4"],
    weights: Float[Tensor, " 19"],
) -> Float[Tensor, ""]:
    """Of those who were dressed, whose maps are known, and of those who wear something themselves."""
    return parsing_loss(*bare, weights) + WEIGHT_WEARERS * wearers_loss(*wearers, wears, weights)


def _window(one: Worn, side: int) -> Float[Tensor, "s s"]:
    top, bottom, left, right = (round(share * side) for share in one.window)
    window = torch.zeros(side, side)
    window[top:bottom, left:right] = 1
    return window
