"""Rows of sources -> a folder of faces, each row with its report."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

from tedigan.jobs.source_list import SourceRow
from tedigan.method.sources import SOURCES, Composed, Composer, SourceName
from tedigan.models.source_reader import Picture, SourceReader
from tedigan.progress import progress
from tedigan.store import pictures
from tedigan.store.files import write_json
from tedigan.store.tables import write_table
from tedigan.tensors import to_pixels

GRID_ROWS, GRID_FACES = 32, 6
COLUMNS = ["file", "row", "face_index", "seed", "text", "sources"]

# A source and its place in the list -> the picture, or its file.
PictureOf = Callable[[SourceName, str], Picture]


@dataclass(frozen=True)
class ComposeSettings:
    """faces_per_row, seed: of rows that say nothing else. layers, weights: by source; see `Composer`."""

    faces_per_row: int
    batch_size: int
    layers: dict[str, list[int]]
    weights: dict[str, float]
    strength: float
    image_format: str
    seed: int


def compose_faces(
    folder: Path,
    composer: Composer,
    reader: SourceReader,
    rows: Sequence[SourceRow],
    settings: ComposeSettings,
    *,
    picture_of: PictureOf,
) -> int:
    """Write faces/{row}-{face}.{format}, given/{row}-{source}.png, faces.csv, reports.json and grid.png.

    Returns the number of faces. In the grid a row begins with its sketch, label map, photograph and style, blank
    where it has none.
    """
    table, reports, shown = list[list[object]](), list[Mapping[str, object]](), list[Tensor]()
    for number, row in enumerate(progress(rows, total=len(rows), desc="compose", unit="row")):
        given = {name: picture_of(name, place) for name, place in row.given.items()}
        sources, notes = reader.read(given, settings.layers, settings.weights)
        seed = settings.seed if row.seed is None else row.seed
        made = composer.compose_many(
            sources,
            row.text,
            row.n or settings.faces_per_row,
            seed=seed,
            batch_size=settings.batch_size,
            strength=settings.strength,
            text_weight=settings.weights.get("text", 1.0),
        )
        faces, seen = _drawn(composer, made, settings.batch_size), reader.seen(given)
        places = {name: f"given/{number:05d}-{name}.png" for name in given}
        for name, place in places.items():
            pictures.save(folder / place, seen[SOURCES.index(name)])
        told = {"row": number, "text": row.text, "given": places}
        reports.append(told | {"report": [*notes, *made.report]})
        named = " ".join(f"{name}={place}" for name, place in row.given.items())
        for index, face in enumerate(faces):
            file = f"faces/{number:05d}-{index:03d}.{settings.image_format}"
            pictures.save(folder / file, face)
            table.append([file, number, index, seed, row.text or "", named])
        if number < GRID_ROWS:
            shown += [*seen, *_padded(faces)]
    write_table(folder / "faces.csv", COLUMNS, table)
    write_json(folder / "reports.json", reports)
    columns = len(shown) // min(len(rows), GRID_ROWS)
    pictures.save(folder / "grid.png", pictures.grid(torch.stack(shown), columns))
    return len(table)


@torch.no_grad()
def _drawn(composer: Composer, made: Composed, batch_size: int) -> UInt8[Tensor, "n 3 r r"]:
    synthesis = composer.generator.synthesis
    parts = [to_pixels(synthesis(ws, noise_mode="const")) for ws in made.ws.split(batch_size)]
    return torch.cat(parts).cpu()


def _padded(faces: UInt8[Tensor, "n 3 r r"]) -> UInt8[Tensor, "m 3 r r"]:
    """The first GRID_FACES, white where there are fewer."""
    white = torch.full((GRID_FACES, *faces.shape[1:]), 255, dtype=torch.uint8)
    white[: len(faces)] = faces[:GRID_FACES]
    return white
