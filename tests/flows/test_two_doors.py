"""The flow and `dvc repro` are two doors to one house: equal bytes, equal dvc.lock, nothing done twice."""

import json
import multiprocessing
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import tasks.stages
from infra.answers import opened
from tasks import policy, recording
from tedigan.code_lock import digest_of_stage
from tedigan.errors import DataError, StoreError
from tedigan.provenance import RunRecord
from tedigan.stages import STAGES
from tedigan.store.files import sha256_tree
from tedigan.turns import turn
from tedigan.workspace import Workspace
from tests.flows import scheduler
from tests.flows.conftest import dvc, tiny_checkout, try_dvc

pytestmark = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.xdist_group("two doors"),
    pytest.mark.timeout(1800),
]
WATCHER = str(Path(__file__).parent / "opened")
# Code, work folders, Python's import hooks, and what the page beside the outputs shows.
NOT_INPUTS = (".", "tedigan/", "__editable__", "code.lock", "params.yaml", "dvc.lock")


def run(capsys: pytest.CaptureFixture[str], flow: str, folder: Path) -> tuple[int, str, str]:
    """A flow as its command line runs it: exit status, what it printed, what it complained."""
    from flows import lifecycle
    from flows.command_line import run_flow

    status = run_flow(getattr(lifecycle, flow), arguments=["--workspace", str(folder)])
    said = capsys.readouterr()
    return status, said.out, said.err


@pytest.fixture(scope="module", autouse=True)
def _own_records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An MLflow of this file's own: what is counted here is what ran here."""
    with pytest.MonkeyPatch.context() as patch:
        database = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
        yield


