"""A Prefect server and a worker of a process pool that takes flow runs of noted workers."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.services import die_with_parent

CHECKOUT = Path(__file__).resolve().parents[2]
POOL, DEPLOYMENT = "chaos", "draw-noted/chaos"
ENDED_WITHIN_S = 20.0


@contextmanager
def prefect_pool() -> Iterator[dict[str, str]]:
    """The environment of runs whose engine is `prefect`."""
    from prefect.settings import PREFECT_API_URL
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=180):
        given = {
            "PREFECT_API_URL": PREFECT_API_URL.value() or "",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PYTHONPATH": str(CHECKOUT),
            "TEDIGAN_BULK_DEPLOYMENT": DEPLOYMENT,
        }
        with _worker(os.environ | given):
            yield given


@contextmanager
def _worker(environment: dict[str, str]) -> Iterator[None]:
    prefect = [sys.executable, "-m", "prefect"]
    create = [*prefect, "work-pool", "create", POOL, "--type", "process"]
    subprocess.run(create, env=environment, check=True, capture_output=True)
    _deploy()
    start = [*prefect, "worker", "start", "--pool", POOL, "--type", "process"]
    with subprocess.Popen(
        start, env=environment, stdout=subprocess.DEVNULL, preexec_fn=die_with_parent
    ) as worker:
        try:
            yield
        finally:
            end(worker)


def end(worker: "subprocess.Popen[bytes]", *, within_s: float = ENDED_WITHIN_S) -> None:
    """Ask, wait, then insist: it may wait for ever for a flow run that was killed."""
    worker.terminate()
    try:
        worker.wait(within_s)
    except subprocess.TimeoutExpired:
        worker.kill()


def _deploy() -> None:
    from prefect import flow

    entrypoint = "benchmarks/chaos/draw_flow.py:draw_noted"
    found: Any = flow.from_source(source=str(CHECKOUT), entrypoint=entrypoint)
    found.deploy(name=DEPLOYMENT.partition("/")[2], work_pool_name=POOL, print_next_steps=False)
