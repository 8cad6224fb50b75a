"""The dataset stage: drawn faces or photographs -> a data set in the MM-CelebA-HQ layout."""

import multiprocessing
import os
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import torch

from tedigan import params
from tedigan.data.attributes import ATTRIBUTE_NAMES, format_attributes, parse_attributes
from tedigan.data.labels import labels_to_colours
from tedigan.data.splits import check_apart, split_as_published, split_by_identity
from tedigan.errors import AttributeFileError, DataError
from tedigan.stages.outcome import Outcome, Workspace
from tedigan.stages.progress import progress
from tedigan.stages.records import (
    DrawnMaker,
    PhotographMaker,
    Recipe,
    Record,
    Rejected,
    make_in_worker,
    start_worker,
)
from tedigan.store import pictures
from tedigan.store.datasets import Dataset, DatasetWriter, Entry
from tedigan.store.files import finished_folder
from tedigan.store.objects import open_bucket
from tedigan.store.sources import Source, open_source

_DRAWN_LICENCE = "Drawn by this project; no person is depicted. Free to use under its licence."
_PHOTOGRAPH_LICENCE = (
    "CelebAMask-HQ: non-commercial research and education only (MMLab, CUHK). Do not redistribute."
)
_NUM_DRAWN = 3000
_NUM_EXAMPLES = 8
_CHUNK = 256  # records in flight; bounds memory
_FEW = 64  # records that are not worth worker processes


def run(workspace: Workspace) -> Outcome:
    """Write `dataset/` whole or not at all; equal sources and params give equal bytes."""
    section = workspace.params.dataset
    recipe = Recipe(
        resolution=section.resolution,
        image_format=section.image_format,
        captions_per_image=section.captions_per_image,
        seed=section.seed,
    )
    maker, ids = _maker(workspace, recipe)
    with finished_folder(workspace.dataset) as folder:
        entries, rejected = _write(folder, section, maker, ids)
        _write_examples(Dataset.open(folder), folder / "examples.png")
    return Outcome(
        metrics={
            "num_images": float(len(entries)),
            "num_quarantined": float(len(rejected)),
        },
        num_quarantined=len(rejected),
        pictures=[workspace.dataset / "examples.png"],
    )


def _maker(workspace: Workspace, recipe: Recipe) -> tuple[DrawnMaker | PhotographMaker, list[int]]:
    """Who makes the records, and the ids to try in order."""
    section = workspace.params.dataset
    if section.source == "drawn":
        return DrawnMaker(recipe), list(range(section.num_images or _NUM_DRAWN))
    source = open_source(
        section.source,
        root=workspace.root,
        open_bucket=lambda uri: open_bucket(uri, cache=workspace.work / "cache"),
    )
    maker = PhotographMaker(recipe, source, _attributes_by_number(source))
    return maker, sorted(source.photographs)


def _attributes_by_number(source: Source) -> dict[int, tuple[bool, ...]]:
    """The attribute rows by photograph number; the file may say 7.jpg, 00007.jpg or 7.webp."""
    rows: dict[int, tuple[bool, ...]] = {}
    for name, row in parse_attributes(source.attribute_text).items():
        stem = Path(name).stem
        if not stem.isdecimal():
            raise AttributeFileError(
                f"the attribute file names {name!r}; expected a number such as 7.jpg. Rename it."
            )
        if int(stem) in rows:
            raise AttributeFileError(
                f"the attribute file has two rows for {int(stem)}. Remove one."
            )
        rows[int(stem)] = tuple(row.tolist())
    return rows


