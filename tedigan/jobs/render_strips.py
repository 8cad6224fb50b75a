"""Codes of faces + texts -> edits of each, and a folder of strips."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.jobs.render_faces import read_all
from tedigan.method.edit import Editor
from tedigan.method.region import Edited
from tedigan.progress import progress
from tedigan.store import pictures
from tedigan.store.tables import write_table
from tedigan.tensors import to_pixels

COLUMNS = ["strip", "text_index", "face_index", "text", "understood"]


@dataclass(frozen=True)
class Job:
    """An edit of one face. row: the face's. strength: in -3..3."""

    row: int
    text: str
    strength: float


def render_strips(
    folder: Path,
    editor: Editor,
    ws: Float[Tensor, "n num_ws w_dim"],
    texts: Sequence[str],
    *,
    strengths: Sequence[float],
    batch_size: int,
    stage: str,
) -> int:
    """Write strips/, edits.csv and grid.png (a row a strip); the number of strips.

    A strip shows one face, edited by one text at each of the strengths: text by text, each of every face.
    """
    readings = read_all(texts, editor.read, stage=stage)
    shown = [(index, row) for index in range(len(texts)) for row in range(len(ws))]
    jobs = [Job(row, texts[index], strength) for index, row in shown for strength in strengths]
    edited = edit_codes(editor, ws, jobs, batch_size=batch_size, desc=stage)
    starts = ws[[job.row for job in jobs]].split(batch_size)
    parts = zip(starts, edited.split(batch_size), strict=True)
    images = torch.cat([to_pixels(editor.draw(start, part)) for start, part in parts])
    strips = images.unflatten(0, (len(shown), len(strengths)))
    rows = []
    for (index, row), strip in zip(shown, strips, strict=True):
        name = f"strips/{index:05d}-{row:03d}.png"
        pictures.save(folder / name, pictures.grid(strip, len(strengths)))
        rows.append([name, index, row, texts[index], readings[index].in_words()])
    write_table(folder / "edits.csv", COLUMNS, rows)
    pictures.save(folder / "grid.png", pictures.grid(strips.flatten(0, 1), len(strengths)))
    return len(strips)


def edit_codes(
    editor: Editor,
    ws: Float[Tensor, "n num_ws w_dim"],
    jobs: Sequence[Job],
    *,
    batch_size: int,
    desc: str,
) -> Edited:
    """The code of each job's face, moved by its text at its strength, and where that shows."""
    parts = []
    for rows in batches_of(len(jobs), batch_size, desc=desc):
        here = [jobs[row] for row in rows]
        texts, strengths = [job.text for job in here], [job.strength for job in here]
        parts.append(editor.edit(ws[[job.row for job in here]], texts, strengths))
    return Edited.joined(parts)


def batches_of(total: int, size: int, *, desc: str) -> Iterable[list[int]]:
    """The rows 0 to total, `size` of them at a time, under a bar."""
    rows = list(range(total))
    batches = [rows[start : start + size] for start in range(0, total, size)]
    bar: Iterable[list[int]] = progress(batches, desc=desc, unit="batch")
    return bar
