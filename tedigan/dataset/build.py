"""Builds a data set: drawn faces or photographs -> shards of images, captions, sketches and more.

First every record is checked, then shards are made one after another, then the data set is put together.
A run that was killed goes on with the findings and shards that were finished; a run whose source grew makes
the shards that the new photographs fall into.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from tedigan import code_lock
from tedigan.captions.grammar_files import GRAMMAR, save_grammar
from tedigan.dataset.annotating import Helpers, open_annotators
from tedigan.dataset.build_settings import BuildSettings
from tedigan.dataset.card import write_card, write_examples
from tedigan.dataset.dividing import partition_of, split_of, splits_of
from tedigan.dataset.folder import GROUPED, KNOWN, UNKNOWN, Dataset, shard_name, write_tables
from tedigan.dataset.index import Row
from tedigan.dataset.people import FACES, grouped
from tedigan.dataset.records import FROM_SOURCE, Checked, DrawnMaker, Maker, Recipe, digest_of
from tedigan.dataset.sharding import MadeShard, make_shards
from tedigan.dataset.source_records import PhotographMaker
from tedigan.dataset.sources import open_source
from tedigan.dataset.survey import Survey, survey, without
from tedigan.dataset.workers import Workers
from tedigan.dataset.workshop import Workshop, link_or_copy
from tedigan.store.files import finished_folder, sha256_value
from tedigan.store.listing import LeftOut, printable
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES

LIBRARIES = ("numpy", "pillow", "resvg-py", "scipy", "torch")
_NUM_DRAWN = 3000
_FEW = 64  # records that are not worth worker processes


@dataclass(frozen=True)
class Built:
    """What a run made, and what it set aside."""

    num_images: int
    num_quarantined: int
    num_shards: int
    num_shards_made: int


def build_dataset(
    folder: Path,
    card: Path,
    maker: Maker,
    ids: Sequence[int],
    settings: BuildSettings,
    *,
    work: Path,
    num_workers: int | None = None,
) -> Built:
    """Write `folder` whole or not at all, and the page `card`; equal sources and settings give equal bytes.

    work: what an interrupted run left, and what the next one needs. num_workers: None = one a core.
    """
    workshop = Workshop(work, finished=folder)
    code = _code_of(maker)
    with Workers(maker, num_workers=num_workers or _num_workers(len(ids))) as workers:
        found = examine(workers, maker, ids, workshop, settings, code=code)
        shards, failed = make_shards(
            workers,
            found.kept,
            maker,
            workshop,
            records_per_shard=settings.records_per_shard,
            code=code,
        )
    found = without(found, failed)
    rows = _rows(found.kept, splits_of(found, maker, settings))
    description = _description(settings, maker, found)
    return _put_together(folder, card, workshop, rows, shards, found, maker, description)


def examine(
    workers: Workers,
    maker: Maker,
    ids: Sequence[int],
    workshop: Workshop,
    settings: BuildSettings,
    *,
    code: str = "",
) -> Survey:
    """Which records can be made: the one gate, of those who make a data set and of those who only ask.

    workers: hold `maker`. code: digest of what makes records; findings of another are forgotten.
    """
    habits = [settings.attribute_conflicts, settings.faceless, settings.people]
    found = survey(
        workers,
        ids,
        workshop,
        records_per_shard=settings.records_per_shard,
        version=sha256_value([code, digest_of(maker), *habits]),
        partition=partition_of(maker, settings.split),
        rejects_duplicates=settings.duplicates == "reject",
    )
    return replace(found, kept=grouped(found.kept))


def open_maker(
    source: str,
    settings: BuildSettings,
    helpers: Helpers,
    *,
    root: Path,
    cache: Path,
    device: torch.device,
) -> tuple[Maker, list[int]]:
    """Who makes the records, and their ids: the first `num_images` of the source.

    source: drawn, a path relative to `root`, or an s3:// prefix whose objects are kept in `cache`.
    """
    recipe = Recipe(
        resolution=settings.resolution,
        image_format=settings.image_format,
        captions_per_image=settings.captions_per_image,
        seed=settings.seed,
        kinds=tuple(settings.kinds),
    )
    if source == "drawn":
        annotators = open_annotators(helpers, columns=ATTRIBUTE_NAMES, device=device)
        return DrawnMaker(recipe, annotators), list(range(settings.num_images or _NUM_DRAWN))
    found = open_source(source, root=root, cache=cache)
    maker = PhotographMaker(
        recipe,
        found,
        open_annotators(helpers, columns=found.attribute_names, device=device),
        rejects_conflicts=settings.attribute_conflicts == "reject",
        rejects_faceless=settings.faceless == "reject",
        groups_people=settings.people == FACES,
    )
    return maker, sorted(found.items)[: settings.num_images]


def _code_of(maker: Maker) -> str:
    """Digest of what makes a shard's bytes of its records: code, and libraries whose results may differ."""
    code = code_lock.digest_of(type(maker).__module__, make_shards.__module__)
    return sha256_value([code, {name: _version(name) for name in LIBRARIES}])


