"""Masks and label maps in every mode and palette: each is read rightly or refused, never wrong.

    python -m tests.dataset.generated_masks 2000

prints how many of each way of saving were read rightly, refused and read wrongly.
"""

import io
import random
import sys
from collections import Counter
from collections.abc import Callable

import numpy as np
from PIL import Image

from tedigan.dataset.given_drawings import read_labels
from tedigan.dataset.masks import read_class_mask, read_label_map
from tedigan.errors import DataError
from tedigan.vocabulary.labels import LABEL_NAMES, LABEL_PALETTE

SIDE = 32
GREY = [level for level in range(256) for _ in range(3)]
COLOURS = np.array(list(LABEL_PALETTE.values()), np.uint8)
MASKGAN = COLOURS.copy()
MASKGAN[LABEL_NAMES.index("r_brow")] = (51, 255, 255)
Way = Callable[[np.ndarray, random.Random], bytes]


def _png(picture: Image.Image, image_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=image_format, **options)
    return buffer.getvalue()


def _palette(numbers: np.ndarray, colours: list[int], **options: object) -> bytes:
    picture = Image.fromarray(numbers.astype(np.uint8)).convert("P")
    picture.putpalette(colours)
    return _png(picture, **options)


def _rgba(colour: tuple[int, int, int], alpha: np.ndarray) -> bytes:
    pixels = np.zeros((*alpha.shape, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = colour, alpha
    return _png(Image.fromarray(pixels))


def _coloured(
    mask: np.ndarray, inside: tuple[int, int, int], outside: tuple[int, int, int]
) -> np.ndarray:
    return np.where(mask[..., None], np.uint8(inside), np.uint8(outside))


def _soft(mask: np.ndarray) -> bytes:
    large = Image.fromarray(mask.astype(np.uint8) * 255).resize(
        (512, 512), Image.Resampling.NEAREST
    )
    return _png(
        large.resize((508, 508), Image.Resampling.BILINEAR).resize(
            (512, 512), Image.Resampling.BILINEAR
        )
    )


MASKS: dict[str, tuple[Way, bool]] = {  # how it is saved -> (how, whether it can be told)
    "grey 0 and 255": (lambda m, _: _png(Image.fromarray(m.astype(np.uint8) * 255)), True),
    "grey 0 and 1": (lambda m, _: _png(Image.fromarray(m.astype(np.uint8))), True),
    "grey 0 and k": (
        lambda m, c: _png(Image.fromarray(m.astype(np.uint8) * c.randint(2, 254))),
        True,
    ),
    "one bit": (lambda m, _: _png(Image.fromarray(m)), True),
    "palette black, white": (lambda m, _: _palette(m, [0, 0, 0, 255, 255, 255]), True),
    "palette white, black": (lambda m, _: _palette(~m, [255, 255, 255, 0, 0, 0]), True),
    "palette of greys": (lambda m, _: _palette(m, GREY), True),
    "palette black, red": (lambda m, _: _palette(m, [0, 0, 0, 200, 0, 0]), True),
    "palette, black see-through": (
        lambda m, _: _palette(m, [0, 0, 0, 255, 255, 255], transparency=0),
        True,
    ),
    "palette purple, yellow": (lambda m, _: _palette(m, [68, 1, 84, 253, 231, 37]), False),
    "palette black twice": (lambda m, _: _palette(m, [0, 0, 0, 0, 0, 0]), False),
    "white with alpha": (lambda m, _: _rgba((255, 255, 255), m * 255), True),
    "black with alpha": (lambda m, _: _rgba((0, 0, 0), m * 255), True),
    "red with alpha": (lambda m, _: _rgba((255, 0, 0), m * 255), True),
    "grey with alpha": (
        lambda m, _: _png(
            Image.merge(
                "LA",
                [Image.new("L", m.shape[::-1], 255), Image.fromarray(m.astype(np.uint8) * 255)],
            )
        ),
        True,
    ),
    "RGB white on black": (
        lambda m, _: _png(Image.fromarray(_coloured(m, (255,) * 3, (0,) * 3))),
        True,
    ),
    "RGB green on black": (
        lambda m, _: _png(Image.fromarray(_coloured(m, (0, 200, 0), (0,) * 3))),
        True,
    ),
    "RGB green on red": (
        lambda m, _: _png(Image.fromarray(_coloured(m, (0, 200, 0), (200, 0, 0)))),
        False,
    ),
    "soft borders": (lambda m, _: _soft(m), True),
    "JPEG": (
        lambda m, _: _png(Image.fromarray(m.astype(np.uint8) * 255), "JPEG", quality=90),
        False,
    ),
    "16 bits": (lambda m, _: _png(Image.fromarray(m.astype(np.uint16) * 65535)), False),
    "shades 0 to 90": (
        lambda m, _: _png(Image.fromarray(np.where(m, 90, _ramp(m)).astype(np.uint8))),
        False,
    ),
}
MAPS: dict[str, tuple[Way, bool]] = {
    "indices": (lambda t, _: _png(Image.fromarray(t)), True),
    "indices as RGB": (lambda t, _: _png(Image.fromarray(np.stack([t] * 3, -1))), True),
    "indices, palette of greys": (lambda t, _: _palette(t, GREY), True),
    "indices, palette of classes": (lambda t, _: _palette(t, COLOURS.flatten().tolist()), True),
    "indices, palette of no classes": (lambda t, c: _palette(t, _strange(c)), False),
    "colours": (lambda t, _: _png(Image.fromarray(COLOURS[t])), True),
    "colours of MaskGAN": (lambda t, _: _png(Image.fromarray(MASKGAN[t])), True),
    "colours, optimised palette": (
        lambda t, _: _png(Image.fromarray(COLOURS[t]).quantize(32)),
        True,
    ),
    "MaskGAN's, shuffled palette": (lambda t, c: _shuffled(t, c), True),
    "colours with alpha": (lambda t, _: _with_alpha(t), True),
    "grey values": (lambda t, _: _png(Image.fromarray(t * 13)), False),
    "two shades": (lambda t, _: _png(Image.fromarray(t > 0)), False),
    "indices as JPEG": (lambda t, _: _png(Image.fromarray(t), "JPEG"), False),
    "colours as JPEG": (lambda t, _: _png(Image.fromarray(COLOURS[t]), "JPEG"), False),
    "colours, mixed": (
        lambda t, _: _png(Image.fromarray(COLOURS[t]).resize((48, 48), Image.Resampling.BICUBIC)),
        False,
    ),
    "16 bits": (lambda t, _: _png(Image.fromarray(t.astype(np.uint16) * 257)), False),
}


def _ramp(mask: np.ndarray) -> np.ndarray:
    return np.linspace(0, 60, mask.size).reshape(mask.shape)


def _strange(chance: random.Random) -> list[int]:
    return [chance.randint(1, 255) for _ in range(3 * len(LABEL_NAMES))]


def _shuffled(truth: np.ndarray, chance: random.Random) -> bytes:
    order = list(range(len(LABEL_NAMES)))
    chance.shuffle(order)
    return _palette(np.argsort(order)[truth], MASKGAN[order].flatten().tolist())


def _with_alpha(truth: np.ndarray) -> bytes:
    pixels = np.dstack([COLOURS[truth], np.where(truth > 0, 255, 0).astype(np.uint8)])
    return _png(Image.fromarray(pixels))


def shape_of(chance: random.Random) -> np.ndarray:
    """Two rectangles, which are neither nothing nor all."""
    mask = np.zeros((SIDE, SIDE), bool)
    for _ in range(2):
        top, left = chance.randint(0, SIDE // 2), chance.randint(0, SIDE // 2)
        mask[top : top + chance.randint(4, 14), left : left + chance.randint(4, 14)] = True
    return mask


def classes_of(chance: random.Random) -> np.ndarray:
    """Rectangles of any classes upon each other, of which some are high."""
    truth = np.zeros((SIDE, SIDE), np.uint8)
    for index in [
        *chance.sample(range(1, len(LABEL_NAMES)), chance.randint(1, 12)),
        chance.randint(8, 18),
    ]:
        truth[shape_of(chance)] = index
    return truth


def outcome(seed: int) -> tuple[str, str]:
    """(how it was saved, what came of it: right, refused, or why it is wrong)."""
    chance = random.Random(seed)
    ways = [(f"mask, {name}", *way) for name, way in MASKS.items()]
    ways += [(f"map, {name}", *way) for name, way in MAPS.items()]
    name, save, can_be_told = ways[seed % len(ways)]
    is_mask = name.startswith("mask")
    truth = shape_of(chance) if is_mask else classes_of(chance)
    content = save(truth, chance)
    try:
        read = (read_class_mask if is_mask else read_label_map)(content, name="m.png").numpy()
    except DataError as error:
        return name, f"wrong: {error}" if can_be_told else "refused"
    if read.shape != truth.shape:
        read = read[8::16, 8::16]
    is_right = np.array_equal(read, truth) if read.shape == truth.shape else False
    if is_right and not is_mask:
        is_right = np.array_equal(read_labels(content, SIDE).drawing[0].numpy(), truth)
    return name, "right" if is_right else "wrong: other pixels"


def main(count: int) -> int:
    found = Counter(outcome(seed) for seed in range(count))
    for (name, what), number in sorted(found.items()):
        print(f"{number:5}  {name}: {what}")
    wrong = sum(number for (_, what), number in found.items() if what.startswith("wrong"))
    print(f"{count:,} masks and maps: {wrong} read wrongly, or refused where they could be told")
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]))))
