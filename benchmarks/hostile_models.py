"""What `tedigan models` makes of folders and files that hurt: status, time, memory, message; a row each.

python -m benchmarks.hostile_models [KIND]

Each input is made by code (tests/models/hostile_folders.py, seldom_files.py) and looked at in a process of its
own, a fork that has imported all, which may take 60 s and 8 GB; CPU and memory are what it took beyond that. Of
what is taken, the message begins behind the licence.
"""

import argparse
import contextlib
import io
import json
import os
import resource
import signal
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tedigan.__main__ import main as command_line
from tests.models.hostile_folders import ALL, Hostile, whole_model
from tests.models.seldom_files import SELDOM

INPUTS = ALL | SELDOM
MAX_SECONDS, MAX_BYTES = 60, 8 * 2**30


class Row(NamedTuple):
    """What came of one input; seconds of CPU, MiB beyond the imports."""

    kind: str
    name: str
    outcome: str
    seconds: float
    mib: int
    message: str


def look_at(kind: str, hostile: Hostile, folder: Path) -> Row:
    """Make one input and give it to the command line."""
    path = hostile.make(whole_model(folder / "model"))
    into = [str(folder / "imported")] if hostile.action == "import" else []
    return Row(
        kind, hostile.name, *forked(["models", hostile.action, str(path), *into, *hostile.options])
    )


def forked(arguments: list[str]) -> tuple[str, float, int, str]:
    """outcome, seconds of CPU, MiB beyond what was there, and what was said, of one command in a fork."""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        os.close(reading)
        with os.fdopen(writing, "w") as file:
            json.dump(_watched(arguments), file)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        told = file.read()
    _, status = os.waitpid(child, 0)
    return tuple(json.loads(told)) if told else (f"died ({status})", float(MAX_SECONDS), 0, "")


def _watched(arguments: list[str]) -> list[object]:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    signal.alarm(MAX_SECONDS)  # of a clock, where it waits
    Path("/proc/self/clear_refs").write_text("5")  # the peak of memory is measured from here
    before, begin = _peak_kib(), os.times()
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            outcome = {0: "taken", 1: "refused"}[command_line(arguments)]
        except BaseException as error:
            outcome = type(error).__name__
            said.write(str(error))
    end = os.times()
    seconds = end.user + end.system - begin.user - begin.system
    return [outcome, seconds, (_peak_kib() - before) // 1024, said.getvalue().strip()]


def _peak_kib() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kind", nargs="?", choices=[*INPUTS])
    chosen = parser.parse_args().kind
    print("| kind | input | outcome | CPU s | MiB | message |\n|---|---|---|---|---|---|")
    for kind, inputs in INPUTS.items():
        for hostile in inputs if chosen in (None, kind) else []:
            with tempfile.TemporaryDirectory() as folder:
                row = look_at(kind, hostile, Path(folder))
            raw = "raw escapes; " if any(c in row.message for c in "\x1b\x9b\x07\u202e") else ""
            said = row.message.replace(folder, "").rpartition("Licence: ")[2].replace("\n", " ")
            said = "".join(filter(str.isprintable, said)).replace("|", "/")
            said = f"{raw}{len(row.message)} characters: {said[:90]}"
            print(
                f"| {row.kind} | {row.name} | {row.outcome} | {row.seconds:.1f} | {row.mib} | {said} |"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
