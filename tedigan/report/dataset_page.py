"""A data set's page for people: what it is, where each part comes from, what was set aside, how it looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tedigan.report.charts import scale_bar
from tedigan.report.frame import frame
from tedigan.report.markup import escape, facts, figure, section, table

NAMED_PER_PROBLEM = 5
NAVIGATION = {
    "facts": "Facts",
    "kinds": "What is in it",
    "splits": "Splits",
    "attributes": "Attributes",
    "quarantine": "Set aside",
    "examples": "Examples",
}


@dataclass(frozen=True)
class Example:
    """One record: a picture file of each kind, and its captions."""

    id: int
    pictures: Mapping[str, bytes]
    captions: Sequence[str]


@dataclass(frozen=True)
class CardNumbers:
    """What is counted for the page.

    sizes: kind -> bytes of all its files, in reading order. people: split -> people in it. attributes:
    name -> how many records have it. quarantine: (name, problem, reason) of what was set aside.
    """

    sizes: Mapping[str, int]
    people: Mapping[str, int]
    attributes: Mapping[str, int]
    quarantine: Sequence[tuple[str, str, str]]


def data_card(
    description: Mapping[str, Any], numbers: CardNumbers, examples: Sequence[Example]
) -> str:
    """description: what dataset.json holds."""
    num_images = description["num_images"]
    body = (
        _facts(description)
        + _kinds(description, numbers, num_images)
        + _splits(description, numbers)
        + _attributes(numbers, num_images)
        + _quarantine(description, numbers)
        + _examples(examples)
    )
    return frame(
        title=f"Data set: {num_images:,} faces",
        about="Made by the stage `dataset`; every figure here is counted from the data set itself.",
        cards=_cards(description, numbers),
        navigation=NAVIGATION,
        body=body,
        footer=description["licence"],
    )


def _cards(description: Mapping[str, Any], numbers: CardNumbers) -> str:
    shown = {
        "faces": description["num_images"],
        "people": sum(numbers.people.values()),
        "kinds of file": len(description["kinds"]),
        "set aside": len(numbers.quarantine),
    }
    cards = "".join(
        f'<div class="card"><b>{value:,}</b><span>{escape(name)}</span></div>'
        for name, value in shown.items()
    )
    return f'<div class="cards">{cards}</div>'


def _facts(description: Mapping[str, Any]) -> str:
    captions = description["captions_per_image"]
    shown = {
        "source": description["source"],
        "licence": description["licence"],
        "resolution": f"{description['resolution']} px",
        "captions": "as the source has them" if captions is None else f"{captions} a face",
        "identities": description["identities"],
        "split by": description["split"],
        "seed": description["seed"],
        "shards": f"{len(description['shards'])}, of {description['records_per_shard']:,} ids each",
    }
    if "text" not in description["kinds"]:
        del shown["captions"]
    return section("facts", "Facts", "What the data set was made from, and how.", facts(shown))


def _kinds(description: Mapping[str, Any], numbers: CardNumbers, num_images: int) -> str:
    rows = [
        [
            f"<b>{escape(kind)}</b>",
            escape(description["kinds"][kind]),
            escape(description["origin"][kind]),
            f"{num_bytes / 2**20:,.1f} MiB",
            f"{num_bytes / num_images / 2**10:,.1f} KiB",
        ]
        for kind, num_bytes in numbers.sizes.items()
    ]
    lead = "One file of each kind for every face. What is predicted says by which model."
    columns = ["kind", "format", "origin", "in all", "a face"]
    return section("kinds", "What is in it", lead, table(columns, rows))


def _splits(description: Mapping[str, Any], numbers: CardNumbers) -> str:
    sizes = description["num_per_split"]
    rows = [
        [
            escape(split),
            f"{count:,}",
            f"{numbers.people.get(split, 0):,}",
            _bar(count, sum(sizes.values())),
        ]
        for split, count in sizes.items()
    ]
    lead = "No person is in two splits."
    return section("splits", "Splits", lead, table(["split", "faces", "people", "share"], rows))


def _attributes(numbers: CardNumbers, num_images: int) -> str:
    if not numbers.attributes:
        lead = "Nothing is known of these faces but their pictures."
        return section("attributes", "Attributes", lead, "")
    by_count = sorted(numbers.attributes.items(), key=lambda pair: (-pair[1], pair[0]))
    rows = [
        [escape(name), f"{count:,}", f"{count / num_images:.1%}", _bar(count, num_images)]
        for name, count in by_count
    ]
    lead = "How many faces have each attribute: what is rare is hard to learn and to judge."
    columns = ["attribute", "faces", "of all", "share"]
    return section("attributes", "Attributes", lead, table(columns, rows))


def _quarantine(description: Mapping[str, Any], numbers: CardNumbers) -> str:
    by_problem: dict[str, list[tuple[str, str]]] = {}
    for name, problem, reason in numbers.quarantine:
        by_problem.setdefault(problem, []).append((name, reason))
    rows = [
        [escape(problem), f"{len(found):,}", "".join(map(_named, found[:NAMED_PER_PROBLEM]))]
        for problem, found in sorted(by_problem.items(), key=lambda pair: -len(pair[1]))
    ]
    lead = (
        f"Records that were checked and left out, the first {NAMED_PER_PROBLEM} of each problem by name; "
        "quarantine.csv names them all."
    )
    body = (
        table(["problem", "records", "such as"], rows) if rows else _none("Nothing was set aside.")
    )
    if description["noted"]:
        body += f"<h3>Kept, but unusual</h3>{facts(description['noted'])}"
    return section("quarantine", "Set aside", lead, body)


def _named(found: tuple[str, str]) -> str:
    name, reason = found
    return f"<b>{escape(name)}</b><small>{escape(reason)}</small>"


def _examples(examples: Sequence[Example]) -> str:
    body = ""
    for example in examples:
        shown = "".join(figure(content, kind) for kind, content in example.pictures.items())
        said = "".join(f"<li>{escape(caption)}</li>" for caption in example.captions)
        body += f'<h3>{example.id}</h3><div class="faces">{shown}</div><ol>{said}</ol>'
    return section(
        "examples", "Examples", "The first records, whole.", body or _none("There is none.")
    )


def _bar(count: int, total: int) -> str:
    return f'<div class="scale">{scale_bar(count / max(1, total), 0.0, 1.0)}</div>'


def _none(words: str) -> str:
    return f'<p class="empty">{escape(words)}</p>'
