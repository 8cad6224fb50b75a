"""A checkout of its own with the whole platform around it, and what is asked of it in a walk."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.machine import USUAL, Machine
from infra.services import free_ports
from tedigan.store.files import read_json, write_json

POLL_S = 1.0
INSIDE = "python -m infra run --"
ENDED = ("COMPLETED", "FAILED", "CANCELLED")  # what crashed is queued again
# A lifecycle of a few minutes: what is left out of the demo's is the number of pictures and of steps.
SMALL: dict[str, dict[str, Any]] = {
    "dataset": {"num_images": 1000},
    "train_encoder": {"num_synthetic_steps": 5, "num_steps": 5},
    "train_text_encoder": {"num_steps": 100},
    "train_latent_tagger": {"num_pairs": 4096, "num_steps": 40, "checkpoint_every": 20},
    "analyse_layers": {"num_faces": 8},
    "train_text_mapper": {"num_mover_steps": 60},
    "train_referee": {"num_views": 1, "num_steps": 200},
    "evaluate": {"num_prompts": 100, "num_images": 100},
    "evaluate_edits": {"num_photographs": 8, "attributes": ["Bangs", "Male"], "num_strips": 1, "num_faces": 50},
    "generate": {"faces_per_caption": 2, "noise_variants": 2, "bank_size": 10000},
    "manipulate": {"max_photographs": 1, "strip": [-1, 0, 1], "num_steps": 30, "num_picture_steps": 15},
    "showcase": {"models": None},
}  # fmt: skip


class WalkError(Exception):
    """What should have been was not."""


@dataclass(frozen=True)
class Platform:
    """root: a clone of this checkout, whose params.yaml is changed as people change it. log: what is said."""

    root: Path
    log: Path

    @classmethod
    def cloned(cls, work: Path) -> "Platform":
        """The last commit of this checkout, with small params; or the clone of a walk that was broken off."""
        root = work / "checkout"
        if root.exists():
            return cls(root, work / "walk.log")
        source = Path(__file__).resolve().parents[2]
        subprocess.run(["git", "clone", "--quiet", str(source), str(root)], check=True)
        platform = cls(root, work / "walk.log")
        ports = dict(
            zip(USUAL, free_ports(len(USUAL)), strict=True)
        )  # beside another platform here
        write_json(platform.machine.folder / "ports.json", ports)
        for section, values in SMALL.items():
            platform.change(section, **values)
        return platform

    @property
    def machine(self) -> Machine:
        """Of `python -m infra`."""
        return Machine(root=self.root, folder=self.root / ".work/up")

    def change(self, section: str, **values: Any) -> None:
        """Of params.yaml, as somebody at an editor."""
        path = self.root / "params.yaml"
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        content[section] |= values
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        self.say(f"# params.yaml, {section}: {values}")

    def say(self, line: str) -> None:
        """To whoever watches, and into the log."""
        print(line, flush=True)
        with self.log.open("a", encoding="utf-8") as log:
            print(line, file=log)

    def run(self, command: str, *, statuses: tuple[int, ...] = (0,)) -> str:
        """A line of docs/operations.md as it stands there; what it prints."""
        self.say(f"$ {command}")
        begun = time.monotonic()
        done = self.quietly(command)
        said = (done.stdout + (done.stderr if done.returncode else "")).strip()
        self.say(f"{said}\n# status {done.returncode}, {time.monotonic() - begun:.1f} s")
        if done.returncode not in statuses:
            raise WalkError(f"`{command}` ended with status {done.returncode}: {said[-500:]}")
        return said

    def inside(self, command: str, *, statuses: tuple[int, ...] = (0,)) -> str:
        """As `run`, where it finds the platform."""
        return self.run(f"{INSIDE} {command}", statuses=statuses)

    def quietly(self, command: str, *, niceness: int = 0) -> "subprocess.CompletedProcess[str]":
        """A line of a shell, in the clone."""
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=lambda: os.nice(niceness),
        )

    @property
    def environment(self) -> dict[str, str]:
        """Of somebody who has activated the virtual environment and stands in the clone."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return os.environ | {"PATH": path, "PYTHONPATH": str(self.root)}

    def flow_runs(self, flow: str | None = None) -> list[dict[str, Any]]:
        """Of Prefect, the youngest first."""
        named: dict[str, Any] = {"flows": {"name": {"any_": [flow]}}} if flow else {}
        found: list[dict[str, Any]] = self.machine.prefect(
            "flow_runs/filter", sort="START_TIME_DESC", limit=200, **named
        )
        return found

    def deployed(self, name: str) -> str:
        """The id of `flow/deployment`."""
        flow, deployment = name.split("/")
        found: dict[str, Any] = self.machine.prefect(f"deployments/name/{flow}/{deployment}", "GET")
        return str(found["id"])

    def start(self, name: str, **parameters: Any) -> str:
        """A run of a deployment; its id."""
        said = self.inside(f"prefect deployment run {name} {_options(parameters)}")
        return next(word for line in said.splitlines() for word in line.split() if _is_id(word))

    def state_of(self, run_id: str) -> str:
        """COMPLETED, RUNNING...; PAUSED where it waits for a person."""
        found: dict[str, Any] = self.machine.prefect(f"flow_runs/{run_id}", "GET")
        return str(found["state"]["type"])

    def ended(self, run_id: str, *, within_s: float = 1800) -> str:
        """The state in which a run ends; one that crashed is queued again, and waited for."""
        end = f"the end of the flow run {run_id}"
        wait(lambda: self.state_of(run_id) in ENDED, within_s, end)
        state = self.state_of(run_id)
        self.say(f"# flow run {run_id}: {state}")
        return state

    def said_by(self, run_id: str) -> list[str]:
        """The lines of a flow run and of those within it, as Prefect kept them."""
        logs = self.machine.prefect(
            "logs/filter", logs={"flow_run_id": {"any_": [run_id]}}, sort="TIMESTAMP_ASC"
        )
        return [one["message"] for one in logs]

    def records(self) -> list[dict[str, Any]]:
        """Of every stage that ran here."""
        return [read_json(path) for path in sorted((self.root / ".work/runs").glob("*.json"))]

    def running_stage(self) -> str | None:
        """Which stage runs now."""
        return next((one["stage"] for one in self.records() if "state" not in one), None)

    def wait_for_stage(self, name: str) -> None:
        """Until a stage is at work."""
        wait(lambda: self.running_stage() == name, 900, f"the stage {name}")

    def processes_of(self, part: str) -> list[int]:
        """A part's process and those that it started, the youngest last."""
        first = int(self.machine.control("pid", part).stdout)
        return [first, *_children(first)]


