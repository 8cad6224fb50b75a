"""The dataset stage: drawn faces or photographs -> a sharded data set of images, captions, sketches and more.

First every record is checked, then shards are made one after another, then the data set is put together.
A run that was killed goes on with the findings and shards that were finished; a run whose source grew makes
the shards that the new photographs fall into.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from tedigan import code_lock, params
from tedigan.captions.grammar_files import save_grammar
from tedigan.dataset.annotating import open_annotators
from tedigan.dataset.card import write_card, write_examples
from tedigan.dataset.folder import GRAMMAR, Dataset, shard_name, write_tables
from tedigan.dataset.index import Row
from tedigan.dataset.records import FROM_SOURCE, Checked, DrawnMaker, Maker, Recipe, digest_of
from tedigan.dataset.sharding import MadeShard, make_shards
from tedigan.dataset.source_records import PhotographMaker
from tedigan.dataset.sources import open_source
from tedigan.dataset.splits import check_apart, split_as_published, split_by_identity
from tedigan.dataset.survey import Survey, survey, without
from tedigan.dataset.workers import Workers
from tedigan.dataset.workshop import Workshop, link_or_copy
from tedigan.errors import DataError
from tedigan.store.files import finished_folder, sha256_value
from tedigan.store.objects import open_bucket
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES
from tedigan.workspace import Outcome, Workspace

LIBRARIES = ("numpy", "pillow", "resvg-py", "scipy", "torch")
_NUM_DRAWN = 3000
_FEW = 64  # records that are not worth worker processes


def run(workspace: Workspace) -> Outcome:
    """Write `dataset/` whole or not at all; equal sources and params give equal bytes."""
    section = workspace.params.dataset
    maker, ids = open_maker(workspace)
    partition = _partition(maker, section.split)
    workshop = Workshop(workspace.work / "dataset", finished=workspace.dataset)
    code = _code_of(maker)
    with Workers(maker, num_workers=_num_workers(workspace, len(ids))) as workers:
        found = survey(
            workers,
            ids,
            workshop,
            records_per_shard=section.records_per_shard,
            version=sha256_value([code, digest_of(maker), section.attribute_conflicts]),
            partition=partition,
            rejects_duplicates=section.duplicates == "reject",
        )
        shards, failed = make_shards(
            workers,
            found.kept,
            maker,
            workshop,
            records_per_shard=section.records_per_shard,
            code=code,
        )
    found = without(found, failed)
    _refuse_empty(found)
    rows = _rows(found.kept, _splits(found.kept, partition, section))
    return _put_together(
        workspace, workshop, rows, shards, found, maker, _description(section, maker, found)
    )


def check(workspace: Workspace) -> None:
    """Refuse a grammar or a model that cannot be used before anything runs."""
    open_annotators(workspace, columns=None).origins()


def open_maker(workspace: Workspace) -> tuple[Maker, list[int]]:
    """Who makes the records, and their ids: the first `num_images` of the source."""
    section = workspace.params.dataset
    recipe = Recipe(
        resolution=section.resolution,
        image_format=section.image_format,
        captions_per_image=section.captions_per_image,
        seed=section.seed,
        kinds=tuple(section.kinds),
    )
    if section.source == "drawn":
        annotators = open_annotators(workspace, columns=ATTRIBUTE_NAMES)
        return DrawnMaker(recipe, annotators), list(range(section.num_images or _NUM_DRAWN))
    source = open_source(
        section.source,
        root=workspace.root,
        open_bucket=lambda uri: open_bucket(uri, cache=workspace.work / "cache"),
    )
    maker = PhotographMaker(
        recipe,
        source,
        open_annotators(workspace, columns=source.attribute_names),
        rejects_conflicts=section.attribute_conflicts == "reject",
    )
    return maker, sorted(source.items)[: section.num_images]


def _code_of(maker: Maker) -> str:
    """Digest of what makes a shard's bytes of its records: code, and libraries whose results may differ."""
    code = code_lock.digest_of(type(maker).__module__, make_shards.__module__)
    return sha256_value([code, {name: version(name) for name in LIBRARIES}])


