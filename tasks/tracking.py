"""MLflow: one run per stage that ran, nested under one run per flow, tagged with the other tools' ids."""

import csv
import logging
import os
import time
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import mlflow
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException

from tasks.recording import Recorded, flat
from tedigan.bulk.ledger import Ledger
from tedigan.errors import StoreError
from tedigan.progress import listening
from tedigan.provenance import git_commit
from tedigan.workspace import Outcome, Workspace

logging.getLogger("mlflow").setLevel(logging.WARNING)

EXPERIMENT = "tedigan"
METRICS_A_BATCH = 1000  # MLflow's own limit
DIGEST_LENGTH = 36  # of a data set's digest, at most; MLflow's too


@dataclass
class Live:
    """Numbers that reach a run while its stage trains. steps: those that did.

    After one that MLflow did not take, it is left in peace: what is missing comes with the outcome.
    """

    run_id: str
    steps: set[int] = field(default_factory=set)
    is_heard: bool = True

    def hear(self, step: int, numbers: Mapping[str, float]) -> None:
        """One step's."""
        now = int(time.time() * 1000)
        metrics = [Metric(f"curve.{name}", value, now, step) for name, value in numbers.items()]
        try:
            if self.is_heard:
                mlflow.MlflowClient().log_batch(self.run_id, metrics=metrics)
                self.steps.add(step)
        except (MlflowException, OSError):
            self.is_heard = False


@dataclass(frozen=True)
class StageRun:
    """An open MLflow run of one stage."""

    run_id: str
    name: str
    workspace: Workspace
    live: Live

    def log_outcome(self, outcome: Outcome) -> None:
        """Final numbers, curves, pictures, and how the run went."""
        mlflow.log_metrics(outcome.metrics)
        if outcome.curves is not None:
            _log_curves(self.run_id, outcome.curves, self.live.steps)
            mlflow.log_artifact(str(outcome.curves), "curves")
        for picture in outcome.pictures:
            mlflow.log_artifact(str(picture), "pictures")
        facts = asdict(outcome)
        mlflow.set_tags({name: facts[name] for name in ("resumed_from_step", "num_quarantined")})

    def keep(self, *files: Path) -> None:
        """The run's own papers: beside the pictures in the bucket, so that it can be read without this machine."""
        for file in files:
            mlflow.log_artifact(str(file), "provenance")

    def link(self, recorded: Recorded, remote_url: str) -> None:
        """Name what went in and came out by its DVC md5, and register models as new versions."""
        mlflow.set_tag("dvc.lock.sha256", recorded.lock_sha256)
        for path, md5 in recorded.inputs.items():
            if self.workspace.at(path) == self.workspace.dataset:
                source: Any = resolve_dataset_source(_address(remote_url, md5))
                mlflow.log_input(MetaDataset(source, name="dataset", digest=md5), context=self.name)
        for path, md5 in recorded.outputs.items():
            mlflow.set_tag(f"dvc.out.{path}", md5)
            folder = self.workspace.at(path)
            is_sealed = (
                folder / "SHA256SUMS"
            ).is_file()  # as each model's; rivals are folders of them
            if folder.parent == self.workspace.model("") and is_sealed:
                _register(self.run_id, folder, md5)


@contextmanager
def stage_run(name: str, workspace: Workspace, flow_run_id: str | None) -> Iterator[StageRun]:
    """An MLflow run around a stage, FAILED where the stage fails; made before any GPU time."""
    tags = _tags(name, workspace, flow_run_id)
    with speaking_of(workspace):
        parent = _flow_run(workspace, flow_run_id) if flow_run_id else None
        with mlflow.start_run(run_name=name, nested=True, parent_run_id=parent, tags=tags) as run:
            mlflow.log_params(flat(getattr(workspace.params, name).model_dump(mode="json")))
            live = Live(run.info.run_id)
            with listening(live.hear):
                yield StageRun(run.info.run_id, name, workspace, live)


def end_killed(workspace: Workspace, run_id: str) -> None:
    """A run whose process was killed is no longer RUNNING; one that MLflow has forgotten is left."""
    with speaking_of(workspace):
        for run in _runs_of(f"attributes.run_id = '{run_id}'"):
            if run.info.status == "RUNNING":
                mlflow.MlflowClient().set_terminated(run_id, "KILLED")


def end_flow(workspace: Workspace, flow_run_id: str, status: str) -> None:
    """A flow's run ends as the flow did: FINISHED, FAILED or KILLED; a flow that ran nothing has none."""
    with speaking_of(workspace):
        for run in _runs_of(_of_flow(flow_run_id)):
            mlflow.MlflowClient().set_terminated(run.info.run_id, status)


