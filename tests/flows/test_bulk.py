"""Bulk jobs as flows, on a real Prefect server and a worker process of a pool."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.chaos import prefect_pool
from benchmarks.toy_jobs import toy_job
from infra.services import die_with_parent
from tasks import policy
from tedigan.bulk import engines
from tedigan.bulk.ledger import Ledger
from tedigan.bulk.running import run_job
from tedigan.bulk.seal import seal, verify
from tedigan.errors import StoreError
from tedigan.releases.release_store import ReleaseStore
from tedigan.workspace import Workspace
from tests.bulk.jobs import finished, job
from tests.bulk.test_engines import quiet_root
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
    environment = environment_of_commands()
    prefect = [sys.executable, "-m", "prefect"]
    create = [*prefect, "work-pool", "create", POOL, "--type", "process"]
    subprocess.run(create, env=environment, check=True, capture_output=True)
    deploy("flows/bulk.py:draw", "bulk-worker")
    deploy("tests/flows/toy_bulk.py:draw_toys", "toy-worker")
    start = [*prefect, "worker", "start", "--pool", POOL, "--type", "process"]
    with subprocess.Popen(
        start, env=environment, stdout=subprocess.DEVNULL, preexec_fn=die_with_parent
    ) as worker:
        yield
        prefect_pool.end(worker, within_s=2)


def environment_of_commands() -> dict[str, str]:
    """With the Prefect server of this session."""
    from prefect.settings import PREFECT_API_URL

    return os.environ | {
        "PREFECT_API_URL": PREFECT_API_URL.value(),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PYTHONPATH": str(CHECKOUT),
    }


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
    return [run for run in runs if run.parameters["worker"]["job"] == job]


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


def test_a_worker_fetches_the_release_that_its_machine_lacks(
    untrained: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a pod: the folder of models is named, and is on the disk of who sent the worker."""
    from tasks.bulk import worker_here

    monkeypatch.setenv("TEDIGAN_RELEASES", str(tmp_path / "store"))
    files = {
        f"models/{path.relative_to(untrained.models)}": path
        for path in untrained.models.rglob("*")
        if path.is_file()
    }
    digest = ReleaseStore(str(tmp_path / "store")).put(files).digest
    sent = job(untrained, tmp_path / "jobs", tmp_path, release=digest)
    models = tmp_path / "pod/releases" / digest / "models"
    worker = worker_here(replace(sent, models=models).to_json())
    assert finished(worker).ledger.committed() == set(range(sent.ledger.plan.num_shards))


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
    from tasks.bulk import run_prefect

    settled = run_prefect(replace(toys, seconds=1.0), range(20), 1)
    next(settled)
    settled.close()
    deadline = time.monotonic() + 60
    while (names := [run.state.name for run in flow_runs("draw-toys", toys.job)]) != ["Cancelled"]:
        assert time.monotonic() < deadline, names
        time.sleep(0.5)
    assert 0 < len(toys.ledger.committed()) < 20


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_told_to_end_leaves_no_flow_run_behind(
    toys: Known, untrained: Workspace, tmp_path: Path, told: signal.Signals
) -> None:
    many = toy_job(tmp_path / "many", tmp_path / "m", num_images=20_000)
    given = ["jobs", "run", many.job, "--engine", "prefect", "--models", str(toys.models)]
    command = subprocess.Popen(
        [sys.executable, "-m", "tedigan", *given, "--workspace", str(untrained.root)],
        env=environment_of_commands(),
        stderr=subprocess.PIPE,
        # a background job of a shell has Ctrl-C ignored, and so have its children
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not many.ledger.committed():
        assert command.poll() is None
        time.sleep(0.1)
    command.send_signal(told)
    _, said = command.communicate(timeout=20)
    assert (command.returncode, b"interrupted" in said) == (130, True), said.decode()
    (run,) = flow_runs("draw-toys", many.job)
    assert run.state.type.value in ("CANCELLING", "CANCELLED")


def test_a_deployment_that_is_missing_is_named(
    toys: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.bulk import run_prefect

    monkeypatch.setenv("TEDIGAN_BULK_DEPLOYMENT", "draw/nowhere")
    with pytest.raises(StoreError, match="prefect deploy --all"):
        run_job(toys, run_prefect, 1)


@pytest.fixture
def repository(untrained: Workspace, tmp_path: Path, prefect_server: None) -> Workspace:
    """The small models and their params in a DVC repository."""
    folder = tmp_path / "repo"
    shutil.copytree(untrained.root, folder)
    params = yaml.safe_load((folder / "params.yaml").read_text())
    return Workspace.open(make_repository(folder, "stages: {}\n", params))


def run(flow: str, *arguments: str) -> int:
    """A flow as `python -m flows.bulk` runs it: its exit status."""
    from flows import bulk
    from flows.command_line import run_flow_with_options

    return run_flow_with_options(bulk.bulk, bulk.plan_bulk, arguments=[flow, *arguments])


def artifact(key: str) -> Any:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

    with get_client(sync_client=True) as client:
        kept = client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key])), sort="UPDATED_DESC"
        )
    return kept[0].data


def mlflow_runs(name: str) -> list[Any]:
    import mlflow

    return mlflow.search_runs(
        experiment_names=["tedigan"], filter_string=f"tags.job = '{name}'", output_format="list"
    )


