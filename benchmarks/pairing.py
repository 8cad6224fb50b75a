"""Cells measured in turn, round after round, each in a process of its own; medians and paired ratios."""

import datetime
import json
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass
class Cell:
    """One row: its name and the worker's arguments. runs: what the worker said, a round each."""

    name: str
    command: Sequence[str]
    runs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rates(self) -> list[float]:
        """Images per second of each round, by its median call."""
        return [run["images"] / statistics.median(run["wall_s"]) for run in self.runs]

    @property
    def rate(self) -> float:
        """Median over the rounds."""
        return statistics.median(self.rates)


def run_in_turn(cells: Sequence[Cell], *, rounds: int, most_s: float | None = None) -> None:
    """A B C, A B C, ...: a machine whose speed drifts treats all cells alike.

    most_s: seconds that a cell may take. SystemExit for one that takes longer, or fails.
    """
    for index in range(rounds):
        for cell in cells:
            command = [sys.executable, "-W", "ignore", "-m", *cell.command]
            try:
                done = subprocess.run(
                    command, capture_output=True, text=True, check=False, timeout=most_s
                )
            except subprocess.TimeoutExpired as error:
                raise SystemExit(
                    f"error: {cell.name} took more than {most_s:.0f} s and was ended"
                ) from error
            lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
            if done.returncode or not lines:
                raise SystemExit(f"error: {cell.name} failed:\n{done.stderr[-2000:]}")
            cell.runs.append(json.loads(lines[-1].removeprefix("RESULT ")))
            print(f"round {index + 1}/{rounds}  {cell.name}", file=sys.stderr, flush=True)


def best(cells: Sequence[Cell]) -> Cell:
    """The fastest by its median: a side at its own best batch."""
    return max(cells, key=lambda cell: cell.rate)


def ratio(ours: Cell, theirs: Cell) -> tuple[float, float, float]:
    """Median, least and largest of ours / theirs, round by round."""
    pairs = [a / b for a, b in zip(ours.rates, theirs.rates, strict=True)]
    return statistics.median(pairs), min(pairs), max(pairs)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    lines = ["| " + " | ".join(row) + " |" for row in [columns, ["---"] * len(columns), *rows]]
    return "\n".join(lines)


def save(name: str, cells: Sequence[Cell], text: str) -> Path:
    """`results/<date>-<name>.json` with every run, the machine and the table that is printed."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.date.today().isoformat()}-{name}.json"
    content = {
        "machine": machine(),
        "table": text.splitlines(),
        "cells": {
            cell.name: {"command": [_placeless(word) for word in cell.command], "runs": cell.runs}
            for cell in cells
        },
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def _placeless(word: str) -> str:
    """An argument without the folders of the machine that ran it."""
    return Path(word).name if Path(word).is_absolute() else word


def machine() -> dict[str, Any]:
    """What the figures depend on; no name, no address."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return {
        "cpu": next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "?"),
        "isa": [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags],
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }
