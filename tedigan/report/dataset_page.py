"""A data set's page for people: what it is, where each part comes from, what was set aside, how it looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tedigan.report.rendering import render


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
    description: Mapping[str, Any],
    numbers: CardNumbers,
    examples: Sequence[Example],
    *,
    knows_people: bool,
    is_grouped: bool = False,
) -> str:
    """description: what dataset.json holds, and `demonstrations`: kind -> why it is one.

    knows_people: whether somebody said who is who. is_grouped: whether, where nobody did, a descriptor guessed.
    """
    return render(
        "dataset_page.html",
        description=description,
        numbers=numbers,
        facts=_facts(description),
        attributes=sorted(numbers.attributes.items(), key=lambda pair: (-pair[1], pair[0])),
        problems=_by_problem(numbers.quarantine),
        examples=examples,
        knows_people=knows_people,
        is_grouped=is_grouped,
    )


def _facts(description: Mapping[str, Any]) -> dict[str, object]:
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
    return shown


def _by_problem(
    quarantine: Sequence[tuple[str, str, str]],
) -> list[tuple[str, list[tuple[str, str]]]]:
    """(problem, its records as (name, reason)), the most frequent first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, problem, reason in quarantine:
        found.setdefault(problem, []).append((name, reason))
    return sorted(found.items(), key=lambda pair: -len(pair[1]))
