"""The run record: when, where and of what a stage ran, and the ids under which others know the run.

    <work>/runs/<utc>-<stage>.json

One record per run, failed ones included. It links the Prefect, MLflow and DVC ids, and it is the only
place for times, hosts and commits: a stage's outputs hold none, or DVC would see every run as new.
"""

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tedigan.errors import StoreError
from tedigan.store.files import read_json, sha256_value, write_json

CHECKOUT = Path(__file__).resolve().parents[1]
PACKAGES = ["tedigan", "torch", "numpy", "pillow", "transformers"]


class RunRecord:
    """A run record on the disk; every `add` rewrites it whole."""

    def __init__(self, path: Path) -> None:
        """path: the record's file; it need not exist yet."""
        self.path = path

    def add(self, **facts: Any) -> None:
        """Add or replace top-level facts; mappings are merged, so ids can come one by one."""
        content = read_json(self.path) if self.path.exists() else {}
        for name, value in facts.items():
            known = content.get(name)
            if isinstance(known, dict) and isinstance(value, dict):
                value = {**known, **value}
            content[name] = value
        write_json(self.path, _plain(content))


@contextmanager
def run_record(
    folder: Path, *, stage: str, code: str, params: Any, ids: Mapping[str, str | None]
) -> Iterator[RunRecord]:
    """Open the record of a run that starts now; it says how the run ended, whichever way it ends.

    code: the digest of the code that runs, as code.lock has it. ids: under which others know it already.
    """
    started = _now()
    record = RunRecord(folder / f"{started:%Y%m%dT%H%M%S.%fZ}-{stage}.json")
    record.add(stage=stage, code=code, params=params, params_sha256=sha256_value(params))
    record.add(started=started.isoformat(), surroundings=surroundings())
    unknown = {"prefect_flow_run_id": None, "mlflow_run_id": None, "dvc_lock_sha256": None}
    record.add(ids=unknown | dict(ids))
    try:
        yield record
    except BaseException as error:
        said = f"{type(error).__name__}: {error}"
        with suppress(StoreError):  # as of a full disk: what ended the run is what is raised
            record.add(ended=_now().isoformat(), state="failed", error=said)
        raise
    record.add(ended=_now().isoformat(), state="finished")


def close_killed(folder: Path) -> list[dict[str, Any]]:
    """Say of every record without an end that its run was killed; what these records hold.

    For whoever has the workspace's turn (tedigan.turns), as then nobody else runs a stage there, and tells the
    tools that know these runs.
    """
    killed = []
    for path in sorted(folder.glob("*.json")):
        content = read_json(path)
        if "state" not in content:
            RunRecord(path).add(state="killed", ended=None)
            killed.append(content)
    return killed


def surroundings() -> dict[str, Any]:
    """Host, software and commit of this process, and what float bits depend on beside them."""
    import torch

    commit, is_dirty = git_commit()
    return {
        "host": platform.node(),
        "platform": platform.platform(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "num_threads": torch.get_num_threads(),
        "num_processes": int(os.environ.get("WORLD_SIZE", 1)),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "git_commit": commit,
        "git_dirty": is_dirty,
    }


def git_commit() -> tuple[str | None, bool | None]:
    """The checkout's commit and whether files differ from it.

    An image without a history names its commit in TEDIGAN_GIT_COMMIT; without either it is unknown.
    """
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return os.environ.get("TEDIGAN_GIT_COMMIT"), None
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return commit, None if changes is None else bool(changes)


def _git(*arguments: str) -> str | None:
    command = ["git", "-C", str(CHECKOUT), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None


def _now() -> datetime:
    return datetime.now(UTC)


def _plain(value: Any) -> Any:
    """JSON knows no Path."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
