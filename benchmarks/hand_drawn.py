"""Faces of twelve sketches drawn stroke by stroke and of twelve painted label maps, alone and with a sentence.

    python -m benchmarks.hand_drawn MODELS --out FOLDER

MODELS holds a generator, what steers it, a sketch_encoder/ and a label_encoder/ (a workspace's models/). Drawn by
`benchmarks/hand`, from named features of a head; no drawing is made of a photograph. In FOLDER:

sketches.webp, labels.webp   a drawing a row: as the networks see it, four faces of it, four of it and its sentence
combined.webp                a head a row: its sketch, its label map, a random face for its style, then two faces
                             of each set of WAYS
holds.csv                    a drawing a row: how its faces agree with it, beside random faces, and what the tagger
                             that comes along finds of its sentence
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import tedigan
from benchmarks.hand.heads import HEADS, Head
from benchmarks.hand.pen import painted, sketch
from tedigan.annotators.parser import load_parser
from tedigan.annotators.tagger import load_guide
from tedigan.dataset.given_drawings import read_drawing
from tedigan.encoders.modalities import Drawing
from tedigan.evaluation.drawn_faces import AGREEMENT
from tedigan.models.embedded import EMBEDDED
from tedigan.store import pictures
from tedigan.store.tables import write_table
from tedigan.tensors import choose_device, to_images
from tedigan.training.drawing_lessons import Draw, labels_by, sketches_of
from tedigan.vocabulary.labels import labels_to_colours

COLUMNS = ["drawing", "of", "sentence", "agreement", "agreement_with_text", "agreement_of_random_faces",
           "mentions", "found_without_text", "found_with_text"]  # fmt: skip
RANDOM_FACES = 48
Found = Callable[[Mapping[str, bool], Tensor], float]
WAYS = ("sketch+label", "sketch+style", "label+style", "sketch+text", "label+text", "style+text",
        "sketch+label+text", "sketch+label+style+text")  # fmt: skip
NUM_COMBINED = 4  # heads
SHEETS: dict[Drawing, str] = {"sketch": "sketches", "label": "labels"}


def main() -> None:
    """Draw, compose, judge; print a mean of each column."""
    arguments = _arguments()
    model, device = tedigan.load(arguments.models), choose_device("cpu")
    parser = load_parser(str(EMBEDDED / "parser-celebahq"), device)
    draws: dict[Drawing, Draw] = {"sketch": sketches_of, "label": labels_by(parser)}
    random = _stacked(model.draw(model.random_ws(RANDOM_FACES)))
    found, rows = _finder(device), list[list[object]]()
    for kind, draw in draws.items():
        shown = list[Tensor]()
        for head in HEADS:
            row, faces = _tried(
                model, head, kind, draw, random, found, arguments.faces, arguments.seed
            )
            rows.append(row)
            shown += faces
        grid = pictures.grid(torch.stack(shown), 1 + 2 * arguments.faces)
        pictures.save(arguments.out / f"{SHEETS[kind]}.webp", grid)
    write_table(arguments.out / "holds.csv", COLUMNS, rows)
    combined = [
        face for head in HEADS[:NUM_COMBINED] for face in _combined(model, head, arguments.seed)
    ]
    columns = len(combined) // NUM_COMBINED
    pictures.save(arguments.out / "combined.webp", pictures.grid(torch.stack(combined), columns))
    for kind in draws:
        mine = np.array([row[3:] for row in rows if row[1] == kind], dtype=float)
        means = zip(COLUMNS[3:], np.nanmean(mine, axis=0), strict=True)
        print(kind, *(f"{name} {value:.3f}" for name, value in means), sep="\n  ")


def _tried(
    model: tedigan.Model,
    head: Head,
    kind: Drawing,
    draw: Draw,
    random: Tensor,
    found: Found,
    n: int,
    seed: int,
) -> tuple[list[object], list[Tensor]]:
    """A row of the table, and one of the sheet."""
    given = _given(head, kind, seed)
    wanted = read_drawing(given, kind, random.shape[-1]).drawing
    alone = _stacked(model.compose(n, **{kind: given}, seed=seed).faces)
    said = _stacked(model.compose(n, **{kind: given}, text=head.says, seed=seed).faces)

    def agreement(faces: Tensor) -> float:
        same = wanted.expand(len(faces), *wanted.shape[1:])
        return float(AGREEMENT[kind](draw(faces), same).mean())

    wishes = model.understand(head.says).wishes
    hits = [found(wishes, faces) for faces in (alone, said)]
    row = [head.name, kind, head.says, *map(agreement, (alone, said, random)), len(wishes), *hits]
    seen = labels_to_colours(wanted) if kind == "label" else wanted.expand(-1, 3, -1, -1)
    return row, [seen[0], *alone, *said]


def _combined(model: tedigan.Model, head: Head, seed: int) -> list[Tensor]:
    """A row of the sheet of several sources."""
    style = model.random_ws(1, seed=seed + len(head.name))
    given = {
        "sketch": _given(head, "sketch", seed),
        "label": _given(head, "label", seed),
        "style": style,
        "text": head.says,
    }
    side = model.generator.config.img_resolution
    sketch = read_drawing(_given(head, "sketch", seed), "sketch", side).drawing
    label = read_drawing(_given(head, "label", seed), "label", side).drawing
    row = [
        sketch.expand(-1, 3, -1, -1)[0],
        labels_to_colours(label)[0],
        _stacked(model.draw(style))[0],
    ]
    for way in WAYS:
        some: dict[str, Any] = {name: given[name] for name in way.split("+")}
        row += [*_stacked(model.compose(2, **some, seed=seed).faces)]
    return row


def _given(head: Head, kind: Drawing, seed: int) -> Image.Image:
    """As somebody would hand it in."""
    if kind == "sketch":
        return sketch(head, seed=seed)
    return pictures.to_pillow(labels_to_colours(painted(head)[None])[0])


def _finder(device: torch.device) -> Found:
    """The share of a sentence's wishes that the tagger finds in faces, of those that it knows; NaN of none."""
    tagger = load_guide(EMBEDDED / "tagger-celebahq", device)

    def found(wishes: Mapping[str, bool], faces: Tensor) -> float:
        seen = tagger.look(to_images(faces)) > 0
        known = [name for name in wishes if name in tagger.names]
        hits = [
            (seen[:, tagger.names.index(name)] == wishes[name]).float().mean() for name in known
        ]
        return float(torch.stack(hits).mean()) if hits else float("nan")

    return found


def _stacked(faces: Sequence[Image.Image]) -> Tensor:
    return torch.stack([pictures.from_pillow(face) for face in faces])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", type=Path)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--faces", type=int, default=4, help="of each drawing, with a sentence and without"
    )
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
