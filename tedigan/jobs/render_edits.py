"""Photographs + texts -> a folder of edited photographs."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

from tedigan.captions.lists import EVERY, Edit
from tedigan.errors import DataError
from tedigan.jobs.render_strips import Job, batches_of, edit_codes
from tedigan.method.edit import Editor
from tedigan.method.inversion import Inverter, TraceRow
from tedigan.method.region import composed
from tedigan.method.tuning import TuningSettings, tune
from tedigan.progress import progress
from tedigan.store import pictures
from tedigan.store.pictures import SUFFIXES
from tedigan.store.tables import write_table
from tedigan.store.texts import name_key, stem_key
from tedigan.tensors import to_images, to_pixels

COLUMNS = ["before", "inversion", "after", "strip", "photograph", "text", "strength"]


def jobs_of(
    edits: Sequence[Edit], names: Sequence[str], *, set_aside: Collection[str] = ()
) -> list[Job]:
    """Every edit of every photograph that it names, in the order of the photographs.

    set_aside: names of photographs that cannot be used, whose edits are left out with them.
    """
    jobs = []
    for edit in edits:
        rows = _called(edit.photograph, names)
        if not rows and edit.photograph in set_aside:
            continue
        if len(rows) != 1 and edit.photograph != EVERY:
            found = f"is {len(rows)} of" if rows else "is not among"
            raise DataError(
                f"manipulate.edits names the photograph {edit.photograph!r}, which {found} "
                f"{list(names)}. Use one of them, or * for each."
            )
        jobs += [Job(row, edit.text, edit.strength) for row in rows]
    return sorted(jobs, key=lambda job: job.row)


def _called(photograph: str, names: Sequence[str]) -> list[int]:
    """The rows of those that an edit names: `*`, a name, or one with its folder and suffix, in any case."""
    if exact := [row for row, name in enumerate(names) if photograph in (EVERY, name)]:
        return exact
    key = stem_key(photograph, SUFFIXES)
    return [row for row, name in enumerate(names) if name_key(name) == key]


def render_edits(
    folder: Path,
    inverter: Inverter,
    editor: Editor,
    names: Sequence[str],
    photographs: UInt8[Tensor, "n 3 r r"],
    jobs: Sequence[Job],
    *,
    strip: Sequence[float],
    batch_size: int,
    tuning: TuningSettings,
) -> float:
    """Write before/, inversion/, after/, strips/, edits.csv, trace.csv and grid.png.

    strip: the strengths at which each edit is shown beside each other. Returns the inversions' mean squared error.
    """
    images, trace = to_images(photographs), list[TraceRow]()

    codes = []
    for rows in batches_of(len(names), batch_size, desc="invert photographs"):
        found = inverter.trace(images[rows])
        trace.extend(replace(one, photograph=rows[one.photograph]) for one in found.trace)
        codes.append(found.ws)
    inverted = torch.cat(codes)
    wanted = [replace(job, strength=one) for job in jobs for one in (job.strength, *strip)]
    edited = edit_codes(editor, inverted, wanted, batch_size=batch_size, desc="manipulate")
    draw = _painter(inverter, editor, images, inverted, tuning, batch_size)
    drawn, of = draw(range(len(names)), inverted), [job.row for job in wanted]
    after = [
        to_pixels(composed(drawn[rows], draw(rows, part.ws), part.region))
        for rows, part in zip(_split(of, batch_size), edited.split(batch_size), strict=True)
    ]  # as pixels at once: as floats, many at 1024 px would not fit
    write_trace(folder / "trace.csv", names, trace)
    edits = torch.cat(after).unflatten(0, (len(jobs), 1 + len(strip)))
    _write(folder, names, jobs, photographs, to_pixels(drawn), edits)
    return (drawn.clamp(-1, 1) - images).square().mean().item()


def _painter(
    inverter: Inverter,
    editor: Editor,
    images: Tensor,
    inverted: Tensor,
    tuning: TuningSettings,
    batch_size: int,
) -> Callable[[Sequence[int], Tensor], Tensor]:
    """(rows of photographs, codes) -> pictures: by the generator, or by what it learnt of each photograph."""
    if not tuning.num_tuning_steps:
        return lambda _, ws: torch.cat([editor.images(part) for part in ws.split(batch_size)])
    tuned = [
        tune(
            inverter.generator,
            inverter.features,
            inverted[row : row + 1],
            images[row : row + 1].to(inverted.device),
            tuning,
        )
        for row in progress(range(len(images)), desc="tune", unit="photograph")
    ]
    return lambda rows, ws: torch.cat(
        [tuned[row].draw(ws[i : i + 1]).cpu() for i, row in enumerate(rows)]
    )


def write_trace(path: Path, names: Sequence[str], trace: Sequence[TraceRow]) -> None:
    """A line for each photograph and step looked at: every term, without its weight."""
    terms = list(trace[0].values) if trace else []
    rows = [[names[row.photograph], row.step, *row.values.values()] for row in trace]
    write_table(path, ["photograph", "step", *terms], rows)


def _write(
    folder: Path,
    names: Sequence[str],
    jobs: Sequence[Job],
    before: Tensor,
    inversion: Tensor,
    edits: Tensor,
) -> None:
    """edits: `[jobs, 1 + strip, 3, r, r]`, the first of each at the edit's own strength."""
    for row, name in enumerate(names):
        pictures.save(folder / f"before/{name}.png", before[row])
        pictures.save(folder / f"inversion/{name}.png", inversion[row])
    rows, shown = [], []
    for index, job in enumerate(jobs):
        after, strip, name = f"after/{index:05d}.png", f"strips/{index:05d}.png", names[job.row]
        pictures.save(folder / after, edits[index, 0])
        if edits.shape[1] > 1:
            pictures.save(folder / strip, pictures.grid(edits[index, 1:], edits.shape[1] - 1))
        places = [f"before/{name}.png", f"inversion/{name}.png", after]
        places.append(strip if edits.shape[1] > 1 else "")
        rows.append([*places, name, job.text, job.strength])
        shown += [before[job.row], inversion[job.row], edits[index, 0]]
    write_table(folder / "edits.csv", COLUMNS, rows)
    pictures.save(folder / "grid.png", pictures.grid(torch.stack(shown), 3))


def _split(rows: Sequence[int], size: int) -> list[list[int]]:
    return [list(rows[start : start + size]) for start in range(0, len(rows), size)]
