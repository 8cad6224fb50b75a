"""The provenance section: digests of what was made, and the ids of the runs that made it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tedigan.report.markup import escape, facts, section, table

SHOWN_DIGITS = 12


def provenance(
    files: Mapping[str, str], records: list[dict[str, Any]], locked: Mapping[str, str]
) -> str:
    """files: sha256 by name. records: the last finished run of each stage. locked: DVC's digest by output."""
    lead = (
        "What is on this page can be traced: runs are named as Prefect and MLflow know them, files by sha256, "
        "outputs as dvc.lock records them."
    )
    runs = [_run(record) for record in records]
    columns = [
        "stage",
        "ended (UTC)",
        "took",
        "commit",
        "Prefect flow run",
        "MLflow run",
        "parameters",
    ]
    shown = table(columns, runs) if runs else '<p class="empty">No run records were found.</p>'
    body = f"<h3>Runs</h3>{shown}<h3>Files</h3>{_digests(files)}"
    if locked:
        body += f"<h3>Outputs in dvc.lock</h3>{_digests(locked)}"
    if records:
        around = records[-1].get("surroundings", {})
        packages = ", ".join(f"{k} {v}" for k, v in around.get("packages", {}).items())
        body += "<h3>Machine</h3>" + facts(
            {
                "platform": around.get("platform", "-"),
                "python": around.get("python", "-"),
                "packages": packages,
            }
        )
    return section("provenance", "Provenance", lead, body)


def _run(record: dict[str, Any]) -> list[str]:
    ids, around = record.get("ids", {}), record.get("surroundings", {})
    commit = (around.get("git_commit") or "")[:SHOWN_DIGITS]
    dirty = " + changes" if around.get("git_dirty") else ""
    return [
        f"<b>{escape(record['stage'])}</b>",
        escape(record.get("ended", "-")[:16].replace("T", " ")),
        _took(record),
        _code(commit) + dirty,
        _code(ids.get("prefect_flow_run_id")),
        _code(ids.get("mlflow_run_id")),
        _code((record.get("params_sha256") or "")[:SHOWN_DIGITS]),
    ]


def _took(record: dict[str, Any]) -> str:
    try:
        seconds = (
            datetime.fromisoformat(record["ended"]) - datetime.fromisoformat(record["started"])
        ).total_seconds()
    except (KeyError, ValueError):
        return "-"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _digests(files: Mapping[str, str]) -> str:
    return table(
        ["file", "digest"], [[escape(name), _code(digest)] for name, digest in files.items()]
    )


def _code(value: str | None) -> str:
    return f"<code>{escape(value)}</code>" if value else "-"