def planned(repository: Workspace, tmp_path: Path, *arguments: str) -> Ledger:
    prompts, place = tmp_path / "p.txt", tmp_path / "jobs"
    prompts.write_text("She is young.\nThe man has a beard.\n")
    sizes = ["--faces-per-prompt", "5", "--images-per-shard", "4"]
    place_of = ["--workspace", str(repository.root)]
    assert run("plan-bulk", str(prompts), str(place), *place_of, *sizes, *arguments) == 0
    (found,) = place.iterdir()
    return Ledger(str(found))


def test_a_job_is_planned_approved_drawn_sealed_and_recorded(
    repository: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = planned(repository, tmp_path)
    given = [ledger.address, "--workspace", str(repository.root)]
    assert f"tedigan jobs approve {ledger.address}" in capsys.readouterr().out
    assert run("bulk", *given) == 1
    assert "is not approved" in capsys.readouterr().err
    ledger.approve("tests")

    assert run("bulk", *given, "--max-hours", "1e-9") == 0
    assert "0 of 3 shards are committed: not sealed" in capsys.readouterr().out
    assert not ledger.bucket.exists("sealed.json")

    (repository.root / "dvc.lock").write_text("schema: '2.0'\n")
    assert run("bulk", *given, "--workers", "2") == 0
    sealed = ledger.read("sealed.json")
    assert f"3 of 3 shards are committed: sealed, root {sealed['root']}" in capsys.readouterr().out
    assert artifact(f"bulk-{ledger.name}") == 100
    (row,) = json.loads(artifact(f"bulk-{ledger.name}-summary"))
    assert (row["shards"], row["images drawn"], row["root"]) == ("3 of 3", 10, sealed["root"])

    kept = repository.result("jobs") / ledger.name / "sealed.json"
    assert kept.read_bytes() == ledger.bucket.read("sealed.json")
    record = ledger.read("record.json")
    md5 = yaml.safe_load(kept.with_name("sealed.json.dvc").read_text())["outs"][0]["md5"]
    assert record["ids"]["dvc_md5"] == md5
    remote = tmp_path / "repo-remote" / "files" / "md5" / md5[:2] / md5[2:]
    assert remote.read_bytes() == kept.read_bytes()
    assert ledger.bucket.read("dvc.lock") == b"schema: '2.0'\n"

    (tracked,) = mlflow_runs(ledger.name)
    assert tracked.info.run_id == record["ids"]["mlflow_run_id"]
    assert tracked.data.tags["root"] == record["root"] == sealed["root"]
    assert tracked.data.tags["prefect.flow_run_id"] == record["ids"]["prefect_flow_run_id"]
    assert tracked.data.tags["dvc.md5"] == md5
    assert tracked.data.params["faces_per_prompt"] == "5"
    assert tracked.data.metrics["num_images"] == 10
    assert tracked.data.metrics["images_per_second"] > 0
    (images,) = tracked.inputs.dataset_inputs
    assert sealed["root"].startswith(images.dataset.digest)

    assert run("bulk", *given) == 0  # a job that is recorded is recorded once
    assert len(mlflow_runs(ledger.name)) == 1
    assert ledger.read("record.json") == record


def test_a_flow_takes_every_option_of_the_command_that_it_stands_for() -> None:
    import argparse
    import inspect

    from flows.bulk import plan_bulk
    from tedigan.commands import jobs_plan

    parser = argparse.ArgumentParser(add_help=False)
    jobs_plan.add_arguments(parser)
    options = {one.dest: one.default for one in parser._actions if one.option_strings}
    for name in ("dry_run", "yes", "profile"):  # approved_by is its yes, a folder its profile
        options.pop(name)
    taken = inspect.signature(plan_bulk.fn).parameters
    assert options.keys() <= taken.keys()
    same = options.keys() - {"workspace"}
    assert {name: taken[name].default for name in same} == {name: options[name] for name in same}


def test_a_plan_that_somebody_answers_for_is_drawn_at_once_by_what_is_named(
    repository: Workspace, pool: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    repository.models.rename(tmp_path / "models")
    by = ["--approved-by", "Ada", "--engine", "prefect", "--workers", "2"]
    by += ["--models", str(tmp_path / "models"), "--threads", "2", "--usd-per-hour", "36"]
    ledger = planned(repository, tmp_path, "--seed", "7", *by)
    assert "USD at 36 USD an hour each" in caplog.text
    assert len(flow_runs("draw", ledger.address)) == 2
    assert ledger.read("approved.json")["by"] == "Ada"
    assert (ledger.plan.seed, ledger.plan.num_threads) == (7, 2)
    assert ledger.read("sealed.json")["num_images"] == 10


def test_an_engine_that_nobody_offers_is_refused(
    repository: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = planned(repository, tmp_path)
    given = [ledger.address, "--workspace", str(repository.root), "--engine", "slurm"]
    assert run("bulk", *given) == 1
    assert "expected one of local, prefect, ray" in capsys.readouterr().err


def test_an_option_that_is_no_number_is_said_without_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run("bulk", "jobs/0123", "--workers", "zero")
    assert "workers: Input should be a valid integer" in capsys.readouterr().err
