"""A survey's page: one file that asks, keeps where one is, and saves the answers; it loads and sends nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from tedigan.report.rendering import data_uri, render


def survey_page(
    *, digest: str, questions: Sequence[Mapping[str, Any]], pictures: Sequence[bytes]
) -> str:
    """One self-contained HTML text.

    questions: `kind`, `text` (None where none is shown) and `pictures`, by their numbers. pictures: PNGs.
    """
    shown = [data_uri(one) for one in pictures]
    asked = {"digest": digest, "questions": [*questions], "pictures": shown}
    return render("survey_page.html", survey=asked)