@pytest.fixture(scope="module")
def by_flow(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> Path:
    from flows.lifecycle import lifecycle

    folder = tiny_checkout(tmp_path_factory.mktemp("flow") / "repo")
    lifecycle(folder)
    return folder


@pytest.fixture(scope="module")
def by_dvc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_checkout(tmp_path_factory.mktemp("dvc") / "repo")
    logs = folder.parent / "opened"
    logs.mkdir()
    watch = {"OPENED_ROOT": str(folder), "OPENED_LOGS": str(logs), "PYTHONPATH": WATCHER}
    dvc(folder, "repro", **watch)
    return folder


@pytest.mark.parametrize("name", STAGES)
def test_both_doors_write_the_same_bytes(by_flow: Path, by_dvc: Path, name: str) -> None:
    (place,) = _lock(by_dvc)[name]["outs"]
    assert sha256_tree(by_flow / place["path"]) == sha256_tree(by_dvc / place["path"])


def _lock(folder: Path) -> dict[str, Any]:
    """Without `check`, which records nothing."""
    stages = yaml.safe_load((folder / "dvc.lock").read_text())["stages"]
    return {name: entry for name, entry in stages.items() if name != "check"}


def test_both_doors_write_the_same_lock(by_flow: Path, by_dvc: Path) -> None:
    assert _lock(by_flow) == _lock(by_dvc)


@pytest.mark.parametrize("name", STAGES)
def test_the_lock_names_the_code_by_its_digest(by_dvc: Path, name: str) -> None:
    assert _lock(by_dvc)[name]["params"]["code.lock"] == {name: digest_of_stage(name)}


def test_dvc_skips_what_the_flow_did(by_flow: Path) -> None:
    assert dvc(by_flow, "repro").count("didn't change, skipping") == len(STAGES)


@pytest.mark.parametrize("name", STAGES)
def test_declared_inputs_are_the_opened_files(by_dvc: Path, name: str) -> None:
    """Of data, models, results, captions and edits; tests/contracts sees to the code."""
    lock = _lock(by_dvc)[name]
    inputs = {dep["path"] for dep in lock.get("deps", [])}
    outputs = {out["path"] for out in lock["outs"]}
    opened = set((by_dvc.parent / "opened" / f"{name}.txt").read_text().splitlines())
    ours = {path for path in opened if not path.startswith(NOT_INPUTS)}
    finished = {path for path in ours if not any(_is_of(path, out) for out in outputs)}
    undeclared = {path for path in finished if not any(_is_in(path, place) for place in inputs)}
    assert not undeclared
    assert {place for place in inputs if not any(_is_in(path, place) for path in finished)} == set()


def _is_in(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}/")


def _is_of(path: str, output: str) -> bool:
    """In the output, or in the folder beside it that takes its place when it is finished."""
    folder, _, name = output.rpartition("/")
    return _is_in(path, output) or path.startswith(f"{folder}/.{name}.")


def test_the_flow_skips_what_dvc_did(by_dvc: Path, prefect_server: None, capsys) -> None:
    status, said, _ = run(capsys, "lifecycle", by_dvc)
    assert status == 0
    assert said.count("skipped: ") == len(STAGES)
    assert "report.html" in said


@pytest.fixture
def stale(by_dvc: Path) -> Iterator[Path]:
    """As if somebody had changed the code of `report` since code.lock was written."""
    lock = by_dvc / "code.lock"
    kept = lock.read_text()
    lock.write_text(kept.replace(digest_of_stage("report"), "0" * 64))
    yield by_dvc
    lock.write_text(kept)


def test_the_flow_refuses_a_stale_code_lock_before_anything_runs(
    stale: Path, prefect_server: None, capsys
) -> None:
    status, said, complained = run(capsys, "generate", stale)
    assert status == 1
    assert said == ""
    assert f"of: report. Run `python -m tedigan code lock {stale / 'code.lock'}`" in complained


def test_dvc_ends_at_a_stale_code_lock_though_no_other_stage_would_run(by_dvc: Path) -> None:
    code = by_dvc / "tedigan" / "stages" / "report.py"
    kept = code.read_text()
    code.write_text(f"{kept}\nCHANGED = True\n")
    done = try_dvc(by_dvc, "repro")
    code.write_text(kept)
    assert done.returncode != 0
    assert "of: report. Run `python -m tedigan code lock code.lock`" in done.stderr
    assert "failed to reproduce 'check'" in done.stderr


def test_every_run_record_links_the_three_ids(by_flow: Path) -> None:
    records = [json.loads(path.read_text()) for path in (by_flow / ".work" / "runs").glob("*.json")]
    assert {record["stage"] for record in records} == set(STAGES)
    for record in records:
        assert record["state"] == "finished"
        assert record["code"] == digest_of_stage(record["stage"])
        assert all(record["ids"].values())


def test_mlflow_knows_every_stage_and_model(by_flow: Path) -> None:
    import mlflow

    runs = mlflow.search_runs(
        experiment_names=["tedigan"], filter_string="tags.workspace = 'repo'", output_format="list"
    )
    assert {run.data.tags["stage"] for run in runs} == {"flow", *STAGES}
    models = {model.name for model in mlflow.search_registered_models()}
    names = {path.name for path in (by_flow / "models").iterdir()}
    assert models == {f"tedigan.{name}" for name in names - {"rivals"}}
    (dataset,) = next(r for r in runs if r.data.tags["stage"] == "invert").inputs.dataset_inputs
    assert dataset.dataset.digest == _lock(by_flow)["dataset"]["outs"][0]["md5"]


def _flows_in_mlflow() -> list[str]:
    """How the runs of flows ended there, the last one first."""
    import mlflow

    runs = mlflow.search_runs(
        experiment_names=["tedigan"], filter_string="tags.stage = 'flow'", output_format="list"
    )
    return [run.info.status for run in runs]


def hold(place: Path) -> None:
    """Have the turn until somebody is seen to wait for it."""
    with turn(place, "the stage train_generator"):
        place.with_name("held").touch()
        while not place.with_name("waited for").exists():
            time.sleep(0.02)


def test_a_flow_waits_for_whoever_runs_a_stage_here_and_says_so(
    by_flow: Path, prefect_server: None, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, say = Workspace.open(by_flow).turn, tasks.stages.say

    def heard(name: str, line: str) -> None:
        say(name, line)
        if "waits for" in line:
            place.with_name("waited for").touch()

    monkeypatch.setattr(tasks.stages, "say", heard)
    other = multiprocessing.get_context("fork").Process(target=hold, args=(place,), daemon=True)
    other.start()
    while not place.with_name("held").exists():
        time.sleep(0.02)
    status, said, _ = run(capsys, "dataset", by_flow)
    assert status == 0
    waits, skips = (line for line in said.splitlines() if line.startswith("dataset"))
    assert f"waits for the stage train_generator (process {other.pid} on" in waits
    assert "skipped" in skips


def test_a_run_that_was_killed_ends_as_killed_in_mlflow_and_prefect_too(
    by_flow: Path, prefect_server: None, capsys
) -> None:
    import mlflow
    from prefect.client.orchestration import get_client
    from prefect.states import Running

    from flows.lifecycle import dataset

    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("tedigan")
    with get_client(sync_client=True) as prefect:
        flow_run_id = str(prefect.create_flow_run(dataset, state=Running()).id)
    tags = {"stage": "flow", "prefect.flow_run_id": flow_run_id}
    parent = client.create_run(experiment.experiment_id, tags=tags).info.run_id
    run_id = client.create_run(experiment.experiment_id, tags={"stage": "invert"}).info.run_id
    workspace = Workspace.open(by_flow)
    record = RunRecord(workspace.runs / "20260101T000000.000000Z-invert.json")
    record.add(stage="invert", ids={"mlflow_run_id": run_id, "prefect_flow_run_id": flow_run_id})
    assert run(capsys, "dataset", by_flow)[0] == 0
    assert [client.get_run(one).info.status for one in (run_id, parent)] == ["KILLED", "KILLED"]
    with get_client(sync_client=True) as prefect:
        assert prefect.read_flow_run(flow_run_id).state.is_crashed()
    assert json.loads(record.path.read_text())["state"] == "killed"
    record.path.unlink()
    for one in (run_id, parent):
        client.delete_run(one)


def test_a_failing_stage_ends_the_flow_with_its_message(
    by_flow: Path, prefect_server: None, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tedigan.stages.generate

    params = by_flow / "params.yaml"
    kept = params.read_text()
    values = yaml.safe_load(kept)
    values["generate"]["seed"] += 1
    params.write_text(yaml.safe_dump(values))

    def fail(_workspace: object) -> None:
        raise DataError("000123.jpg is damaged; replace it.")

    monkeypatch.setattr(tedigan.stages.generate, "run", fail)
    status, said, complained = run(capsys, "lifecycle", by_flow)
    params.write_text(kept)
    assert status == 1
    assert "generate.seed 2 -> 3" in said
    assert "error: 000123.jpg is damaged; replace it." in complained
    assert "manipulate" not in said
    assert _flows_in_mlflow()[0] == "FAILED"


def test_a_push_that_fails_for_a_moment_is_tried_again_and_the_stage_is_not(
    by_flow: Path, prefect_server: None, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed: list[str | None] = []

    def push(workspace: Workspace, name: str | None = None) -> int:
        pushed.append(name)
        if len(pushed) == 1:
            raise StoreError("the bucket is gone") from ConnectionResetError()
        return real(workspace, name)

    real = recording.push
    monkeypatch.setattr(recording, "push", push)
    monkeypatch.setattr(policy, "RETRY_DELAYS_S", [0.0])
    params = by_flow / "params.yaml"
    kept = params.read_text()
    params.write_text(kept.replace("title: ", "title: again "))
    status, said, _ = run(capsys, "lifecycle", by_flow)
    params.write_text(kept)
    assert status == 0
    assert _flows_in_mlflow()[0] == "FINISHED"
    assert pushed == ["report", "report", None]
    assert said.count("report               runs") == 1


def test_preflight_refuses_bad_captions_before_anything_runs(
    by_flow: Path, prefect_server: None, capsys
) -> None:
    captions = by_flow / "captions.txt"
    kept = captions.read_bytes()
    captions.write_bytes(b"")
    status, said, complained = run(capsys, "lifecycle", by_flow)
    captions.write_bytes(kept)
    assert status == 1
    assert said == ""
    assert "captions.txt" in complained


def test_what_is_scheduled_runs_by_itself(by_flow: Path, tmp_path: Path) -> None:
    """The deployments of infra/prefect.yaml, a server, a pool, a worker, and nobody who asks for anything."""
    with scheduler.prefect_with_scheduler(tmp_path) as environment:
        pool = ["work-pool", "create", "gpu", "--type", "process"]
        scheduler.prefect(pool, environment)
        scheduler.deploy_soon(tmp_path, by_flow, environment)
        worker = [*scheduler.PREFECT, "worker", "start", "--pool", "gpu", "--type", "process"]
        with (
            (tmp_path / "worker.log").open("wb") as log,
            scheduler.running(worker, environment, log),
        ):
            state = _wait_for_a_run_of("retrain", environment["PREFECT_API_URL"])
    assert state == "Completed", (tmp_path / "worker.log").read_text()[-3000:]


def _wait_for_a_run_of(flow: str, api: str) -> str:
    """The state in which its first run ends, as the server says it: Prefect's commands take seconds each."""
    ended = {"name": {"any_": ["Completed", "Failed", "Crashed"]}}
    asked = {"flows": {"name": {"any_": [flow]}}, "flow_runs": {"state": ended}}
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        request = urllib.request.Request(
            f"{api}/flow_runs/filter",
            json.dumps(asked).encode(),
            {"Content-Type": "application/json"},
        )
        if runs := json.loads(opened(request).read()):
            return str(runs[-1]["state"]["name"])
        time.sleep(0.5)
    return "none in four minutes"
