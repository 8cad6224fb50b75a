"""Makes the shards of a data set, one after another; finished ones are found again and not made twice."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

from tedigan.stages.progress import progress
from tedigan.stages.records import Checked, Maker
from tedigan.stages.workers import Workers
from tedigan.store.files import sha256_value
from tedigan.store.shards import ShardWriter
from tedigan.store.workshop import Workshop


@dataclass(frozen=True)
class MadeShard:
    """A finished shard. digest: of all that its bytes depend on. is_new: made by this run."""

    digest: str
    path: Path
    is_new: bool


def make_shards(
    workers: Workers,
    kept: Sequence[Checked],
    maker: Maker,
    workshop: Workshop,
    *,
    records_per_shard: int,
    code: str,
) -> dict[int, MadeShard]:
    """Shard number -> shard. Records are made in parallel, shards are written by this process alone.

    code: digest of the code that makes records.
    """
    shards: dict[int, MadeShard] = {}
    with progress(total=len(kept), desc="dataset: make", unit="face") as bar:
        for number, group in groupby(kept, key=lambda one: one.id // records_per_shard):
            records = list(group)
            digest = _digest(maker, records, code)
            path = workshop.find(digest)
            if path is None:
                shards[number] = MadeShard(digest, workshop.place(digest), True)
                with ShardWriter(shards[number].path, maker.suffixes) as writer:
                    made = workers.each("make", records)
                    for record, files in zip(records, made, strict=True):
                        writer.add(record.id, files)
                        bar.update()
            else:
                shards[number] = MadeShard(digest, path, False)
                bar.update(len(records))
    return shards


def _digest(maker: Maker, records: Sequence[Checked], code: str) -> str:
    """What the shard's bytes depend on: code, recipe, kinds, and the records' own sources."""
    what = [code, asdict(maker.recipe), maker.suffixes, maker.origins]
    return sha256_value([*what, [[record.id, record.key] for record in records]])
