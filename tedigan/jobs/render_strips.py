"""Codes of faces + texts -> edits of each, and a folder of strips."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.jobs.render_faces import read_all
from tedigan.method.edit import Editor
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
    images = torch.cat([editor.images(part) for part in edited.split(batch_size)])
    strips = to_pixels(images).unflatten(0, (len(shown), len(strengths)))
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
) -> Float[Tensor, "jobs num_ws w_dim"]:
    """The code of each job's face, moved by its text at its strength."""

    def edit(part: list[int]) -> Tensor:
        here = [jobs[i] for i in part]
        texts, strengths = [job.text for job in here], [job.strength for job in here]
        return editor.edit(ws[[job.row for job in here]], texts, strengths)

    return in_batches(edit, len(jobs), batch_size, desc=desc)


def in_batches(
    function: Callable[[list[int]], Tensor], total: int, size: int, *, desc: str
) -> Tensor:
    """What the function gives for the rows 0 to total, `size` of them at a time."""
    rows = list(range(total))
    batches = [rows[start : start + size] for start in range(0, total, size)]
    return torch.cat([function(part) for part in progress(batches, desc=desc, unit="batch")])
