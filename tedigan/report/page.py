"""The whole page: sections in reading order around one style sheet, allowed to load nothing."""

from collections.abc import Mapping
from typing import Any

from tedigan.report import sections
from tedigan.report.markup import escape
from tedigan.report.provenance import provenance
from tedigan.report.style import CSS

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
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
    links = "".join(f'<a href="#{key}">{title}</a>' for key, title in NAVIGATION.items())
    title = escape(summary["title"])
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
        '<link rel="icon" href="data:,">'
        f"<title>{title}</title><style>{CSS}</style></head><body><main>"
        f'<header><div class="kicker">TediGAN platform</div><h1>{title}</h1><p>{ABOUT}</p>'
        f"{sections.cards(summary['metrics'])}<nav>{links}</nav></header>{body}"
        f"<footer>{escape(summary['dataset']['facts'].get('licence', ''))}</footer>"
        "</main></body></html>\n"
    )
