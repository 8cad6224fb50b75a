"""Bulk jobs as flows, on a real Prefect server and a worker process of a pool."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks import policy
from tedigan.bulk import engines
from tedigan.bulk.ledger import Ledger
from tedigan.bulk.running import run_job
from tedigan.bulk.seal import seal, verify
from tedigan.errors import StoreError
from tedigan.workspace import Workspace
from tests.bulk.jobs import finished, job
from tests.bulk.test_engines import quiet_root
from tests.bulk.toys import toy_job
from tests.flows.conftest import CHECKOUT, make_repository
from tests.flows.toy_bulk import Known

pytestmark = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.xdist_group("two doors"),  # one server for both
    pytest.mark.timeout(600),
]
POOL = "bulk"


@pytest.fixture(scope="module")
def pool(prefect_server: None) -> Iterator[None]:
    """A worker process that takes flow runs of `draw/bulk-worker` and `draw-toys/toy-worker`."""
    from prefect.settings import PREFECT_API_URL

    environment = os.environ | {
        "PREFECT_API_URL": PREFECT_API_URL.value(),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PYTHONPATH": str(CHECKOUT),
    }
    prefect = [sys.executable, "-m", "prefect"]
    create = [*prefect, "work-pool", "create", POOL, "--type", "process"]
    subprocess.run(create, env=environment, check=True, capture_output=True)
    deploy("flows/bulk.py:draw", "bulk-worker")
    deploy("tests/flows/toy_bulk.py:draw_toys", "toy-worker")
    start = [*prefect, "worker", "start", "--pool", POOL, "--type", "process"]
    with subprocess.Popen(start, env=environment, stdout=subprocess.DEVNULL) as worker:
        yield
        worker.terminate()


def deploy(entrypoint: str, name: str) -> None:
    from prefect import flow

    found: Any = flow.from_source(source=str(CHECKOUT), entrypoint=entrypoint)
    found.deploy(name=name, work_pool_name=POOL, print_next_steps=False)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "BULK_POLL_S", 0.5)
    monkeypatch.setattr(engines, "PATIENCE_S", (0.1,) * 5)


@pytest.fixture
def toys(tmp_path: Path, pool: None, monkeypatch: pytest.MonkeyPatch) -> Known:
    """A job of 20 shards, drawn by flow runs of the toy deployment."""
    monkeypatch.setenv("TEDIGAN_BULK_DEPLOYMENT", "draw-toys/toy-worker")
    (tmp_path / "pids").mkdir()
    toy = toy_job(tmp_path / "jobs", tmp_path)
    return Known(toy.job, tmp_path / "pids", tmp_path / "s", "cpu")


def flow_runs(name: str, job: str) -> list[Any]:
    """Those of a flow that draw a job."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowFilter, FlowFilterName

    with get_client(sync_client=True) as client:
        named = FlowFilter(name=FlowFilterName(any_=[name]))
        runs = client.read_flow_runs(flow_filter=named)
    return [run for run in runs if run.parameters["job"] == job]


def test_flow_runs_draw_what_one_process_draws(
    pool: None, untrained: Workspace, tmp_path: Path
) -> None:
    from tasks.bulk import run_prefect

    worker = job(untrained, tmp_path / "jobs", tmp_path)
    quiet = job(untrained, tmp_path / "quiet", tmp_path / "q")
    assert run_job(worker, run_prefect, 2) == 0
    assert seal(worker.ledger)["root"] == seal(finished(quiet).ledger)["root"]
    runs = flow_runs("draw", worker.job)
    assert [run.state.name for run in runs] == ["Completed"] * 2
    assert {run.parameters["begin"] for run in runs} == {0, 2}


def test_a_flow_run_that_is_killed_is_started_again(toys: Known, tmp_path: Path) -> None:
    from tasks.bulk import run_prefect

    (toys.models / "die").touch()
    assert run_job(toys, run_prefect, 1) == 0
    assert not (toys.models / "die").exists()
    assert len(list(toys.models.glob("*.pid"))) == 2
    assert sorted(run.state.name for run in flow_runs("draw-toys", toys.job)) == [
        "Completed",
        "Crashed",
    ]
    assert seal(toys.ledger)["root"] == quiet_root(tmp_path)
    assert verify(toys.ledger, tmp_path / "cache").problems == []


def test_what_does_not_pass_by_itself_ends_the_run_at_once(toys: Known) -> None:
    from tasks.bulk import run_prefect

    (toys.models / "fail").touch()
    with pytest.raises(StoreError, match="the disk is full"):
        run_job(toys, run_prefect, 1)
    assert toys.ledger.committed() == set()


def test_an_interrupted_engine_leaves_no_flow_run_behind(toys: Known) -> None:
    from dataclasses import replace

    from tasks.bulk import run_prefect

    settled = run_prefect(replace(toys, seconds=1.0), range(20), 1)
    next(settled)
    settled.close()
    deadline = time.monotonic() + 60
    while (names := [run.state.name for run in flow_runs("draw-toys", toys.job)]) != ["Cancelled"]:
        assert time.monotonic() < deadline, names
        time.sleep(0.5)
    assert 0 < len(toys.ledger.committed()) < 20


def test_a_deployment_that_is_missing_is_named(
    toys: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.bulk import run_prefect

    monkeypatch.setenv("TEDIGAN_BULK_DEPLOYMENT", "draw/nowhere")
    with pytest.raises(StoreError, match="prefect deploy --all"):
        run_job(toys, run_prefect, 1)
