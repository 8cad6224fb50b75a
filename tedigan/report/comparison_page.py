"""A comparison's page: every method's figures side by side, the best of each, and their pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

from tedigan.report.rendering import render


def comparison_page(
    protocol: Mapping[str, Any],
    methods: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    shown: bytes,
) -> str:
    """One self-contained HTML text.

    protocol: as its file holds it. rows: one a metric, with a cell a method. shown: the sheet, a PNG.
    """
    return render(
        "comparison_page.html", protocol=protocol, methods=[*methods], rows=rows, shown=shown
    )
