"""Reads every file of a folder in a bare process that is watched; prints what came of each as JSON.

python -m tests.foreign.watched_reader FOLDER [--unpickle]

No test hook checks types here. An audit hook notes what a file makes Python do besides opening the
file itself, the address space may grow by 400 MiB, and each outcome comes with its processor time.
--unpickle reads with Python's own pickle instead, to show that the watch sees something.
"""

import json
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from tedigan.errors import TediganError
from tedigan.foreign.nvidia import network_config, read_nvidia_pickle
from tedigan.foreign.pickles.torch_files import read_torch_file

MAX_GROWTH = 400 * 2**20
WATCHED = {"exec", "compile", "import", "pickle.find_class", "code.__new__", "marshal.loads"}
WATCHED_PARTS = ("os.", "subprocess.", "socket.", "ctypes.", "shutil.", "urllib.", "tempfile.")

events: list[str] = []
allowed: list[str] = []


def watch(event: str, args: tuple[Any, ...]) -> None:
    """Note an event while a file is read."""
    if not allowed or (event == "open" and str(args[0]) in allowed):
        return
    if event == "open" or event in WATCHED or event.startswith(WATCHED_PARTS):
        events.append(event)


def read_everything(path: Path) -> None:
    """Read a file, copy all tensors out of it, and describe NVIDIA's generators."""
    if path.suffix == ".pkl":
        for key, network in read_nvidia_pickle(path).items():
            if key.startswith("G"):
                network_config(network)
        return
    file = read_torch_file(path)
    for sections in _sections(file.content):
        file.state_dict(*sections)


def _sections(content: dict[str, Any], place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield place
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _sections(value, (*place, key))


def unpickle(path: Path) -> None:
    """What this project never does."""
    with path.open("rb") as file:
        pickle.load(file)


def outcome_of(
    path: Path, read: Callable[[Path], None] = read_everything
) -> tuple[str, float, list[str]]:
    """Return what came of a file, seconds of processor time, and what was seen meanwhile."""
    began = time.process_time()
    allowed.append(str(path))
    try:
        read(path)
        outcome = "read"
    except TediganError as error:
        outcome = f"refused: {type(error).__name__}: {error}"
    except BaseException as error:
        outcome = f"escaped: {error!r}"
    allowed.clear()
    seen = list(events)
    events.clear()
    return outcome, time.process_time() - began, seen


def peak_kib() -> int:
    """Return the most memory that this process has held."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


def start_watch() -> None:
    """Read an honest file, so that what Python imports late is there; then watch and limit memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "warm.pt"
        torch.save({"a": torch.ones(2), "b": torch.ones(2, dtype=torch.bool)}, path)
        read_everything(path)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MAX_GROWTH, size + MAX_GROWTH))
    sys.addaudithook(watch)


def read_all(folder: Path, files: dict[str, bytes], *options: str) -> dict[str, Any]:
    """Write the files and read them in a process that is watched; outcomes come under their names."""
    for index, data in enumerate(files.values()):
        (folder / f"{index:03}.pt").write_bytes(data)
    command = [sys.executable, "-m", "tests.foreign.watched_reader", str(folder), *options]
    root = Path(__file__).parents[2]
    run = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=root)
    assert run.returncode == 0, run.stderr
    result: dict[str, Any] = json.loads(run.stdout)
    result["outcomes"] = dict(zip(files, result["outcomes"].values(), strict=True))
    return result


def main() -> None:
    """Read the files of the folder named on the command line."""
    start_watch()
    start, outcomes = peak_kib(), {}
    for path in sorted(Path(sys.argv[1]).iterdir()):
        outcomes[path.name] = outcome_of(
            path, unpickle if "--unpickle" in sys.argv else read_everything
        )
    print(json.dumps({"outcomes": outcomes, "peak_kib": peak_kib() - start}))


if __name__ == "__main__":
    main()