def _partition(maker: Maker, split: str) -> Mapping[int, str] | None:
    """The partition that `dataset.split` names; None where people are divided by a hash."""
    if split == "identity":
        return None
    if split not in maker.partitions:
        raise DataError(
            f"dataset.split is {split}, but the source names no such partition: `published` needs the "
            "source's own list, `official` CelebA-HQ-to-CelebA-mapping.txt. It has: "
            f"{', '.join(maker.partitions) or 'none'}. Add the file, or set it to identity."
        )
    return maker.partitions[split]


def _num_workers(workspace: Workspace, num_records: int) -> int:
    """One a core, unless runtime.num_workers says otherwise; few records are made here."""
    wanted = workspace.params.runtime.num_workers
    if wanted != "auto":
        return wanted
    return len(os.sched_getaffinity(0)) if num_records > _FEW else 1


def _refuse_empty(found: Survey) -> None:
    if not found.kept:
        first = found.rejected[0].reason if found.rejected else "there was none"
        raise DataError(
            f"no valid record remains of {len(found.rejected)}; the first was refused because: {first}"
        )


def _splits(
    kept: Sequence[Checked], partition: Mapping[int, str] | None, section: params.Dataset
) -> dict[int, str]:
    """Each record's split, without one person in two of them."""
    identities = {one.id: one.identity for one in kept}
    if partition is None:
        splits = split_by_identity(
            identities,
            val_fraction=section.val_fraction,
            test_fraction=section.test_fraction,
            seed=section.seed,
        )
    else:
        splits = split_as_published(
            {one.id: partition[one.id] for one in kept},
            identities,
            val_fraction=section.val_fraction,
            seed=section.seed,
        )
    check_apart(splits, identities)
    return splits


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


def _description(section: params.Dataset, maker: Maker, found: Survey) -> dict[str, Any]:
    """dataset.json without its counts; where the source lies is left out, as it says nothing of it."""
    made = {*maker.suffixes, *(["attributes"] if maker.attribute_names else [])}
    writes_captions = "text" in made and maker.origins["text"] != FROM_SOURCE
    return {
        "attribute_names": list(maker.attribute_names),
        "captions_per_image": section.captions_per_image if writes_captions else None,
        "identities": "of the source" if maker.has_identities else "one per photograph",
        "kinds": maker.suffixes,
        "licence": section.licence or maker.licence,
        "noted": found.noted | maker.notes,
        "origin": {kind: maker.origins[kind] for kind in sorted(made)},
        "quarantined": dict(sorted(Counter(one.problem for one in found.rejected).items())),
        "records_per_shard": section.records_per_shard,
        "resolution": section.resolution,
        "seed": section.seed,
        "source": maker.layout,
        "split": section.split,
    }


def _put_together(
    workspace: Workspace,
    workshop: Workshop,
    rows: Sequence[Row],
    made: Mapping[int, MadeShard],
    found: Survey,
    maker: Maker,
    description: Mapping[str, Any],
) -> Outcome:
    """Shards and tables into the finished folder, then the page for people."""
    with finished_folder(workspace.dataset) as folder:
        shards = {number: one.shard for number, one in made.items()}
        for number, shard in shards.items():
            link_or_copy(shard.path, folder / shard_name(number))
        quarantine = [(one.source_name, one.problem, one.reason) for one in found.rejected]
        write_tables(folder, rows, shards=shards, quarantine=quarantine, description=description)
        if "text" in maker.suffixes:
            save_grammar(maker.annotators.grammar, folder / GRAMMAR)
        write_examples(Dataset.open(folder), folder / "examples.png")
    write_card(Dataset.open(workspace.dataset), workspace.data_card)
    workshop.settle({made[n].digest: (shard_name(n), shard.sha256) for n, shard in shards.items()})
    return Outcome(
        metrics={
            "num_images": float(len(rows)),
            "num_quarantined": float(len(found.rejected)),
            "num_shards": float(len(made)),
            "num_shards_made": float(sum(shard.is_new for shard in made.values())),
        },
        num_quarantined=len(found.rejected),
        pictures=[workspace.dataset / "examples.png", workspace.data_card],
    )
