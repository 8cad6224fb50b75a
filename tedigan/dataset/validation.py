"""Is a data set, or a source of photographs, what it should be? Every record is looked at, none is changed."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import torch

from tedigan.dataset.annotating import Helpers
from tedigan.dataset.build import examine, open_maker, set_aside
from tedigan.dataset.build_settings import BuildSettings
from tedigan.dataset.card import facts_of, people_in_words
from tedigan.dataset.dividing import splits_of
from tedigan.dataset.folder import Dataset
from tedigan.dataset.given_captions import check_captions
from tedigan.dataset.people import in_several_splits
from tedigan.dataset.source_records import PhotographMaker
from tedigan.dataset.sources import Source
from tedigan.dataset.splits import SPLITS, check_apart
from tedigan.dataset.workers import Workers
from tedigan.dataset.workshop import Workshop
from tedigan.errors import DataError, StoreError
from tedigan.progress import progress
from tedigan.store import pictures
from tedigan.store.listing import NOT_READ
from tedigan.store.shards import Span, read_shard
from tedigan.vocabulary.labels import check_labels

_DESCRIPTION = "dataset.json"


@dataclass(frozen=True)
class Problem:
    """Something that is wrong: of what, in a word or two, and in full."""

    name: str
    problem: str
    reason: str


@dataclass(frozen=True)
class Verdict:
    """facts: what was looked at, by name. problems: what is wrong with it.

    not_read: entries of a source that are left alone as they should be. noted: (name, what is unusual) of records
    that can be used.
    """

    facts: dict[str, object]
    problems: list[Problem]
    not_read: Sequence[Problem] = ()
    noted: Sequence[tuple[str, str]] = ()


def validate(
    place: str, settings: BuildSettings, helpers: Helpers, *, num_workers: int | None = None
) -> Verdict:
    """Look at a data set's folder, or at a source: a folder, a .tar or an s3:// prefix.

    settings, helpers: by which a data set would be made of a source; it goes through the gate of who makes one.
    """
    workers = num_workers or len(os.sched_getaffinity(0))
    if (Path(place) / _DESCRIPTION).is_file():
        return _validate_dataset(Path(place), workers)
    return _validate_source(place, settings, helpers, workers)


def _validate_source(
    place: str, settings: BuildSettings, helpers: Helpers, num_workers: int
) -> Verdict:
    """What `build_dataset` would set aside or refuse."""
    address = place if place.startswith("s3://") else str(Path(place).absolute())
    with tempfile.TemporaryDirectory(prefix="tedigan-") as work:
        cpu, cache = torch.device("cpu"), Path(work)
        maker, ids = open_maker(address, settings, helpers, root=cache, cache=cache, device=cpu)
        assert isinstance(maker, PhotographMaker), "an absolute path is no drawing"
        with Workers(maker, num_workers=num_workers) as workers:
            workshop = Workshop(cache, finished=cache)
            found = examine(workers, maker, ids, workshop, settings)
    problems = [Problem(*astuple(one)) for one in set_aside(found, maker)]
    wrong = [one for one in problems if one.problem != NOT_READ]
    splits: dict[int, str] = {}
    try:
        splits = splits_of(found, maker, settings)
    except DataError as error:
        wrong.append(Problem(place, "splits" if found.kept else "nothing left", str(error)))
    source = maker.source
    identities = {one.id: one.identity for one in found.kept}
    apart = in_several_splits(splits, identities)
    facts: dict[str, object] = {
        "layout": source.layout,
        "photographs": len(source.items),
        "fit to use": len(found.kept),
        "own kinds": ", ".join(sorted(source.kinds)) or "none beside the photographs",
        "attributes": len(source.attribute_names),
        "people": len(set(identities.values()))
        if maker.has_identities
        else people_in_words([*identities.values()]),
        **({"groups that the source's lists part": apart} if apart else {}),
        "splits": ", ".join(sorted(source.partitions)) or "not stated",
        **found.noted,
        **source.notes,
        **_listed(source),
    }
    noted = [(one.source_name, note) for one in found.kept for note in one.notes]
    return Verdict(facts, wrong, [one for one in problems if one.problem == NOT_READ], noted)


def _listed(source: Source) -> dict[str, int]:
    """Where a published list of the splits and the photographs differ."""
    facts = {}
    if (published := source.partitions.get("published")) is not None:
        facts["in no split"] = len(source.items.keys() - published.keys())
        facts["in a split, but absent"] = len(published.keys() - source.items.keys())
    return {name: count for name, count in facts.items() if count}


def _validate_dataset(folder: Path, num_workers: int) -> Verdict:
    """Tables, shards, then every file of every record."""
    dataset = Dataset.open(folder)
    problems = [*_check_tables(dataset), *_check_shards(dataset)]
    checker = RecordChecker(folder)
    with (
        Workers(checker, num_workers=num_workers) as workers,
        progress(total=len(dataset.ids), desc="validate", unit="face") as bar,
    ):
        for found in workers.each("check", dataset.ids):
            problems += found
            bar.update()
    return Verdict(facts_of(dataset), problems)


def _check_tables(dataset: Dataset) -> Iterator[Problem]:
    people = dict(zip(dataset.ids, dataset.identities(dataset.ids).tolist(), strict=True))
    try:
        check_apart(dict(zip(dataset.ids, dataset.index.splits, strict=True)), people)
    except DataError as error:
        yield Problem("index.parquet", "splits", str(error))
    counts = {name: len(dataset.split(name)) for name in SPLITS}
    if counts != dataset.description["num_per_split"]:
        yield Problem(
            _DESCRIPTION,
            "counts",
            f"announces the splits {dataset.description['num_per_split']}, but index.parquet has "
            f"{counts}. Make the data set again.",
        )


def _check_shards(dataset: Dataset) -> Iterator[Problem]:
    """Each shard has the bytes that dataset.json says, and the records that the index says."""
    rows = dataset.index.rows_of_shards()
    announced: list[Mapping[str, Any]] = dataset.description["shards"]
    for entry, number in zip(announced, sorted(rows), strict=True):
        try:
            shard = read_shard(dataset.folder / entry["name"])
        except DataError as error:
            yield Problem(entry["name"], "shard", str(error))
            continue
        if shard.sha256 != entry["sha256"]:
            yield Problem(
                entry["name"],
                "sha256",
                f"has the sha256 {shard.sha256[:12]}, dataset.json says {entry['sha256'][:12]}; it was "
                "changed. `dvc checkout` it, or make the data set again.",
            )
        indexed = {dataset.ids[row]: _spans(dataset, row) for row in rows[number]}
        if indexed != shard.spans:
            yield Problem(
                entry["name"],
                "index",
                "holds other records, or in other places, than index.parquet says. Make the data set "
                "again.",
            )


def _spans(dataset: Dataset, row: int) -> dict[str, Span]:
    return {kind: dataset.index.place(row, kind)[1] for kind in dataset.kinds}


class RecordChecker:
    """Looks at the files of one record after another; opens the data set where it is used."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._dataset: Dataset | None = None

    def check(self, id: int) -> list[Problem]:
        """What is wrong with the files of a record."""
        if self._dataset is None:
            self._dataset = Dataset.open(self._folder)
        problems = []
        for kind in self._dataset.kinds:
            try:
                _check_file(self._dataset, kind, id)
            except (DataError, StoreError) as error:
                problem = getattr(error, "problem", "file")
                problems.append(Problem(f"{kind} {id}", problem, str(error)))
        return problems


def _check_file(dataset: Dataset, kind: str, id: int) -> None:
    """DataError unless the file is of its kind and size."""
    content, name = dataset.read(kind, id), f"{kind} {id}"
    if kind == "text":
        _check_captions(content, name)
        return
    decoders = {"image": pictures.decode, "cutout": pictures.decode_cutout}
    decoded = decoders.get(kind, pictures.decode_map)(content, name=name)
    channels = {"image": (3,), "cutout": (4,)}.get(kind, ())
    if decoded.shape != (expected := (*channels, dataset.resolution, dataset.resolution)):
        raise DataError(
            f"{name} is {tuple(decoded.shape)}, expected {expected}. Make the data set again.",
            problem="size",
        )
    if kind == "label":
        check_labels(decoded)


def _check_captions(content: bytes, name: str) -> None:
    try:
        lines = content.decode().splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is not UTF-8: {error}. Make the data set again.") from error
    if not lines or not all(line.strip() for line in lines):
        raise DataError(
            f"{name} has {len(lines)} lines, one of them empty, or none; expected a caption a line. "
            "Make the data set again.",
            problem="captions",
        )
    check_captions(lines, name=name, may_repeat=True)
