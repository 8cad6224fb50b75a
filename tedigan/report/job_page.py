"""A sealed job's page for people: what was asked for, what came of it, how it looks, and its digests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tedigan.report.charts import bar_chart, histogram
from tedigan.report.rendering import render

PARTS = ("models", "recipe", "environment", "files")  # of a plan, that have lists of their own
MEASURED = {
    "face_share": "Share of the picture that is face, %",
    "nearest_similarity": "Likeness to the nearest training photograph, cosine in %",
    "inversion_mse": "Mean squared error of the inversion, in hundredths",
}
SHOWN_ROWS = 5  # of each kind of row that can be no prompt


@dataclass(frozen=True)
class Shown:
    """An image. about: further words on what it was made of. lacks: why it is marked, in words."""

    image: int
    text: str
    about: str
    lacks: Sequence[str]
    picture: bytes


@dataclass(frozen=True)
class JobNumbers:
    """What is counted for the page.

    lacking, attempts: number -> images. reasons: kind of mark -> images. failed: why images could not be drawn ->
    how many. measured: column -> hundredths of its value -> images. agreements, quotas: rows with the fields
    that the template names; quotas is None where none were asked for. quarantine: kind of reason -> rows of the
    list and the first of them, each as (row, how it begins, reason).
    """

    num_marked: int
    is_judged: bool
    lacking: Mapping[int, int]
    attempts: Mapping[int, int]
    reasons: Mapping[str, int]
    failed: Mapping[str, int]
    measured: Mapping[str, Mapping[int, int]]
    agreements: Sequence[Any]
    quotas: Sequence[Any] | None
    quarantine: Mapping[str, tuple[int, Sequence[tuple[int, str, str]]]]


def job_page(
    plan: Mapping[str, Any],
    manifest: Mapping[str, Any],
    numbers: JobNumbers,
    sample: Sequence[Shown],
    worst: Sequence[Shown],
) -> str:
    """plan, manifest: what plan.json and sealed.json hold. sample: images chosen at random."""
    return render(
        "job_page.html",
        plan=plan,
        facts_of={
            "Plan": _facts({name: value for name, value in plan.items() if name not in PARTS}),
            "Recipe": _facts(plan["recipe"]),
            "Where its sample was drawn": _facts(plan["environment"]),
        },
        manifest=manifest,
        num_bytes=_num_bytes(manifest["shards"]),
        numbers=numbers,
        num_again=sum(count for attempt, count in numbers.attempts.items() if attempt > 1),
        num_quarantined=sum(count for count, _ in numbers.quarantine.values()),
        agreement=_agreement(numbers.agreements),
        charts=[
            bar_chart("Things of its prompt that a face lacks", numbers.lacking, first=0),
            bar_chart("Attempt that was kept", numbers.attempts, first=1),
        ],
        histograms=[
            histogram(MEASURED.get(name, name), counts)
            for name, counts in numbers.measured.items()
            if counts
        ],
        failed=_most_first(numbers.failed),
        reasons=_most_first(numbers.reasons),
        sample=sample,
        worst=worst,
        shown_rows=SHOWN_ROWS,
    )


def _most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _facts(values: Mapping[str, Any]) -> dict[str, object]:
    return {name.replace("_", " "): "-" if value == "" else value for name, value in values.items()}


def _num_bytes(shards: Iterable[Mapping[str, Any]]) -> int:
    return sum(one[piece]["num_bytes"] for one in shards for piece in ("tar", "table"))


def _agreement(rows: Iterable[Any]) -> float | None:
    """Over all things that prompts name and the guide looked for."""
    known = [row for row in rows if row.have is not None]
    asked = sum(row.wanted + row.unwanted for row in known)
    return sum(row.have + row.have_not for row in known) / asked if asked else None
