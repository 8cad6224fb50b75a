"""The whole page: its sections in reading order."""

from collections.abc import Mapping
from typing import Any

from tedigan.report import sections
from tedigan.report.frame import frame
from tedigan.report.lineage import provenance

NAVIGATION = {
    "text": "Text to faces",
    "edits": "Edits",
    "inversion": "Inversion",
    "numbers": "Measurements",
    "training": "Training",
    "data": "Data",
    "provenance": "Provenance",
}
ABOUT = (
    "Faces drawn from sentences, and photographs edited by sentences, in the W+ space of a StyleGAN. "
    "Every number stands between what knowing nothing scores and what photographs score."
)


def page(
    summary: dict[str, Any],
    pictures: Mapping[str, bytes],
    records: list[dict[str, Any]],
    locked: Mapping[str, str],
) -> str:
    """summary: what the report stage writes. records, locked: see `provenance`."""
    body = (
        sections.texts(summary["texts"], pictures)
        + sections.edits(summary["edits"], pictures)
        + sections.reconstructions(summary["reconstructions"], pictures)
        + sections.measurements(summary["metrics"])
        + sections.curves(summary["curves"])
        + sections.dataset(summary["dataset"], pictures)
        + provenance(summary["files"], records, locked)
    )
    return frame(
        title=summary["title"],
        about=ABOUT,
        cards=sections.cards(summary["metrics"]),
        navigation=NAVIGATION,
        body=body,
        footer=summary["dataset"]["facts"].get("licence", ""),
    )
