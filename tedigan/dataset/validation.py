"""Is a data set, or a source of photographs, what it should be? Every record is looked at, none is changed."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tedigan.dataset.annotating import Annotators, open_grammar
from tedigan.dataset.card import facts_of
from tedigan.dataset.folder import Dataset
from tedigan.dataset.records import Recipe
from tedigan.dataset.source_records import PhotographMaker
from tedigan.dataset.sources import Source, open_source
from tedigan.dataset.splits import SPLITS, check_apart
from tedigan.dataset.survey import survey
from tedigan.dataset.workers import Workers
from tedigan.dataset.workshop import Workshop
from tedigan.errors import DataError, StoreError
from tedigan.progress import progress
from tedigan.store import pictures
from tedigan.store.shards import Span, read_shard
from tedigan.vocabulary.labels import check_labels

_DESCRIPTION = "dataset.json"
_AT_ONCE = 1000  # photographs of a source


@dataclass(frozen=True)
class Problem:
    """Something that is wrong: of what, in a word or two, and in full."""

    name: str
    problem: str
    reason: str


@dataclass(frozen=True)
class Verdict:
    """facts: what was looked at, by name. problems: what is wrong with it."""

    facts: dict[str, object]
    problems: list[Problem]


def validate(place: str, *, num_workers: int | None = None) -> Verdict:
    """Look at a data set's folder, or at a source: a folder, a .tar or an s3:// prefix."""
    workers = num_workers or len(os.sched_getaffinity(0))
    if (Path(place) / _DESCRIPTION).is_file():
        return _validate_dataset(Path(place), workers)
    return _validate_source(place, workers)


def _validate_source(place: str, num_workers: int) -> Verdict:
    """As the stage would check it; repeated photographs and contradictions are facts, not faults."""
    with tempfile.TemporaryDirectory(prefix="tedigan-") as work:
        source = open_source(place, root=Path(), cache=Path(work))
        recipe = Recipe(256, "png", 1, 0, tuple(sorted(source.kinds)))
        annotators = Annotators(open_grammar(None, columns=(), denial_share=None))
        maker = PhotographMaker(recipe, source, annotators, rejects_conflicts=False)
        with Workers(maker, num_workers=num_workers) as workers:
            found = survey(
                workers,
                sorted(source.items),
                Workshop(Path(work), finished=Path(work)),
                records_per_shard=_AT_ONCE,
                version="",
                partition=None,
                rejects_duplicates=False,
            )
    facts: dict[str, object] = {
        "layout": source.layout,
        "photographs": len(source.items),
        "fit to use": len(found.kept),
        "own kinds": ", ".join(sorted(source.kinds)) or "none beside the photographs",
        "attributes": len(source.attribute_names),
        "people": len(set((source.identities or {}).values())) or "not stated",
        "splits": ", ".join(sorted(source.partitions)) or "not stated",
        **found.noted,
        **source.notes,
        **_listed(source),
    }
    return Verdict(facts, [Problem(r.source_name, r.problem, r.reason) for r in found.rejected])


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
