"""What a sealed job's page says: every table is counted, but pictures are taken out of a few shards alone."""

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch

from tedigan.bulk.commit import Commit
from tedigan.bulk.ledger import Ledger
from tedigan.bulk.marks import faults_of, kind_of, lacks_of
from tedigan.bulk.prompt_table import QUARANTINE
from tedigan.bulk.quotas import QUOTAS, Met, met, parse_quotas
from tedigan.bulk.seal import read_seal
from tedigan.bulk.tally import Tally, read_columns
from tedigan.progress import progress
from tedigan.report.copying import MAX_PX
from tedigan.report.job_page import SHOWN_ROWS, JobNumbers, Shown, job_page
from tedigan.store import pictures
from tedigan.store.shards import read_shard, read_span
from tedigan.tensors import stream

NUM_SHOWN, NUM_SHARDS = 48, 8  # faces of the sample, and shards that they come from


def job_report(ledger: Ledger) -> str:
    """The page, the same to the byte for one sealed job.

    A StoreError for a job that is not sealed, a DataError where a shard is not the one that was.
    """
    manifest, commits = read_seal(ledger)
    tally = Tally(is_judged=any(name.startswith("guide/") for name in ledger.plan.models))
    chosen = _chosen(commits, ledger.plan.seed)
    rows = [row for rows in _rows(ledger, commits, tally, chosen) for row in rows]
    sample = [row for row in rows if row.get("failed") is None]
    worst = tally.worst()
    files = _pictures(ledger, commits, {row["image"] for row in [*sample, *worst]})
    return job_page(
        ledger.plan.to_json(),
        manifest,
        _numbers(ledger, tally),
        [_shown(row, files) for row in sample],
        [_shown(row, files) for row in worst],
    )


def _chosen(commits: Sequence[Commit], seed: int) -> dict[int, list[int]]:
    """Shard -> places in its table of the faces that are shown."""
    order = torch.randperm(len(commits), generator=stream(seed, "report"))[:NUM_SHARDS].tolist()
    each = -(-NUM_SHOWN // len(order))
    return {
        shard: torch.randperm(
            commits[shard].num_images, generator=stream(seed, "report", shard)
        ).tolist()[:each]
        for shard in order
    }


def _rows(
    ledger: Ledger, commits: Sequence[Commit], tally: Tally, chosen: Mapping[int, Sequence[int]]
) -> Iterator[list[dict[str, Any]]]:
    """Count every table; of the chosen shards the chosen rows come, in order."""
    for commit in progress(commits, desc="report", unit="shard"):
        with tempfile.TemporaryDirectory() as cache:
            rows = read_columns(ledger.piece(commit.table, ".parquet", Path(cache)))
        tally.add(rows)
        if commit.shard in chosen:
            yield [rows[place] for place in sorted(chosen[commit.shard])]


def _pictures(ledger: Ledger, commits: Sequence[Commit], images: set[int]) -> dict[int, bytes]:
    """The files of some images, no larger than the page shows them; one shard at a time is here."""
    shards = defaultdict[int, list[int]](list)
    for image in images:
        shards[ledger.plan.shard_of(image)].append(image)
    found = {}
    for number in sorted(shards):
        with tempfile.TemporaryDirectory() as cache:
            shard = read_shard(ledger.piece(commits[number].tar, ".tar", Path(cache)))
            for image in shards[number]:
                found[image] = _small(read_span(shard.path, shard.spans[image]["image"]))
    return found


def _small(picture: bytes) -> bytes:
    pixels = pictures.decode(picture)
    if pixels.shape[1] > MAX_PX:
        pixels = pictures.resize_to_height(pixels, MAX_PX)
    return pictures.encode(pixels, "webp")


def _shown(row: Mapping[str, Any], files: Mapping[int, bytes]) -> Shown:
    names = ("photograph", "sources", "strength", "report")
    about = [f"{name} {row[name]}" for name in names if row.get(name) is not None]
    lacks = [*lacks_of(row), *faults_of(row)]
    return Shown(row["image"], row["text"], ", ".join(about), lacks, files[row["image"]])


def _numbers(ledger: Ledger, tally: Tally) -> JobNumbers:
    with tempfile.TemporaryDirectory() as cache:
        quotas = _quotas(ledger, tally, Path(cache))
        quarantine = _quarantine(ledger, Path(cache))
    return JobNumbers(
        num_marked=tally.num_marked,
        is_judged=tally.is_judged,
        lacking=tally.lacking,
        attempts=tally.attempts,
        reasons=tally.reasons,
        failed=tally.failed,
        measured=tally.measured,
        agreements=tally.agreements(),
        quotas=quotas,
        quarantine=quarantine,
    )


def _quotas(ledger: Ledger, tally: Tally, cache: Path) -> list[Met] | None:
    """None where the prompts came from a list."""
    if not ledger.bucket.exists(QUOTAS):
        return None
    prompts, found = tally.shares()
    return met(parse_quotas(ledger.bucket.fetch(QUOTAS, cache)), prompts, found)


def _quarantine(ledger: Ledger, cache: Path) -> dict[str, tuple[int, list[tuple[int, str, str]]]]:
    """Kind of reason -> how many rows, and the first of them."""
    found: dict[str, tuple[int, list[tuple[int, str, str]]]] = {}
    if not ledger.bucket.exists(QUARANTINE):
        return found
    with pq.ParquetFile(ledger.bucket.fetch(QUARANTINE, cache)) as file:
        for batch in file.iter_batches():
            for row in batch.to_pylist():
                count, first = found.get(kind_of(row["reason"]), (0, []))
                if len(first) < SHOWN_ROWS:
                    first.append((row["row"], row["shown"], row["reason"]))
                found[kind_of(row["reason"])] = (count + 1, first)
    return dict(sorted(found.items(), key=lambda pair: -pair[1][0]))
