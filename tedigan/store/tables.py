"""Tables that we write: CSV, whole or not at all."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from tedigan.store.files import write_text


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """CSV with a header and plain newlines, whole or not at all."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, buffer.getvalue())