def _version(package: str) -> str | None:
    """None where it is not installed: photographs are made into a data set without resvg-py."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _num_workers(num_records: int) -> int:
    """One a core; few records are made here."""
    return len(os.sched_getaffinity(0)) if num_records > _FEW else 1


def _rows(kept: Sequence[Checked], splits: Mapping[int, str]) -> list[Row]:
    return [
        Row(
            one.id,
            splits[one.id],
            one.identity,
            one.source_name,
            one.source_sha256,
            one.attributes,
        )
        for one in kept
    ]


def _description(settings: BuildSettings, maker: Maker, found: Survey) -> dict[str, Any]:
    """dataset.json without its counts; where the source lies is left out, as it says nothing of it."""
    made = {*maker.suffixes, *(["attributes"] if maker.attribute_names else [])}
    writes_captions = "text" in made and maker.origins["text"] != FROM_SOURCE
    return {
        "attribute_names": list(maker.attribute_names),
        "captions_per_image": settings.captions_per_image if writes_captions else None,
        "identities": KNOWN
        if maker.has_identities
        else GROUPED
        if maker.groups_people
        else UNKNOWN,
        "kinds": maker.suffixes,
        "licence": settings.licence or maker.licence,
        "noted": found.noted | maker.notes,
        "origin": {kind: maker.origins[kind] for kind in sorted(made)},
        "quarantined": dict(
            sorted(Counter(one.problem for one in set_aside(found, maker)).items())
        ),
        "records_per_shard": settings.records_per_shard,
        "resolution": settings.resolution,
        "seed": settings.seed,
        "source": maker.layout,
        "split": split_of(maker, settings),
    }


def set_aside(found: Survey, maker: Maker) -> list[LeftOut]:
    """Records that cannot be made, then entries of the source that are part of none."""
    records = [
        LeftOut(printable(one.source_name), one.problem, one.reason) for one in found.rejected
    ]
    return [*records, *maker.left_out]


def _put_together(
    folder: Path,
    card: Path,
    workshop: Workshop,
    rows: Sequence[Row],
    made: Mapping[int, MadeShard],
    found: Survey,
    maker: Maker,
    description: Mapping[str, Any],
) -> Built:
    """Shards and tables into the finished folder, then the page for people."""
    with finished_folder(folder) as fresh:
        shards = {number: one.shard for number, one in made.items()}
        for number, shard in shards.items():
            link_or_copy(shard.path, fresh / shard_name(number))
        write_tables(
            fresh,
            rows,
            shards=shards,
            quarantine=[astuple(one) for one in set_aside(found, maker)],
            noted=[(one.source_name, note) for one in found.kept for note in one.notes],
            description=description,
        )
        if "text" in maker.suffixes:
            save_grammar(maker.annotators.grammar, fresh / GRAMMAR)
        write_examples(Dataset.open(fresh), fresh / "examples.png")
    write_card(Dataset.open(folder), card)
    workshop.settle({made[n].digest: (shard_name(n), shard.sha256) for n, shard in shards.items()})
    num_new = sum(shard.is_new for shard in made.values())
    num_aside = sum(one.is_fault for one in set_aside(found, maker))
    return Built(len(rows), num_aside, len(made), num_new)
