"""A Prefect server with its scheduler, and infra/prefect.yaml deployed on it as its first lines say."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from benchmarks.chaos import prefect_pool
from infra.services import die_with_parent
from tests.flows.conftest import CHECKOUT

PREFECT = [sys.executable, "-m", "prefect"]
ANSWERS_WITHIN_S = 120.0
OFTEN_S = 15


@contextmanager
def prefect_with_scheduler(work: Path) -> Iterator[dict[str, str]]:
    """The environment of its clients; the server's log is `work`/server.log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "PREFECT_HOME": str(work / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PYTHONPATH": str(CHECKOUT),
    }
    start = [*PREFECT, "server", "start", "--port", str(port)]
    with (work / "server.log").open("wb") as log, running(start, environment, log):
        _wait_for(f"{environment['PREFECT_API_URL']}/health")
        yield environment


@contextmanager
def running(command: list[str], environment: dict[str, str], log: Any) -> Iterator[None]:
    """A process beside the block, which ends with it."""
    with subprocess.Popen(
        command, env=environment, stdout=log, stderr=log, preexec_fn=die_with_parent
    ) as process:
        try:
            yield
        finally:
            prefect_pool.end(process)


def deploy_soon(folder: Path, workspace: Path, environment: dict[str, str]) -> None:
    """Deploy the project's own file, its code here, `weekly` for this workspace and due every few seconds."""
    found = yaml.safe_load((CHECKOUT / "infra" / "prefect.yaml").read_text())
    found["pull"] = [
        {"prefect.deployments.steps.set_working_directory": {"directory": str(CHECKOUT)}}
    ]
    weekly = next(one for one in found["deployments"] if one["name"] == "weekly")
    weekly["parameters"] = {"workspace": str(workspace)}
    weekly["schedules"] = [{"slug": "soon", "interval": OFTEN_S, "timezone": "UTC"}]
    file = folder / "prefect.yaml"
    file.write_text(yaml.safe_dump(found, sort_keys=False))
    prefect(["--no-prompt", "deploy", "--all", "--prefect-file", str(file)], environment)


def prefect(arguments: list[str], environment: dict[str, str]) -> str:
    """A command of Prefect's that must succeed; what it prints."""
    done = subprocess.run(
        [*PREFECT, *arguments],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + ANSWERS_WITHIN_S
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < deadline, f"{address} does not answer"
            time.sleep(0.3)
