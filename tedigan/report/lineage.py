"""What the provenance section says of each run: when, how long, of which commit, under which ids."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

SHOWN_DIGITS = 12


@dataclass(frozen=True)
class Run:
    """A stage's last finished run. Digests are cut to SHOWN_DIGITS; what is not known is None or empty."""

    stage: str
    ended: str
    took: str
    commit: str
    is_dirty: bool
    prefect_flow_run: str | None
    mlflow_run: str | None
    params: str


def runs(records: list[dict[str, Any]]) -> list[Run]:
    """A row of the page for each run record."""
    return [_run(record) for record in records]


def machine(records: list[dict[str, Any]]) -> dict[str, str]:
    """Where the last of them ran; empty without any."""
    if not records:
        return {}
    around = records[-1].get("surroundings", {})
    packages = ", ".join(f"{k} {v}" for k, v in around.get("packages", {}).items())
    return {
        "platform": around.get("platform", "-"),
        "python": around.get("python", "-"),
        "packages": packages,
    }


def _run(record: dict[str, Any]) -> Run:
    ids, around = record.get("ids", {}), record.get("surroundings", {})
    return Run(
        stage=record["stage"],
        ended=record.get("ended", "-")[:16].replace("T", " "),
        took=_took(record),
        commit=(around.get("git_commit") or "")[:SHOWN_DIGITS],
        is_dirty=bool(around.get("git_dirty")),
        prefect_flow_run=ids.get("prefect_flow_run_id"),
        mlflow_run=ids.get("mlflow_run_id"),
        params=(record.get("params_sha256") or "")[:SHOWN_DIGITS],
    )


def _took(record: dict[str, Any]) -> str:
    try:
        seconds = (
            datetime.fromisoformat(record["ended"]) - datetime.fromisoformat(record["started"])
        ).total_seconds()
    except (KeyError, ValueError):
        return "-"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
