"""How clean the sketches are, and whether they show where a face's parts end.

    python -m benchmarks.sketches --pairs ../shared/data/celebamask-samples \
        --photographs ../shared/data/celebahq-256-val/CelebA-HQ-img.tar --sheet seen.png

Of drawn faces, whose label maps are exact; of photographs; and of pairs of a photograph and the mask that a person
drew of it (0.jpg and 0.png). Ink is thinned to lines of one pixel before it is measured at 256 px:

strokes     connected pieces of the ink of at least 3 pixels
doubled     share of its length that has a parallel line (within 30 degrees) 2 to 6 pixels beside it
ink         share of the paper that is covered
on borders  share of its length within 1.5 % of the side of a border between any two classes
recall      share of the borders of a part of the face with a line within 1.5 % of the side, and the same of a
            sketch of another face (what dense ink would find anywhere)
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from tedigan.dataset.kinds.sketches import sketch_of
from tedigan.drawn import draw_face
from tedigan.store import pictures
from tedigan.store.photographs import read_photographs
from tedigan.vocabulary.labels import LABEL_NAMES, colours_to_labels, resize_labels

SIDE, TOLERANCE = 256, 0.015
PARTS = {
    "face": ("skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "mouth", "u_lip", "l_lip"),
    "eyes": ("l_eye", "r_eye"),
    "brows": ("l_brow", "r_brow"),
    "nose": ("nose",),
    "mouth": ("mouth", "u_lip", "l_lip"),
    "hair": ("hair",),
}  # fmt: skip
_AROUND = [(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)]


def main() -> None:
    """Measure, and print two tables."""
    arguments = _arguments()
    torch.set_num_threads(1)
    sets = _pictures(arguments)
    columns, found = {}, {}
    for name, pairs in sets.items():
        began = time.process_time()
        sketches = [sketch_of(pixels, arguments.size) for pixels, _ in pairs]
        took = (time.process_time() - began) / len(pairs)
        thin = [thinned(pictures.resize(sketch, SIDE)[0].numpy() < 160) for sketch in sketches]
        columns[name] = _cleanness(sketches, thin) | {"ms a sketch": 1000 * took}
        maps = [labels for _, labels in pairs if labels is not None]
        if maps:
            found[name] = _recalls(thin, maps)
            columns[name]["on borders"] = float(np.mean([*map(_on_borders, thin, maps)]))
    print(f"{arguments.count} faces of a kind, sketches of {arguments.size} px\n")
    _print_table(columns, "{:.3g}")
    _print_table(found, "{}")
    if arguments.sheet is not None:
        shown = [pair for pairs in sets.values() for pair in pairs]
        tiles = [_beside(pixels, sketch_of(pixels, arguments.size)) for pixels, _ in shown]
        pictures.save(arguments.sheet, pictures.grid(torch.stack(tiles), 6))


def thinned(ink: np.ndarray) -> np.ndarray:
    """Ink as lines of one pixel that are connected as it was (Zhang and Suen, CACM 27, 1984)."""
    thin = np.pad(ink, 1)
    while True:
        before = thin.sum()
        for first, second in (((0, 2, 4), (2, 4, 6)), ((0, 2, 6), (0, 4, 6))):
            ring = np.stack([np.roll(thin, (-y, -x), (0, 1)) for y, x in _AROUND])
            turns = (~ring & np.roll(ring, -1, axis=0)).sum(0)
            goes = thin & (turns == 1) & (ring.sum(0) >= 2) & (ring.sum(0) <= 6)
            thin = thin & ~(goes & ~ring[list(first)].all(0) & ~ring[list(second)].all(0))
        if thin.sum() == before:
            return thin[1:-1, 1:-1]


def num_strokes(thin: np.ndarray) -> int:
    """Connected pieces of at least 3 pixels."""
    pieces, _ = ndimage.label(thin, np.ones((3, 3)))
    return int((np.bincount(pieces.ravel())[1:] >= 3).sum())


def doubled(thin: np.ndarray) -> float:
    """Share of the length that has a parallel line 2 to 6 pixels beside it."""
    y, x = np.nonzero(thin)
    angle = _angles(thin)
    is_doubled = np.zeros(len(y), bool)
    here = angle[y, x]
    for step in (-6, -5, -4, -3, -2, 2, 3, 4, 5, 6):
        there = [
            np.clip(np.round(place + step * way).astype(int), 0, SIDE - 1)
            for place, way in ((y, np.cos(here)), (x, -np.sin(here)))
        ]
        turned = np.abs(np.sin(angle[there[0], there[1]] - here))
        is_doubled |= thin[there[0], there[1]] & (turned < np.sin(np.radians(30)))
    return float(is_doubled.mean()) if len(y) else 0.0


def recall(thin: np.ndarray, border: np.ndarray) -> float:
    """Share of a border that has a line near."""
    return float((ndimage.distance_transform_edt(~thin)[border] <= TOLERANCE * SIDE).mean())


def border_of(labels: Tensor, names: Sequence[str]) -> np.ndarray:
    """The pixels of a part that touch what is none of it; the picture's own edge is no border."""
    part = torch.isin(labels, torch.tensor([LABEL_NAMES.index(name) for name in names])).numpy()
    return part & ~ndimage.binary_erosion(part, border_value=1)


