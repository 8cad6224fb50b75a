"""The whole platform on one machine: it comes up, stays up, says what is wrong, and goes down."""

import json
import os
import re
import signal
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import backup
from infra.answers import opened
from infra.doctor import examine
from infra.local import CHECKOUT
from infra.machine import PARTS, Machine
from infra.retention import read_retention
from infra.tidy import tidy
from tedigan.errors import StoreError
from tedigan.store.addresses import open_bucket
from tests.infra.manifests import POOL

pytestmark = [pytest.mark.xdist_group("up"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """Started by somebody with a proxy and keys of another S3.

    Not in pytest's own folder: another pytest that starts there closes it to all users but its own, and root's
    PostgreSQL is run by another.
    """
    with tempfile.TemporaryDirectory(prefix="up-") as folder, pytest.MonkeyPatch.context() as patch:
        made = Machine(folder=Path(folder))
        for name in ("http_proxy", "HTTP_PROXY", "AWS_ENDPOINT_URL", "AWS_PROFILE"):
            patch.setenv(name, "http://127.0.0.1:9")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "another's")
        try:
            made.up()
            yield made
        finally:
            made.down()


def until(is_so: Callable[[], bool], *, within_s: float = 90) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.5)
    return False


def found(machine: Machine) -> list[str]:
    """What the doctor says of the platform; of this environment and disk others may say more."""
    return [one for one in examine(machine) if not one.startswith(("versions:", "disk:", "turn:"))]


def test_every_part_runs_answers_and_is_deployed_to(machine: Machine) -> None:
    assert set(machine.states()) == set(PARTS)
    assert until(lambda: set(machine.states().values()) == {"RUNNING"})
    assert found(machine) == []
    names = {one["name"] for one in machine.prefect("deployments/filter")}
    assert {"weekly", "promote", "captions"} <= names
    automations = [one["name"] for one in machine.prefect("automations/filter")]
    machine._automate()
    assert sorted(one["name"] for one in machine.prefect("automations/filter")) == sorted(
        automations
    )
    assert len(automations) == 3


def test_a_part_that_dies_is_started_again(machine: Machine) -> None:
    pid = int(machine.control("pid", "mlflow").stdout)
    os.killpg(pid, signal.SIGKILL)
    assert until(lambda: int(machine.control("pid", "mlflow").stdout) not in (0, pid))
    assert until(lambda: machine.answers()["mlflow"])


def test_a_run_that_crashed_is_queued_again_but_not_without_end(machine: Machine) -> None:
    """A rollback, of which there is nothing to do here: it fails, but it was run."""
    once, thrice = rollback_run(machine), rollback_run(machine)
    crash(machine, once)
    for _ in range(3):
        crash(machine, thrice)
    assert until(lambda: state_of(machine, thrice)["type"] == "FAILED")
    assert "crashed three times within a day" in state_of(machine, thrice)["message"]
    assert until(lambda: state_of(machine, once)["type"] == "FAILED", within_s=180)
    assert "crashed" not in state_of(machine, once)["message"]
    states = machine.prefect(f"flow_run_states/?flow_run_id={thrice}", "GET")
    assert [one["type"] for one in states] == ["SCHEDULED", *["CRASHED"] * 3, "FAILED"]


def rollback_run(machine: Machine) -> str:
    """A flow run of 2100."""
    (deployment,) = (
        one for one in machine.prefect("deployments/filter") if one["name"] == "rollback"
    )
    later = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2100-01-01T00:00:00Z"}}
    return machine.prefect(f"deployments/{deployment['id']}/create_flow_run", state=later)["id"]


def crash(machine: Machine, run: str) -> None:
    machine.prefect(f"flow_runs/{run}/set_state", state={"type": "CRASHED"}, force=True)


def state_of(machine: Machine, run: str) -> dict[str, Any]:
    (one,) = machine.prefect("flow_runs/filter", flow_runs={"id": {"any_": [run]}})
    return one["state"]


def test_the_doctor_names_what_stands_still_and_up_starts_it_alone(machine: Machine) -> None:
    """A part may die by itself meanwhile (`exited`); what is `stopped`, somebody stopped."""
    machine.control("stop", "worker")
    assert [one for one in found(machine) if one.startswith("worker: STOPPED")]
    machine.up()
    assert until(lambda: machine.states()["worker"] == "RUNNING")
    log = (machine.folder / "supervisord.log").read_text(encoding="utf-8")
    assert re.findall(r"stopped: (\w+)", log) == ["worker"], log


def test_a_run_that_may_be_alone_outlives_prefects_server(machine: Machine) -> None:
    """Prefect counts such runs by leases, and ends those whose lease it has forgotten."""
    asked = {"names": [], "slots": 1, "mode": "concurrency", "lease_duration": 60}
    limit = {"name": "one at a time", "limit": 1}
    machine.prefect("v2/concurrency_limits/", **limit)
    asked["names"] = [limit["name"]]
    lease = machine.prefect("v2/concurrency_limits/increment-with-lease", **asked)["lease_id"]
    machine.control("restart", "prefect")
    assert until(lambda: machine.answers()["prefect"])
    renew = f"v2/concurrency_limits/leases/{lease}/renew"
    assert machine.prefect(renew, lease_duration=60) is None


