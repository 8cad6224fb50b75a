"""A job's pictures as files of their own, shard by shard: no more than one shard is here at a time.

pictures        000/000128.png: a folder a thousand; images.parquet, the tables of all shards, names each file
mm-celeba-hq    image/128.jpg, text/128.txt, {train,test}/filenames.pickle: what loaders of MM-CelebA-HQ
                read; of the prompts about a tenth is test, with all of their faces
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tedigan.bulk.commit import Commit
from tedigan.bulk.ledger import Ledger
from tedigan.bulk.marks import is_marked
from tedigan.bulk.plan import Plan
from tedigan.bulk.repeats import read_repeats
from tedigan.dataset.export import published_file
from tedigan.dataset.sources.multimodal import format_names
from tedigan.dataset.splits import SPLITS, share_of
from tedigan.errors import DataError
from tedigan.progress import progress
from tedigan.store.files import finished_folder, write_bytes, write_text
from tedigan.store.shards import Shard, read_shard, read_span

TABLE = "images.parquet"
A_FOLDER = 1000  # pictures
MAX_NAMES = 1_000_000  # in a list that `read_names` reads
TRAIN, _, TEST = SPLITS
TEST_FRACTION = 0.1  # of the prompts


@dataclass(frozen=True)
class Part:
    """The images of one shard that are wanted. table: their rows."""

    table: Any
    shard: Shard

    def __iter__(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Each image's row and picture file."""
        for row in self.table.to_pylist():
            yield row, read_span(self.shard.path, self.shard.spans[row["image"]]["image"])


def export(
    ledger: Ledger,
    target: Path,
    *,
    layout: str,
    only_unmarked: bool = False,
    is_partial: bool = False,
) -> int:
    """Write the folder whole or not at all; returns the number of images.

    What could not be drawn is left out. only_unmarked: leave marked images out too, and those of a sealed job that
    repeat an earlier one. is_partial: take what an unfinished job has committed. A DataError for a target that
    exists, a job that is not finished, or a shard that is not the committed one.
    """
    commits = _commits(ledger, target, is_partial)
    if layout == "mm-celeba-hq":
        _check_names(commits, only_unmarked)
    num_images, repeats = 0, read_repeats(ledger)

    def parts() -> Iterator[Part]:
        nonlocal num_images
        for commit in progress(commits, desc="export", unit="shard"):
            with tempfile.TemporaryDirectory() as cache:
                part = _part(ledger, commit, Path(cache), repeats if only_unmarked else None)
                num_images += len(part.table)
                yield part

    with finished_folder(target) as folder:
        LAYOUTS[layout](folder, ledger.plan, parts())
    return num_images


def _commits(ledger: Ledger, target: Path, is_partial: bool) -> list[Commit]:
    if target.exists():
        raise DataError(f"{target} exists; expected a new folder. Name another, or remove it.")
    commits, plan = list(ledger.commits()), ledger.plan
    if not commits or (len(commits) < plan.num_shards and not is_partial):
        raise DataError(
            f"job {ledger.name} has {len(commits):,} of {plan.num_shards:,} shards, expected all. Resume it, or "
            "export with --partial what there is."
        )
    return commits


def _check_names(commits: Sequence[Commit], only_unmarked: bool) -> None:
    count = sum(one.num_images - one.num_failed - only_unmarked * one.num_marked for one in commits)
    if count > MAX_NAMES:
        raise DataError(
            f"the export would have {count:,} images, but lists of names in MM-CelebA-HQ's layout are read up to "
            f"{MAX_NAMES:,}. Export pictures, or read the shards as they are."
        )


def _part(ledger: Ledger, commit: Commit, cache: Path, repeats: Mapping[int, int] | None) -> Part:
    """repeats: left out like what is marked; None = all that was drawn is wanted."""
    table = pq.ParquetFile(ledger.piece(commit.table, ".parquet", cache)).read()
    wanted = [
        row["failed"] is None
        and (repeats is None or (row["image"] not in repeats and not is_marked(row)))
        for row in table.to_pylist()
    ]
    table = table.filter(pa.array(wanted, pa.bool_()))
    return Part(table, read_shard(ledger.piece(commit.tar, ".tar", cache)))


def _as_pictures(folder: Path, plan: Plan, parts: Iterator[Part]) -> None:
    width = max(6, len(str(plan.num_images - 1)))
    with ExitStack() as stack:
        writer = None
        for part in parts:
            names = []
            for row, picture in part:
                image = row["image"]
                place = f"{image // A_FOLDER:0{width - 3}d}/{image:0{width}d}.{plan.image_format}"
                write_bytes(folder / place, picture)
                names.append(place)
            table = part.table.append_column("file", pa.array(names, pa.string()))
            if writer is None:
                writer = pq.ParquetWriter(folder / TABLE, table.schema, compression="zstd")
                stack.enter_context(writer)
            writer.write_table(table)


def _as_published(folder: Path, plan: Plan, parts: Iterator[Part]) -> None:
    ids: dict[str, list[int]] = {TRAIN: [], TEST: []}
    for part in parts:
        for row, picture in part:
            name, content = published_file("image", row["image"], picture, plan.image_format)
            write_bytes(folder / name, content)
            write_text(folder / f"text/{row['image']}.txt", f"{row['text']}\n")
            is_test = share_of("export", row["prompt"]) < TEST_FRACTION
            ids[TEST if is_test else TRAIN].append(row["image"])
    for split, found in ids.items():
        write_bytes(folder / split / "filenames.pickle", format_names(found))


LAYOUTS: dict[str, Callable[[Path, Plan, Iterator[Part]], None]] = {
    "pictures": _as_pictures,
    "mm-celeba-hq": _as_published,
}
