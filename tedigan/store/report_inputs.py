"""What the report reads beside models and data: tables, run records and dvc.lock."""

import csv
from pathlib import Path
from typing import Any

import yaml

from tedigan.errors import StoreError
from tedigan.store.files import read_json


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV that a stage wrote."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise StoreError(
            f"{path} cannot be read: {error}. Run the stage that makes it first."
        ) from None


def read_picture_file(path: Path) -> bytes:
    """A picture file's bytes, as they are."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error}. Run the stage report again.") from None


def last_runs(work: Path, stages: list[str]) -> list[dict[str, Any]]:
    """The last finished run record of each stage, in the order of `stages`."""
    last: dict[str, dict[str, Any]] = {}
    for path in sorted((work / "runs").glob("*.json")):
        record = read_json(path)
        if record.get("state") == "finished":
            last[record["stage"]] = record
    return [last[stage] for stage in stages if stage in last]


def locked_outputs(root: Path) -> dict[str, str]:
    """DVC's digest of each stage's outputs, as `stage: path` -> digest; empty without a dvc.lock."""
    path = root / "dvc.lock"
    if not path.is_file():
        return {}
    stages = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("stages", {})
    return {
        f"{stage}: {out['path']}": out.get("md5", "-")
        for stage, entry in stages.items()
        for out in entry.get("outs", [])
    }