def log_bulk(
    ledger: Ledger,
    manifest: dict[str, Any],
    metrics: dict[str, float],
    workspace: Workspace,
    flow_run_id: str | None,
    md5: str,
) -> str:
    """The run of a sealed job: its plan, its numbers, and its root as a data set. md5: DVC's, of the manifest."""
    root = manifest["root"]
    tags = _tags("bulk", workspace, flow_run_id) | {
        "job": ledger.name,
        "plan": manifest["plan"],
        "root": root,
        "dvc.md5": md5,
    }
    with speaking_of(workspace):
        parent = _flow_run(workspace, flow_run_id) if flow_run_id else None
        with mlflow.start_run(run_name="bulk", nested=True, parent_run_id=parent, tags=tags) as run:
            mlflow.log_params(flat(ledger.plan.to_json()))
            mlflow.log_metrics(metrics)
            source: Any = resolve_dataset_source(ledger.address)
            images = MetaDataset(source, name=ledger.name, digest=root[:DIGEST_LENGTH])
            mlflow.log_input(images, context="bulk")
            return str(run.info.run_id)


def _tags(stage: str, workspace: Workspace, flow_run_id: str | None) -> dict[str, str]:
    commit, is_dirty = git_commit()
    return {
        "stage": stage,
        "workspace": workspace.root.name,
        "prefect.flow_run_id": flow_run_id or "none",
        "git.sha": commit or "unknown",
        "git.dirty": str(is_dirty),
    }


@contextmanager
def speaking_of(workspace: Workspace) -> Iterator[None]:
    """Point MLflow at MLFLOW_TRACKING_URI, or at a database in the workspace's work folder."""
    address = os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{workspace.work / 'mlflow.db'}")
    artifacts = os.environ.get("MLFLOW_DEFAULT_ARTIFACT_ROOT", str(workspace.work / "mlartifacts"))
    try:
        workspace.work.mkdir(parents=True, exist_ok=True)
        mlflow.set_tracking_uri(address)
        if mlflow.get_experiment_by_name(EXPERIMENT) is None:
            # a tracking server knows its own artifact root
            own = None if address.startswith("http") else artifacts
            mlflow.create_experiment(EXPERIMENT, artifact_location=own)
        mlflow.set_experiment(EXPERIMENT)
        yield
    except MlflowException as error:
        raise StoreError(
            f"MLflow at {address} refuses: {error.message}. Name another with MLFLOW_TRACKING_URI, or run "
            "the command under `python -m infra.local --`."
        ) from error


def _flow_run(workspace: Workspace, flow_run_id: str) -> str:
    """The parent run of a flow's stages, found by the flow's id or made; it runs until `end_flow`."""
    client = mlflow.MlflowClient()
    if found := _runs_of(_of_flow(flow_run_id)):
        run_id = str(found[0].info.run_id)
        client.update_run(run_id, status="RUNNING")  # a flow that crashed may be queued again
        return run_id
    tags = {"prefect.flow_run_id": flow_run_id, "stage": "flow", "workspace": workspace.root.name}
    experiment = client.get_experiment_by_name(EXPERIMENT)
    name = f"flow {flow_run_id[:8]}"
    made = client.create_run(experiment.experiment_id, tags=tags, run_name=name)
    return str(made.info.run_id)


def _of_flow(flow_run_id: str) -> str:
    return f"tags.`prefect.flow_run_id` = '{flow_run_id}' and tags.stage = 'flow'"


def _runs_of(query: str) -> list[Any]:
    """The first of our runs that a filter finds, if any."""
    return list(
        mlflow.search_runs(
            experiment_names=[EXPERIMENT], filter_string=query, max_results=1, output_format="list"
        )
    )


def _log_curves(run_id: str, path: Path, live: Container[int]) -> None:
    """Per-step numbers: a CSV with a `step` column; empty cells, and steps that were heard live, are left out."""
    now = int(time.time() * 1000)
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    metrics = [
        Metric(f"curve.{name}", float(value), now, int(float(row["step"])))
        for row in rows
        for name, value in row.items()
        if name != "step" and value and int(float(row["step"])) not in live
    ]
    for start in range(0, len(metrics), METRICS_A_BATCH):
        batch = metrics[start : start + METRICS_A_BATCH]
        mlflow.MlflowClient().log_batch(run_id, metrics=batch)


def _register(run_id: str, folder: Path, md5: str) -> None:
    """A model folder (safetensors + config.json) as artifacts and as a new version of its model."""
    mlflow.log_artifacts(str(folder), "model")
    client, name = mlflow.MlflowClient(), f"tedigan.{folder.name}"
    if not client.search_registered_models(f"name = '{name}'", max_results=1):
        client.create_registered_model(name)
    source = mlflow.get_artifact_uri("model")
    client.create_model_version(name, source, run_id=run_id, tags={"dvc.md5": md5})


def _address(remote_url: str, md5: str) -> str:
    """Where DVC keeps an object in its remote."""
    return f"{remote_url}/files/md5/{md5[:2]}/{md5[2:]}"
