"""Captions -> a folder of faces."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from tedigan.method.sentence_reader import Reading
from tedigan.method.text_to_face import FaceMaker, Read
from tedigan.progress import note, progress
from tedigan.store import pictures
from tedigan.store.tables import write_table

GRID_CAPTIONS, GRID_FACES = 32, 8
COLUMNS = ["file", "caption_index", "image_index", "seed", "caption", "understood"]


def render_faces(
    folder: Path,
    maker: FaceMaker,
    captions: Sequence[str],
    *,
    read: Read,
    faces_per_caption: int,
    seed: int,
    image_format: str,
    stage: str,
) -> int:
    """Write faces/{caption}-{face}.{format}, faces.csv and grid.png (a row a caption); the number of faces.

    read: caption -> what it names, which is written beside each. stage: its name, for bars
    and notes.

    Faces are written as they come; none is held but those of the grid, the first of the first captions.
    """
    readings = read_all(captions, read, stage=stage)
    wanted = [caption for caption in captions for _ in range(faces_per_caption)]
    shown: list[Tensor] = []
    rows = []
    total = -(-len(wanted) // maker.settings.batch_size)
    batches = progress(maker.faces(wanted, seed=seed), total=total, desc=stage, unit="batch")
    for index, picture in enumerate(picture for batch in batches for picture in batch):
        caption, face = divmod(index, faces_per_caption)
        name = f"faces/{caption:05d}-{face:03d}.{image_format}"
        pictures.save(folder / name, picture)
        rows.append([name, caption, index, seed, captions[caption], readings[caption].in_words()])
        if caption < GRID_CAPTIONS and face < GRID_FACES:
            shown.append(picture)
    write_table(folder / "faces.csv", COLUMNS, rows)
    pictures.save(
        folder / "grid.png", pictures.grid(torch.stack(shown), min(faces_per_caption, GRID_FACES))
    )
    return len(wanted)


def read_all(texts: Sequence[str], read: Read, *, stage: str) -> list[Reading]:
    """What each text names; one that names nothing, or what cannot be steered, is reported."""
    readings = [read(text) for text in texts]
    for text, reading in zip(texts, readings, strict=True):
        if reading.names_nothing or reading.contradicted or reading.unknown:
            note(f"{stage}: {text!r} {reading.in_words()}")
    return readings