def _write(
    folder: Path,
    section: params.Dataset,
    maker: DrawnMaker | PhotographMaker,
    ids: list[int],
) -> tuple[list[Entry], list[Rejected]]:
    """Make and write records until `num_images` are valid, then the tables."""
    kept: list[Record] = []
    rejected: list[Rejected] = []
    wanted = min(section.num_images or len(ids), len(ids))
    packing = {"packing": section.packing, "image_format": section.image_format}
    with (
        DatasetWriter(folder, **packing, has_labels=maker.has_labels) as writer,
        closing(_make_all(maker, ids, wanted)) as made,
        progress(total=wanted, desc="dataset", unit="face") as bar,
    ):
        for record in made:
            if isinstance(record, Rejected):
                rejected.append(record)
                continue
            writer.add(
                record.id,
                image=record.image,
                text=record.text,
                sketch=record.sketch,
                label=record.label,
            )
            kept.append(_without_files(record))
            bar.update()
            if len(kept) == wanted:
                break
        _refuse_empty(kept, rejected)
        entries = _entries(kept, section)
        names = {record.id: f"{record.id}.{section.image_format}" for record in kept}
        writer.finish(
            entries,
            attributes=format_attributes({names[r.id]: torch.tensor(r.attributes) for r in kept}),
            quarantine=[(item.source_name, item.reason) for item in rejected],
            description=packing | _description(section, maker),
        )
    return entries, rejected


def _make_all(
    maker: DrawnMaker | PhotographMaker, ids: list[int], wanted: int
) -> Generator[Record | Rejected, None, None]:
    """Records in the order of ids; by one worker process a core if there are more than a few."""
    if wanted <= _FEW:
        yield from map(maker.make, ids)
        return
    with ProcessPoolExecutor(
        len(os.sched_getaffinity(0)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=start_worker,
        initargs=(maker,),
    ) as pool:
        for start in range(0, len(ids), _CHUNK):
            yield from pool.map(make_in_worker, ids[start : start + _CHUNK], chunksize=8)


def _without_files(record: Record) -> Record:
    """The record's row of the tables alone, so that a large data set does not fill the memory."""
    row = (record.id, record.source_name, record.identity, record.partition, record.attributes)
    return Record(*row, image=b"", sketch=b"", label=None, text="")


def _refuse_empty(kept: list[Record], rejected: list[Rejected]) -> None:
    if not kept:
        raise DataError(
            f"no valid record remains of {len(rejected)}; the first was refused because: "
            f"{rejected[0].reason if rejected else 'there was none'}"
        )


def _entries(records: list[Record], section: params.Dataset) -> list[Entry]:
    """The index, each photograph in its split."""
    identities = {record.id: record.identity for record in records}
    partitions = {record.id: record.partition for record in records}
    if any(partitions.values()):
        splits = split_as_published(partitions, identities, seed=section.seed)
    else:
        splits = split_by_identity(
            identities,
            val_fraction=section.val_fraction,
            test_fraction=section.test_fraction,
            seed=section.seed,
        )
    check_apart(splits, identities)
    return [Entry(r.id, splits[r.id], r.identity, r.source_name) for r in records]


def _description(section: params.Dataset, maker: DrawnMaker | PhotographMaker) -> dict[str, Any]:
    """dataset.json without its counts; where the source lies is left out, as it says nothing of it."""
    is_drawn = isinstance(maker, DrawnMaker)
    has_identities = isinstance(maker, DrawnMaker) or maker.source.people is not None
    return {
        "attribute_names": list(ATTRIBUTE_NAMES),
        "captions_per_image": section.captions_per_image,
        "has_labels": maker.has_labels,
        "identities": "of the source" if has_identities else "one per photograph",
        "licence": _DRAWN_LICENCE if is_drawn else _PHOTOGRAPH_LICENCE,
        "resolution": section.resolution,
        "seed": section.seed,
        "source": "drawn" if is_drawn else "photographs",
    }


def _write_examples(dataset: Dataset, path: Path) -> None:
    """The first records as columns: photograph, sketch, and label map where there is one."""
    ids = dataset.ids[:_NUM_EXAMPLES]
    rows = [dataset.pixels(ids), dataset.sketches(ids).expand(-1, 3, -1, -1)]
    if dataset.has_labels:
        rows.append(labels_to_colours(dataset.labels(ids)))
    pictures.save(path, pictures.grid(torch.cat(rows), columns=len(ids)))
