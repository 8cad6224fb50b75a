"""What a data set's earlier or interrupted run left: findings about photographs, and finished shards.

A shard is known by the digest of all that its bytes depend on. While a run is under way its shards lie
in the work folder under that name; when the data set stands, they live in it alone, and a ledger says
which digest each had.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tedigan.store.files import sha256_file, write_json, write_text


class Workshop:
    """folder: below the work folder. finished: the data set that the last run ended with, if any."""

    def __init__(self, folder: Path, *, finished: Path) -> None:
        self._folder = folder
        self._finished = finished
        self._ledger: dict[str, dict[str, str]] = _read(folder / "ledger.json") or {}

    def findings(self, number: int) -> dict[str, Any]:
        """What was found out about the photographs of a shard; empty if nothing was."""
        return _read(self._folder / f"findings/{number:05d}.json") or {}

    def keep_findings(self, number: int, findings: Mapping[str, Any]) -> None:
        """Remember them."""
        text = json.dumps(findings, separators=(",", ":"), ensure_ascii=False)
        write_text(self._folder / f"findings/{number:05d}.json", text)

    def place(self, digest: str) -> Path:
        """Where a shard under way is to be written."""
        return self._folder / f"shards/{digest}.tar"

    def find(self, digest: str) -> Path | None:
        """The finished shard of this digest, of this run or in the finished data set."""
        if (path := self.place(digest)).is_file():
            return path
        known = self._ledger.get(digest)
        if known is None or not (path := self._finished / known["name"]).is_file():
            return None
        return path if sha256_file(path) == known["sha256"] else None

    def settle(self, shards: Mapping[str, tuple[str, str]]) -> None:
        """The data set stands: remember digest -> (name, sha256), and forget the shards under way."""
        ledger = {digest: {"name": n, "sha256": sha} for digest, (n, sha) in shards.items()}
        write_json(self._folder / "ledger.json", ledger)
        shutil.rmtree(self._folder / "shards", ignore_errors=True)


def link_or_copy(source: Path, target: Path) -> None:
    """The same bytes under a second name: without a second place on disk where that can be."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source = source.resolve()
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _read(path: Path) -> Any:
    """A JSON file of ours; None if it is absent or damaged, as it can be made again."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
