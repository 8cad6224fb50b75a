"""Processes that go on when who started them is gone."""

import subprocess
import sys
from pathlib import Path

PRINTING = """
import os, stat, sys, time
from pathlib import Path
from tedigan.processes import outlive_readers

if sys.argv[2] == "outlives":
    outlive_readers()
print("here", flush=True)
sys.stdin.readline()
time.sleep(0.5)
print("still here", flush=True)
print("and here", file=sys.stderr, flush=True)
Path(sys.argv[1]).write_text("went on")
"""


def went_on(path: Path, how: str) -> bool:
    """Whether the process above ended its work although nobody read it any more."""
    process = subprocess.Popen(
        [sys.executable, "-c", PRINTING, str(path), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said, complained, told = process.stdout, process.stderr, process.stdin
    assert said is not None
    assert complained is not None
    assert told is not None
    assert said.readline() == "here\n"
    said.close()
    complained.close()
    told.write("\n")
    told.close()
    status = process.wait(timeout=30)
    assert (status == 0) == path.exists()
    return path.exists()


def test_a_process_outlives_who_read_it(tmp_path: Path) -> None:
    assert went_on(tmp_path / "done", "outlives")
    assert not went_on(tmp_path / "undone", "does not")
