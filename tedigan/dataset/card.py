"""A finished data set -> examples.png and the page that says what it is."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

from tedigan.dataset.demonstration import demonstrations
from tedigan.dataset.folder import GROUPED, Dataset
from tedigan.dataset.splits import SPLITS
from tedigan.report.dataset_page import CardNumbers, Example, data_card
from tedigan.store import pictures
from tedigan.store.files import read_text, write_text
from tedigan.vocabulary.labels import labels_to_colours

NOBODY_KNOWS = (
    "unknown: one person may be in several splits, unless a table's column identity says who is who"
)
_NUM_EXAMPLES = 8
_MAX_PX = 256


def write_examples(dataset: Dataset, path: Path) -> None:
    """The first records as columns: a row for each kind of picture."""
    ids = dataset.ids[:_NUM_EXAMPLES]
    rows = {kind: _shown(dataset, kind, ids) for kind in dataset.kinds if kind != "text"}
    sheet = [
        _on_white(row) if kind == "cutout" else row.expand(-1, 3, -1, -1)
        for kind, row in rows.items()
    ]
    pictures.save(path, pictures.grid(torch.cat(sheet), columns=len(ids)))


def write_card(dataset: Dataset, path: Path) -> None:
    """The page; it lies beside the data set, so that its look is no part of the data."""
    ids = dataset.ids[:_NUM_EXAMPLES]
    rows = {kind: _shown(dataset, kind, ids) for kind in dataset.kinds if kind != "text"}
    examples = [
        Example(
            id,
            {kind: _small(row[place]) for kind, row in rows.items()},
            dataset.captions(id) if "text" in dataset.kinds else [],
        )
        for place, id in enumerate(ids)
    ]
    shown = dataset.description | {"demonstrations": demonstrations(dataset.description)}
    page = data_card(
        shown,
        numbers(dataset),
        examples,
        knows_people=dataset.knows_people,
        is_grouped=dataset.description.get("identities") == GROUPED,
    )
    write_text(path, page)


def facts_of(dataset: Dataset) -> dict[str, object]:
    """What a data set is, in a few lines."""
    description = dataset.description
    return {
        "faces": f"{len(dataset.ids):,} at {dataset.resolution} px",
        "source": description["source"],
        "kinds": ", ".join(f"{kind} ({description['origin'][kind]})" for kind in dataset.kinds),
        "attributes": len(dataset.attribute_names),
        "people": f"{len(dataset.identities(dataset.ids).unique()):,}"
        if dataset.knows_people
        else people_in_words(dataset.identities(dataset.ids).tolist()),
        "splits": ", ".join(f"{name} {len(dataset.split(name)):,}" for name in SPLITS),
        "set aside": ", ".join(f"{n} {p}" for p, n in description["quarantined"].items()) or "none",
        "licence": dataset.licence,
    } | {f"demonstration, {kind}": why for kind, why in demonstrations(dataset.description).items()}


def people_in_words(identities: Sequence[int]) -> str:
    """Of people whom nobody named; groups of like faces are below 0."""
    groups = Counter(who for who in identities if who < 0)
    if max(groups.values(), default=1) == 1:
        return NOBODY_KNOWS
    return (
        f"unknown: by their faces {len(groups):,} groups, of which each lies in one split unless the source's own "
        "lists part it; a person may be in several groups"
    )


def numbers(dataset: Dataset) -> CardNumbers:
    """Everything that the page counts."""
    sizes = dataset.index.sizes()
    attributes = dataset.attributes(dataset.ids).sum(0).tolist()
    return CardNumbers(
        sizes={kind: sizes[kind] for kind in dataset.kinds},
        people={name: len(dataset.identities(dataset.split(name)).unique()) for name in SPLITS},
        attributes=dict(zip(dataset.attribute_names, attributes, strict=True)),
        quarantine=read_quarantine(dataset.folder),
    )


def read_quarantine(folder: Path) -> list[tuple[str, str, str]]:
    """(name, problem, reason) of each record that was set aside."""
    rows = list(csv.reader(io.StringIO(read_text(folder / "quarantine.csv"))))
    return [(name, problem, reason) for name, problem, reason in rows[1:]]


def _shown(dataset: Dataset, kind: str, ids: list[int]) -> UInt8[Tensor, "n c h w"]:
    """Pictures of one kind as people look at them: label maps in their colours."""
    if kind == "label":
        return labels_to_colours(dataset.labels(ids))
    if kind == "sketch":
        return dataset.sketches(ids)
    return dataset.cutouts(ids) if kind == "cutout" else dataset.pixels(ids)


def _on_white(cutouts: UInt8[Tensor, "n 4 h w"]) -> UInt8[Tensor, "n 3 h w"]:
    alpha = cutouts[:, 3:].to(torch.float32) / 255
    return (cutouts[:, :3] * alpha + 255 * (1 - alpha)).round().to(torch.uint8)


def _small(pixels: UInt8[Tensor, "c h w"]) -> bytes:
    """A picture file, no larger than the page shows it."""
    size_px = min(_MAX_PX, pixels.shape[-1])
    return pictures.encode(pictures.resize(pixels, size_px), "webp")
