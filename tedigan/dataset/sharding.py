"""Makes the shards of a data set, one after another; finished ones are found again and not made twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from tedigan.dataset.records import Checked, Maker, Rejected, digest_of
from tedigan.dataset.workers import Workers
from tedigan.dataset.workshop import Workshop
from tedigan.progress import progress
from tedigan.store.files import sha256_value
from tedigan.store.shards import Shard, ShardWriter, read_shard


@dataclass(frozen=True)
class MadeShard:
    """A finished shard. digest: of all that its bytes depend on. is_new: made by this run."""

    digest: str
    shard: Shard
    is_new: bool


def make_shards(
    workers: Workers,
    kept: Sequence[Checked],
    maker: Maker,
    workshop: Workshop,
    *,
    records_per_shard: int,
    code: str,
) -> tuple[dict[int, MadeShard], list[Rejected]]:
    """(shard number -> shard, records that a model could not make).

    Records are made in parallel, shards are written by this process alone. code: digest of the code that
    makes records.
    """
    shards: dict[int, MadeShard] = {}
    failed: list[Rejected] = []
    recipe = [code, digest_of(maker)]
    with progress(total=len(kept), desc="dataset: make", unit="face") as bar:
        for number, group in groupby(kept, key=lambda one: one.id // records_per_shard):
            records = list(group)
            digest = sha256_value([*recipe, [[record.id, record.key] for record in records]])
            path = workshop.find(digest)
            is_new = path is None
            if path is None:
                path = workshop.place(digest)
                failed += _write_shard(path, workers, records, maker, bar)
            shard = read_shard(path)
            if not is_new:
                lacking = [record for record in records if record.id not in shard.spans]
                failed += [
                    one for one in workers.each("make", lacking) if isinstance(one, Rejected)
                ]
                bar.update(len(records))
            if shard.spans:
                shards[number] = MadeShard(digest, shard, is_new)
    return shards, failed


def _write_shard(
    path: Path, workers: Workers, records: Sequence[Checked], maker: Maker, bar: Any
) -> list[Rejected]:
    """Make a shard's records and write them; returns those that could not be made."""
    failed = []
    with ShardWriter(path, maker.suffixes) as writer:
        made = workers.each("make", records)
        for record, files in zip(records, made, strict=True):
            if isinstance(files, Rejected):
                failed.append(files)
            else:
                writer.add(record.id, files)
            bar.update()
    return failed
