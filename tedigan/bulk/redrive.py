"""What came to nothing in a job, as a list that can be planned again once its cause is mended."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tedigan.bulk.album import PHOTOGRAPHS, Album
from tedigan.bulk.marks import is_marked
from tedigan.bulk.repeats import read_repeats
from tedigan.bulk.shard_files import read_rows
from tedigan.bulk.source_artist import numbers_in
from tedigan.bulk.worker import Worker
from tedigan.method.sources import SOURCES
from tedigan.store.files import write_text


class Listed(NamedTuple):
    """A row of the list: as `read_prompts` reads it, and why it is there. given: of sources, by name."""

    text: str
    photograph: str
    strength: float
    given: dict[str, str]
    reason: str

    def cells(self) -> dict[str, Any]:
        """Column -> cell."""
        return self._asdict() | self.given


OF_FACES, OF_EDITS = ("text", "reason"), ("text", "photograph", "strength", "reason")
OF_SOURCES = ("text", "strength", *SOURCES, "reason")


def write_redrive(worker: Worker, path: Path, *, marked: bool) -> int:
    """Write a CSV with a row for each image that could not be drawn; their number.

    marked: also for those that are marked, or, in a sealed job, repeat an earlier one.
    """
    text = io.StringIO(newline="")
    plan = worker.ledger.plan
    columns = OF_EDITS if plan.photographs else OF_SOURCES if plan.pictures else OF_FACES
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore")
    writer.writeheader()
    rows = list(_listed(worker, marked=marked))
    writer.writerows(row.cells() for row in rows)
    write_text(path, text.getvalue())
    return len(rows)


def _listed(worker: Worker, *, marked: bool) -> Iterator[Listed]:
    """Shard by shard."""
    ledger, names = worker.ledger, _names(worker)
    repeats = read_repeats(ledger) if marked else {}
    for commit in ledger.commits():
        images = ledger.plan.images_of(commit.shard)
        has_any = commit.num_failed or (marked and commit.num_marked)
        if not has_any and not any(image in repeats for image in images):
            continue
        rows = read_rows(ledger.piece(commit.table, ".parquet", worker.scratch))
        for row, asked in zip(rows, worker.asked(images), strict=True):
            of = repeats.get(row["image"])
            if row["failed"] is not None or of is not None or (marked and is_marked(row)):
                name = "" if asked.photograph is None else names[asked.photograph]
                given: dict[str, str] = {
                    source: names[number] for source, number in numbers_in(asked.given)
                }
                yield Listed(asked.text, name, asked.strength, given, _why(row, of))


def _names(worker: Worker) -> list[str]:
    plan = worker.ledger.plan
    if not (place := plan.photographs or plan.pictures):
        return []
    album = Album.read(worker.file(PHOTOGRAPHS), place, worker.scratch)
    return [*album.names]


def _why(row: dict[str, Any], repeats: int | None) -> str:
    if row["failed"] is not None:
        return str(row["failed"])
    lacks = [f"lacks {row['lacks']}"] if row["lacks"] else []
    again = [] if repeats is None else [f"repeats image {repeats}"]
    return "; ".join([*lacks, *row["faults"], *again])