def _angles(thin: np.ndarray) -> np.ndarray:
    """Of the line at each of its pixels, from the pixels within a few steps."""
    y, x = np.mgrid[-4:5, -4:5]
    moments = [ndimage.convolve(thin.astype(float), k.astype(float)) for k in (x * x, x * y, y * y)]
    return 0.5 * np.arctan2(2 * moments[1], moments[0] - moments[2])


def _cleanness(sketches: Sequence[Tensor], thin: Sequence[np.ndarray]) -> dict[str, float]:
    return {
        "strokes": float(np.mean([num_strokes(one) for one in thin])),
        "strokes, at most": max(num_strokes(one) for one in thin),
        "doubled": float(np.mean([doubled(one) for one in thin])),
        "ink": float(np.mean([1 - float(one.float().mean()) / 255 for one in sketches])),
    }


def _recalls(thin: Sequence[np.ndarray], maps: Sequence[Tensor]) -> dict[str, str]:
    """Of each part: of the face's own sketch, and of the next face's."""
    others = [*thin[1:], thin[0]]
    found = {}
    for part, names in PARTS.items():
        borders = [border_of(labels, names) for labels in maps]
        seen = [
            np.mean([recall(a, b) for a, b in zip(lines, borders, strict=True) if b.any()])
            for lines in (thin, others)
        ]
        found[part] = f"{seen[0]:.2f} ({seen[1]:.2f})"
    return found


def _on_borders(thin: np.ndarray, labels: Tensor) -> float:
    borders = np.any([border_of(labels, [name]) for name in LABEL_NAMES], axis=0)
    return recall(borders, thin)


def _print_table(columns: Mapping[str, Mapping[str, object]], form: str) -> None:
    rows = list(dict.fromkeys(row for column in columns.values() for row in column))
    print(f"| | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
    for row in rows:
        cells = [column.get(row) for column in columns.values()]
        print(f"| {row} | {' | '.join('-' if c is None else form.format(c) for c in cells)} |")
    print()


def _beside(pixels: Tensor, sketch: Tensor) -> Tensor:
    """A picture and its sketch in one tile."""
    return torch.cat(
        [pictures.resize(pixels, SIDE), pictures.resize(sketch, SIDE).expand(3, -1, -1)], 2
    )


def _pictures(arguments: argparse.Namespace) -> dict[str, list[tuple[Tensor, Tensor | None]]]:
    """By kind: pixels, and class indices [256, 256] where there are some."""
    faces = [draw_face(0, index) for index in range(arguments.count)]
    sets: dict[str, list[tuple[Tensor, Tensor | None]]] = {}
    sets["drawn"] = [
        (
            pictures.rasterise(face.svg, SIDE),
            colours_to_labels(pictures.rasterise(face.label_svg, SIDE, is_label=True)),
        )
        for face in faces
    ]
    if arguments.photographs is not None:
        seen = read_photographs(arguments.photographs, SIDE, limit=arguments.count).pixels
        sets["photographs"] = [(pixels, None) for pixels in seen]
    if arguments.pairs is not None:
        sets["pairs"] = [_read(path) for path in sorted(arguments.pairs.glob("*.jpg"))]
    return sets


def _read(path: Path) -> tuple[Tensor, Tensor]:
    labels = pictures.decode_map(path.with_suffix(".png").read_bytes())
    return pictures.resize(pictures.load(path), SIDE), resize_labels(
        labels.reshape(1, *labels.shape[-2:]), SIDE
    )[0]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--photographs", type=Path, help="a folder or a .tar of faces")
    parser.add_argument("--pairs", type=Path, help="a folder of photographs with masks")
    parser.add_argument("--count", type=int, default=24, help="faces of a kind")
    parser.add_argument("--size", type=int, default=256, help="side of the sketches, in pixels")
    parser.add_argument("--sheet", type=Path, help="where to write faces and sketches")
    return parser.parse_args()


if __name__ == "__main__":
    main()