def test_keys_are_read_by_their_owner_alone(machine: Machine) -> None:
    for name in ("supervisord.conf", "s3/identities.json"):
        assert (machine.folder / name).stat().st_mode & 0o077 == 0


def test_nothing_runs_where_nothing_was_started(tmp_path: Path) -> None:
    idle = Machine(folder=tmp_path)
    assert idle.states() == {}
    assert "platform: nothing runs. `python -m infra up`." in examine(idle)
    idle.down()


@pytest.mark.parametrize("name", ["a place", "50%", "x" * 90, "it's", "c++", "a&b"])
def test_a_path_that_a_part_could_not_have_is_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="plain path"):
        Machine(folder=tmp_path / name).up()
    assert not (tmp_path / name / "supervisord.conf").exists()


def test_what_was_backed_up_comes_back(machine: Machine, tmp_path: Path) -> None:
    """A row of either database, an object and the key; what MLflow was told to forget is forgotten by `tidy`."""
    forgotten, kept = (experiment(machine, name) for name in ("forgotten", "kept"))
    (deployment, *_) = machine.prefect("deployments/filter")
    with backup.inside(machine.environment):
        bucket = open_bucket("s3://tedigan")
        bucket.write("releases/probe", b"immutable")
    mlflow(machine, "delete", experiment_id=forgotten)
    assert tidy(machine, read_retention(), is_meant=False)[-1].startswith("MLflow")
    assert experiment_states(machine) | {"forgotten": "deleted"} == experiment_states(machine)
    machine.forget_deleted("0d")
    name = backup.back_up(machine, tmp_path, with_key=True)
    key = machine.key.read_bytes()

    mlflow(machine, "delete", experiment_id=kept)
    machine.prefect(f"deployments/{deployment['id']}", "DELETE")
    machine.key.write_bytes(b"")
    with backup.inside(machine.environment):
        bucket.delete("releases/probe")
    assert backup.restore(machine, tmp_path, with_key=True) == name
    assert experiment_states(machine)["kept"] == "active"
    assert "forgotten" not in experiment_states(machine)
    assert deployment["id"] in {one["id"] for one in machine.prefect("deployments/filter")}
    with backup.inside(machine.environment):
        assert bucket.read("releases/probe") == b"immutable"
    assert machine.key.read_bytes() == key
    assert machine.key.stat().st_mode & 0o077 == 0
    with pytest.raises(StoreError, match=f"expected one of: {name}"):
        backup.restore(machine, tmp_path, "20200101T000000Z")


def mlflow(machine: Machine, action: str, **body: Any) -> Any:
    """What MLflow's own interface answers about experiments."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{machine.ports['mlflow']}/api/2.0/mlflow/experiments/{action}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    return json.loads(opened(request).read())


def experiment(machine: Machine, name: str) -> str:
    return mlflow(machine, "create", name=name)["experiment_id"]


def experiment_states(machine: Machine) -> dict[str, str]:
    found = mlflow(machine, "search", max_results=100, view_type="ALL")["experiments"]
    return {one["name"]: one["lifecycle_stage"] for one in found}


def test_prefect_keeps_flow_runs_as_long_as_retention_says(machine: Machine) -> None:
    settings = machine.prefect("admin/settings", "GET")["server"]["services"]["db_vacuum"]
    assert "flow_runs" in settings["enabled"]
    assert settings["retention_period"] == f"P{read_retention().flow_runs_days}D"


def test_the_workers_of_jobs_may_be_pods(machine: Machine) -> None:
    """The pool as infra/kubernetes/pool-worker.yaml makes it, and its deployment; there is no cluster here."""
    text = (CHECKOUT / "infra/kubernetes/pool-worker.yaml").read_text(encoding="utf-8")
    (create,) = yaml.safe_load(text)["spec"]["template"]["spec"]["initContainers"]
    machine._insist(*create["command"])
    deploy = ("--no-prompt", "deploy", "--name", "bulk-worker", "--pool", "gpu-pods")
    machine._insist("prefect", *deploy, "--prefect-file", str(CHECKOUT / ".work/prefect.yaml"))
    (pool,) = machine.prefect("work_pools/filter", work_pools={"type": {"any_": ["kubernetes"]}})
    assert pool["base_job_template"] == POOL
    (worker,) = (
        one for one in machine.prefect("deployments/filter") if one["name"] == "bulk-worker"
    )
    assert worker["work_pool_name"] == pool["name"] == "gpu-pods"
    twice = {"worker": {}, "begin": 0}
    for gpus, is_taken in ((2, True), ("two", False)):
        made = machine.prefect(
            f"deployments/{worker['id']}/create_flow_run",
            parameters=twice,
            job_variables={"gpus": gpus},
        )
        assert ("id" in made) == is_taken, made


def test_what_is_deployed_here_is_this_checkout(machine: Machine) -> None:
    (weekly,) = (one for one in machine.prefect("deployments/filter") if one["name"] == "weekly")
    assert weekly["parameters"] == {"workspace": str(CHECKOUT)}
