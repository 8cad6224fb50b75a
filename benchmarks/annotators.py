"""How well models that annotate photographs agree with masks that people drew.

    python -m benchmarks.annotators ../shared/data/celebamask-samples --parser FOLDER --sheet seen.png
    python -m benchmarks.annotators ../shared/data/celebamask-samples --matting isnet.onnx --landmarks

The folder holds pairs of a photograph and its mask: 0.jpg and 0.png. The score is intersection over union: of
each class over all pairs together, and of the whole person. Few pairs say little; their number is printed.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from tedigan.annotators.landmark_labels import labels_of_landmarks
from tedigan.annotators.landmarks import find_landmarks
from tedigan.annotators.matting import Matting
from tedigan.annotators.parser import load_parser
from tedigan.annotators.parser_network import Parser, confusion, intersection_over_union
from tedigan.store import pictures
from tedigan.tensors import to_images
from tedigan.vocabulary.labels import LABEL_NAMES, labels_to_colours, resize_labels

Model = Callable[[Tensor], Tensor]


def main() -> None:
    """Compare, and print a table: a row for each class, a column for each model."""
    arguments = _arguments()
    pairs = [_read(path, arguments.size) for path in sorted(arguments.pairs.glob("*.jpg"))]
    models = _models(arguments)
    columns: dict[str, dict[str, float | None]] = {}
    sheet = [[pixels, _coloured(truth)] for pixels, truth in pairs]
    for name, model in models.items():
        counts = torch.zeros(len(LABEL_NAMES), len(LABEL_NAMES), dtype=torch.int64)
        began = time.perf_counter()
        for (pixels, truth), tiles in zip(pairs, sheet, strict=True):
            found = model(pixels)
            counts += confusion(found[None], truth[None])
            tiles.append(_coloured(found))
        columns[name] = _scores(counts, with_classes="matting" not in name)
        columns[name]["seconds a photograph"] = (time.perf_counter() - began) / len(pairs)
    print(f"{len(pairs)} photographs with masks, {arguments.size} px\n")
    print(f"| | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
    for row in ("person", *LABEL_NAMES, "mean of classes", "seconds a photograph"):
        cells = [column.get(row) for column in columns.values()]
        if any(cell is not None for cell in cells):
            print(f"| {row} | {' | '.join('-' if c is None else f'{c:.3f}' for c in cells)} |")
    if arguments.sheet is not None:
        seen = torch.stack([tile for tiles in sheet for tile in tiles])
        pictures.save(arguments.sheet, pictures.grid(seen, 2 + len(models)))


def _models(arguments: argparse.Namespace) -> dict[str, Model]:
    """By name; each takes pixels [3, s, s] and gives class indices [s, s]."""
    models: dict[str, Model] = {}
    for place in arguments.parser:
        parser = load_parser(place, torch.device("cpu"))
        models[f"parser {Path(place).name}"] = partial(_parsed, parser)
    if arguments.matting is not None:
        matting = Matting.open(arguments.matting)
        models[f"matting {arguments.matting.stem}"] = partial(_matted, matting)
        if arguments.landmarks:
            models["landmarks"] = partial(_divided, matting)
    return models


def _parsed(parser: Parser, pixels: Tensor) -> Tensor:
    return parser.parse(to_images(pixels[None]))[0]


def _matted(matting: Matting, pixels: Tensor) -> Tensor:
    return (matting.alpha(pixels) > 0.5).to(torch.uint8)


def _divided(matting: Matting, pixels: Tensor) -> Tensor:
    return labels_of_landmarks(pixels, find_landmarks(pixels), matting.alpha(pixels))


def _scores(counts: Tensor, *, with_classes: bool) -> dict[str, float | None]:
    """IoU of the person, of each class that people drew, and their mean."""
    right, either = int(counts[1:, 1:].sum()), int(counts.sum() - counts[0, 0])
    scores: dict[str, float | None] = {"person": right / either}
    if with_classes:
        drawn = counts.sum(1) > 0
        iou = intersection_over_union(counts)
        scores |= {name: iou[name] for name, is_there in zip(iou, drawn, strict=True) if is_there}
        known = [value for name, value in scores.items() if name != "person" and value is not None]
        scores["mean of classes"] = sum(known) / len(known)
    return scores


def _read(photograph: Path, size_px: int) -> tuple[Tensor, Tensor]:
    """Pixels [3, s, s] and class indices [s, s]."""
    pixels = pictures.decode(photograph.read_bytes(), name=photograph.name)
    mask = photograph.with_suffix(".png")
    labels = pictures.decode_map(mask.read_bytes(), name=mask.name)
    return pictures.resize(pixels, size_px), resize_labels(labels[None], size_px)[0]


def _coloured(labels: Tensor) -> Tensor:
    return labels_to_colours(labels[None])[0]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path, help="folder of 0.jpg, 0.png, 1.jpg, ...")
    parser.add_argument("--parser", action="append", default=[], help="folder or hub id; repeat it")
    parser.add_argument("--matting", type=Path, help="an .onnx of rembg")
    parser.add_argument(
        "--landmarks", action="store_true", help="and the maps of landmarks with it"
    )
    parser.add_argument("--size", type=int, default=256, help="px in which the models look")
    parser.add_argument("--sheet", type=Path, help="photographs, masks and maps, for a look")
    return parser.parse_args()


if __name__ == "__main__":
    main()
