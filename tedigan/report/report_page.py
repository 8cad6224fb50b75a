"""The report's page, from the summary, its pictures and the records of the runs."""

from collections.abc import Mapping
from typing import Any

from tedigan.report.charts import LineChart, line_chart
from tedigan.report.composed import HOLDS
from tedigan.report.layer_chart import layer_chart
from tedigan.report.lineage import machine, runs
from tedigan.report.measurements import headlines, measurements
from tedigan.report.rendering import render


def report_page(
    summary: dict[str, Any],
    pictures: Mapping[str, bytes],
    records: list[dict[str, Any]],
    locked: Mapping[str, str],
) -> str:
    """One self-contained HTML text.

    summary: what `write_summary` made. pictures: bytes by the names in it. records: the last finished run of each
    stage. locked: DVC's digest by output.
    """
    return render(
        "report_page.html",
        summary=summary,
        pictures=pictures,
        headlines=headlines(summary["metrics"] | summary["judged"]["metrics"]),
        measurements=measurements(summary["metrics"]),
        edit_measurements=measurements(summary["judged"]["metrics"]),
        holds=HOLDS,
        layers=layer_chart(summary["layers"]["attributes"]),
        curves=_curves(summary["curves"]),
        runs=runs(records),
        machine=machine(records),
        locked=locked,
    )


def _curves(models: dict[str, dict[str, Any]]) -> dict[str, list[LineChart]]:
    """Model -> its charts, of each number that was logged more than once."""
    charts = {
        name: [
            line_chart(column, series["steps"], series["values"])
            for column, series in log.items()
            if len(series["values"]) > 1
        ]
        for name, log in models.items()
    }
    return {name: drawn for name, drawn in charts.items() if drawn}