def wait(is_so: Callable[[], Any], within_s: float, what: str) -> None:
    """Until it is so; a part that does not answer meanwhile is asked again."""
    deadline = time.monotonic() + within_s
    while True:
        with suppress(OSError):
            if is_so():
                return
        if time.monotonic() > deadline:
            raise WalkError(f"waited {within_s:.0f} s for {what}")
        time.sleep(POLL_S)


def kill(processes: list[int]) -> None:
    """At once."""
    for one in processes:
        os.kill(one, signal.SIGKILL)


@contextmanager
def platform_up(work: Path) -> Iterator[Platform]:
    """Up in a clone, and down when the walk ends."""
    platform = Platform.cloned(work)
    try:
        platform.run("python -m infra up")
        yield platform
    finally:
        platform.run("python -m infra down")


def _children(process: int) -> list[int]:
    path = Path(f"/proc/{process}/task/{process}/children")
    found = [int(one) for one in path.read_text().split()] if path.exists() else []
    return [*found, *(grandchild for child in found for grandchild in _children(child))]


def _options(parameters: dict[str, Any]) -> str:
    return " ".join(f"--param '{name}={json.dumps(value)}'" for name, value in parameters.items())


def _is_id(word: str) -> bool:
    return len(word) == 36 and word.count("-") == 4
