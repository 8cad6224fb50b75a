"""A training stage in several processes: whoever asks for the stage, torchrun starts them.

    python -m torch.distributed.run --nproc-per-node N -m tedigan STAGE --workspace DIR

`runtime.num_processes` makes `python -m tedigan STAGE`, and so DVC and the flows, start that command and wait for
it. On several machines a person or Kubernetes starts it on each, upon one workspace that all of them see.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import torch

from tedigan import errors
from tedigan.errors import LostRankError, ParamsError, StoreError, TediganError
from tedigan.processes import asked_to_end, end_with
from tedigan.progress import be_quiet, tell
from tedigan.sections import TrainingStage
from tedigan.store.files import read_json, write_json
from tedigan.training import ranks
from tedigan.training.loop import stats_file
from tedigan.workspace import Outcome, Workspace

PARENT = "TEDIGAN_PARENT"  # for whom the ranks train, where `start` started them
LOOK_EVERY_S = 0.2
SHUTDOWN_S = 120  # for a step and its checkpoint, when the run is asked to end


def num_processes(name: str, workspace: Workspace) -> int:
    """How many a stage shall have; 1 for what does not train. ParamsError where they cannot share its batch."""
    wanted = {str(key): num for key, num in workspace.params.runtime.num_processes.items()}
    num, section = wanted.get(name, 1), getattr(workspace.params, name)
    if num == 1 or _adopts(section):
        return 1
    for key, size in section.model_dump().items():
        if key.endswith("batch_size") and key != "pairs_batch_size" and size % num:
            raise ParamsError(
                f"{name}.{key} is {size}, which {num} processes cannot share evenly (runtime.num_processes); "
                f"expected a multiple of {num}. Correct one of them."
            )
    return num


def run(name: str, workspace: Workspace, stage: Callable[[Workspace], Outcome]) -> Outcome:
    """Run the stage here, or in as many processes as it shall have."""
    num = 1 if ranks.is_started() else num_processes(name, workspace)
    return stage(workspace) if num == 1 else start(name, workspace, num)


def surroundings(name: str, workspace: Workspace) -> dict[str, int]:
    """What the run record says of other processes that will train; nothing where this one does."""
    num = 1 if ranks.is_started() else num_processes(name, workspace)
    return {} if num == 1 else {"num_processes": num, "num_threads": _num_threads(num)}


def _num_threads(num: int) -> int:
    """Of each of `num` processes: what somebody chose, or their part of this one's."""
    chosen = os.environ.get("OMP_NUM_THREADS", "")
    return int(chosen) if chosen.isdecimal() else max(1, torch.get_num_threads() // num)


def start(name: str, workspace: Workspace, num: int) -> Outcome:
    """Run the stage in `num` processes of this machine, and tell on what they tell."""
    place = _place(workspace, name)
    for earlier in place.glob("*.json"):
        earlier.unlink()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += [f"--nproc-per-node={num}", f"--shutdown-timeout={SHUTDOWN_S}"]
    command += ["-m", "tedigan", name, "--workspace", str(workspace.root)]
    given = os.environ | {"OMP_NUM_THREADS": str(_num_threads(num)), PARENT: str(os.getpid())}
    stats = stats_file(workspace.work, name)
    heard = stats.stat().st_size if stats.is_file() else 0
    with asked_to_end() as end:
        process = subprocess.Popen(command, env=given, start_new_session=True)  # noqa: S603
        try:
            while process.poll() is None and not end.is_asked:
                heard = _tell_on(stats, heard)
                time.sleep(LOOK_EVERY_S)
        finally:  # also where a flow is cancelled
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait()
    _tell_on(stats, heard)
    return _outcome(place, name)


def has_the_record() -> bool:
    """Whether this process runs the stage as a whole; False for one of those that `start` or torchrun started."""
    return not ranks.is_started() or (os.environ["RANK"] == "0" and PARENT not in os.environ)


@contextmanager
def joined(name: str, workspace: Workspace) -> Iterator[None]:
    """Within it, what torchrun started belongs to the others; another process is left as it is."""
    if not ranks.is_started():
        yield
        return
    if name not in get_args(TrainingStage):
        raise ParamsError(
            f"torchrun started the stage {name}, which runs in one process; expected one of "
            f"{', '.join(get_args(TrainingStage))}. Run it without."
        )
    for one in {os.getppid(), int(os.environ.get(PARENT, os.getppid()))}:
        end_with(one)
    if os.environ["RANK"] != "0":
        be_quiet()
    with _telling(workspace, name), ranks.joined(on_gpu=workspace.device.type == "cuda"):
        yield


def patience_s() -> float | None:
    """How long the stage waits for its turn: less than other processes wait for this one; None = for ever."""
    return ranks.TIMEOUT_S / 2 if ranks.is_started() else None


def take_part(name: str, workspace: Workspace) -> None:
    """What a process does that has not the record; the first one leaves for `start` what came of it."""
    if ranks.is_first() or not _adopts(getattr(workspace.params, name)):
        outcome: Outcome = importlib.import_module(f"tedigan.stages.{name}").run(workspace)
        write_json(_place(workspace, name) / "outcome.json", asdict(outcome) | _paths(outcome))


@contextmanager
def _telling(workspace: Workspace, name: str) -> Iterator[None]:
    """What ends this process is left for `start`, which sees no more than that torchrun failed."""
    try:
        yield
    except Exception as error:
        said = {"kind": type(error).__name__, "message": str(error)}
        with suppress(StoreError):  # as of a full disk, of which the error itself tells
            write_json(_place(workspace, name) / f"error-{os.environ['RANK']}.json", said)
        raise


def _place(workspace: Workspace, name: str) -> Path:
    return workspace.work / "ranks" / name


def _adopts(section: Any) -> bool:
    """Whether it takes a model as it is; one process does that."""
    return getattr(section, "init", None) is not None and not getattr(section, "total_nimg", 0)


def _paths(outcome: Outcome) -> dict[str, Any]:
    curves = None if outcome.curves is None else str(outcome.curves)
    return {"curves": curves, "pictures": list(map(str, outcome.pictures))}


def _outcome(place: Path, name: str) -> Outcome:
    """What the first rank said; else the error of who did not merely miss another one, or could not say it."""
    if (place / "outcome.json").is_file():
        said = read_json(place / "outcome.json")
        curves = None if said["curves"] is None else Path(said["curves"])
        return Outcome(**said | {"curves": curves, "pictures": list(map(Path, said["pictures"]))})
    found = [read_json(path) for path in sorted(place.glob("error-*.json"))]
    own = [one for one in found if one["kind"] != LostRankError.__name__]
    if not own:
        _check_that_errors_can_be_written(place)
        raise LostRankError(
            f"a process of {name} was killed; expected all of them to the end. Its checkpoint is kept: run "
            "the stage again, and it goes on. Was memory short?"
        )
    kind = getattr(errors, own[0]["kind"], None)
    if isinstance(kind, type) and issubclass(kind, TediganError):
        raise kind(own[0]["message"])
    raise RuntimeError(f"a process of {name}: {own[0]['kind']}: {own[0]['message']}")


def _check_that_errors_can_be_written(place: Path) -> None:
    """Raises StoreError where they cannot, which then is what ended the processes that said nothing."""
    write_json(place / "writable.json", {})


def _tell_on(stats: Path, start: int) -> int:
    """Tell the whole lines that came since; where the next one begins."""
    if not stats.is_file():
        return start
    with stats.open("rb") as file:
        file.seek(start)
        lines = file.read().rpartition(b"\n")[0]
    for line in lines.splitlines():
        numbers = json.loads(line)
        numbers = {k: v for k, v in numbers.items() if k not in ("time", "num_ranks")}
        tell(numbers.pop("step"), numbers)
    return start + len(lines) + bool(lines)
