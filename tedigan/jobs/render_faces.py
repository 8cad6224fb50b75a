"""Captions -> a folder of faces, and of faces that differ from the first of each in their noise alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class RenderSettings:
    """noise_variants: of the first face of each caption, 0 = none. variant_layers: whose noise is drawn anew in
    these, None = all.
    """

    faces_per_caption: int
    noise_variants: int
    variant_layers: list[int] | None
    image_format: str
    seed: int


def render_faces(
    folder: Path,
    maker: FaceMaker,
    captions: Sequence[str],
    settings: RenderSettings,
    *,
    read: Read,
    stage: str,
) -> int:
    """Write faces/{caption}-{face}.{format}, faces.csv and grid.png (a row a caption); the number of faces.

    With noise_variants also variants/{caption}-{face}-{variant}.{format} and variants.csv, whose rows are those of
    faces.csv and the variant. read: caption -> what it names, which is written beside each. stage: its name, for
    bars and notes.

    Faces are written as they come; none is held but those of the grid, the first of the first captions.
    """
    readings = read_all(captions, read, stage=stage)
    each, seed = settings.faces_per_caption, settings.seed
    shown: list[Tensor] = []
    rows, variants = list[list[object]](), list[list[object]]()
    for index, (ws, picture) in enumerate(_drawn(maker, captions, settings, stage)):
        caption, face = divmod(index, each)
        name = f"{caption:05d}-{face:03d}"
        file = f"faces/{name}.{settings.image_format}"
        pictures.save(folder / file, picture)
        about = [caption, index, seed, captions[caption], readings[caption].in_words()]
        rows.append([file, *about])
        if face == 0 and settings.noise_variants:
            files = _write_variants(folder, maker, ws, index, name, settings)
            variants += [[file, *about, number] for number, file in enumerate(files)]
        if caption < GRID_CAPTIONS and face < GRID_FACES:
            shown.append(picture)
    write_table(folder / "faces.csv", COLUMNS, rows)
    if variants:
        write_table(folder / "variants.csv", [*COLUMNS, "variant"], variants)
    pictures.save(folder / "grid.png", pictures.grid(torch.stack(shown), min(each, GRID_FACES)))
    return len(rows)


def _drawn(
    maker: FaceMaker, captions: Sequence[str], settings: RenderSettings, stage: str
) -> Iterator[tuple[Tensor, Tensor]]:
    """The code and the pixels of each face, in the order of the captions."""
    wanted = [caption for caption in captions for _ in range(settings.faces_per_caption)]
    total = -(-len(wanted) // maker.settings.batch_size)
    batches = maker.coded_faces(wanted, seed=settings.seed)
    for codes, faces in progress(batches, total=total, desc=stage, unit="batch"):
        yield from zip(codes, faces, strict=True)


def _write_variants(
    folder: Path, maker: FaceMaker, ws: Tensor, index: int, name: str, settings: RenderSettings
) -> list[str]:
    """Their files, in order. ws, index, name: of the face."""
    drawn = maker.variants(
        ws[None],
        index,
        settings.noise_variants,
        seed=settings.seed,
        layers=settings.variant_layers,
    )
    files = []
    for number, picture in enumerate(drawn):
        files.append(f"variants/{name}-{number:03d}.{settings.image_format}")
        pictures.save(folder / files[-1], picture)
    return files


def read_all(texts: Sequence[str], read: Read, *, stage: str) -> list[Reading]:
    """What each text names; one that names nothing, or what cannot be steered, is reported."""
    readings = [read(text) for text in texts]
    for text, reading in zip(texts, readings, strict=True):
        if reading.names_nothing or reading.contradicted or reading.unknown:
            note(f"{stage}: {text!r} {reading.in_words()}")
    return readings
