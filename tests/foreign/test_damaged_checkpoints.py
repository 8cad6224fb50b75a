"""Checkpoints damaged at random are read or refused, whatever their container."""

import subprocess
import sys
from pathlib import Path


def test_mutants_are_read_or_refused() -> None:
    """170 of each container; `python -m tests.foreign.fuzz_checkpoints` runs 10 000."""
    command = [sys.executable, "-m", "tests.foreign.fuzz_checkpoints", "--count", "170"]
    root = Path(__file__).parents[2]
    run = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=root)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("read") == 3
    assert "0 faults" in run.stdout
