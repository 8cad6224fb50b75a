"""The Prefect tasks of a bulk job: plan, approve, draw by an engine, then seal and record."""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import runtime, task
from prefect.artifacts import (
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE

from tasks import policy, recording
from tasks.stages import say
from tedigan.bulk.engines import Engine, open_engine
from tedigan.bulk.ledger import SEALED, Ledger
from tedigan.bulk.plan import Plan
from tedigan.bulk.running import run_job
from tedigan.bulk.seal import seal
from tedigan.bulk.worker import Worker
from tedigan.commands import jobs_plan
from tedigan.provenance import git_commit
from tedigan.serving.releasing import models_to_draw_with
from tedigan.workspace import Workspace

RECORD, LOCK = "record.json", "dvc.lock"


@dataclass(frozen=True)
class Drawn:
    """What one run of a job did. num_left: shards that a budget or a cancellation left."""

    num_left: int
    num_images: int
    seconds: float

    @property
    def images_per_second(self) -> float:
        """0 where others had drawn all."""
        return self.num_images / self.seconds


@task(task_run_name="preflight", cache_policy=NO_CACHE)
def open_workspace(folder: Path) -> Workspace:
    """What can be refused before anything is drawn: params, and the remote that the seal goes to."""
    workspace = Workspace.open(folder, writes_params=True)
    recording.check_remote(workspace)
    return workspace


@task(task_run_name="plan", cache_policy=NO_CACHE, log_prints=True)
def plan_job(workspace: Workspace, prompts: str, place: str, **options: Any) -> str:
    """The address of a job, planned as `tedigan jobs plan` does. options: of that command; None = not given."""
    chosen = {name: value for name, value in options.items() if value is not None}
    given = [f"--{name.replace('_', '-')}={value}" for name, value in chosen.items()]
    return _planned([prompts, place, f"--workspace={workspace.root}", *given])


@task(task_run_name="approve", cache_policy=NO_CACHE)
def approve_job(job: str, by: str | None) -> bool:
    """Whether it may run now: in somebody's name, or not before somebody looks at it."""
    if by is None:
        say("approve", f"look at {job}, then run `tedigan jobs approve {job}` and the flow `bulk`")
    else:
        Ledger(job).approve(by)
    return by is not None


@task(task_run_name="draw", cache_policy=NO_CACHE)
def draw_job(
    job: str,
    workspace: Workspace,
    workers: int,
    engine: str,
    max_hours: float | None,
    photographs: str | None,
    models: Path | None,
) -> Drawn:
    """Draw what is left of an approved job, as far as a budget or a cancellation lets it."""
    worker = Worker(
        job,
        models_to_draw_with(workspace, models, Ledger(job).plan.release)[1],
        workspace.work / "bulk",
        workspace.params.runtime.device,
        photographs=photographs,
    )
    count = Count(open_engine(engine), worker.ledger.plan)
    left = run_job(worker, count.run, workers, max_hours=max_hours)
    return Drawn(left, count.num_images, time.monotonic() - count.started)


@task(
    task_run_name="close",
    cache_policy=NO_CACHE,
    **policy.RETRYING,
)
def close_job(job: str, workspace: Workspace, drawn: Drawn) -> None:
    """Seal a job that has nothing left, and record the seal; else say what is left."""
    ledger = Ledger(job)
    manifest = None if drawn.num_left else seal(ledger)
    if manifest is not None:
        record_seal(ledger, manifest, workspace, drawn)
    _conclude(ledger, manifest, drawn)


class Count:
    """An engine that counts what another one settles, in a progress artifact too."""

    def __init__(self, engine: Engine, plan: Plan) -> None:
        self.engine, self.plan = engine, plan
        self.num_images, self.started = 0, time.monotonic()

    def run(self, worker: Worker, shards: Sequence[int], num_workers: int) -> Iterator[int]:
        """An engine; see tedigan.bulk.engines."""
        total = self.plan.num_shards
        done, told = total - len(shards), time.monotonic()
        about = f"shards of job {self.plan.name}"
        key = f"bulk-{self.plan.name}"
        artifact: Any = create_progress_artifact(100 * done / total, key=key, description=about)
        try:
            for shard in self.engine(worker, shards, num_workers):
                done += 1
                self.num_images += len(self.plan.images_of(shard))
                yield shard
                if time.monotonic() > told + policy.PROGRESS_EVERY_S:
                    update_progress_artifact(artifact, 100 * done / total)
                    told = time.monotonic()
        finally:
            update_progress_artifact(artifact, 100 * done / total)


def record_seal(
    ledger: Ledger, manifest: dict[str, Any], workspace: Workspace, drawn: Drawn
) -> None:
    """The manifest in DVC, one run in MLflow, and the ids of all three beside the seal. Once a job.

    DVC tracks `results/jobs/<job>/sealed.json` and sees no picture: the manifest names every shard by its sha256.
    """
    from tasks import tracking  # MLflow takes a second or two

    if ledger.bucket.exists(RECORD):
        return
    path = workspace.result("jobs") / ledger.name / SEALED
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(ledger.bucket.read(SEALED))
    md5 = recording.track(workspace, path)
    flow_run_id = runtime.flow_run.root_flow_run_id
    metrics = {
        "num_images": manifest["num_images"],
        "num_marked": manifest["num_marked"],
        "images_per_second": drawn.images_per_second,
    }
    run_id = tracking.log_bulk(ledger, manifest, metrics, workspace, flow_run_id, md5)
    lock = workspace.root / LOCK
    if lock.exists():
        ledger.bucket.write(LOCK, lock)
    ids = {"prefect_flow_run_id": flow_run_id, "mlflow_run_id": run_id, "dvc_md5": md5}
    record = {
        "job": ledger.name,
        "root": manifest["root"],
        "ids": ids,
        "git_commit": git_commit()[0],
        "dvc_remote": recording.remote_url(workspace),
    }
    ledger.bucket.create(RECORD, json.dumps(record, sort_keys=True).encode())


def _conclude(ledger: Ledger, manifest: dict[str, Any] | None, drawn: Drawn) -> None:
    """A line for people and a table in Prefect. Who was marked is known of a sealed job."""
    total = ledger.plan.num_shards
    row: dict[str, Any] = {
        "shards": f"{total - drawn.num_left:,} of {total:,}",
        "images drawn": drawn.num_images,
        "marked": "" if manifest is None else manifest["num_marked"],
        "conflicts": len(ledger.conflicts()),
        "seconds": round(drawn.seconds, 1),
        "images a second": round(drawn.images_per_second, 2),
        "root": "" if manifest is None else manifest["root"],
    }
    create_table_artifact([row], key=f"bulk-{ledger.name}-summary", description=ledger.address)
    how = f"sealed, root {row['root']}" if manifest else "not sealed; `bulk` goes on with the rest"
    say("bulk", f"{row['shards']} shards are committed: {how}")


def _planned(given: list[str]) -> str:
    parser = argparse.ArgumentParser()
    jobs_plan.add_arguments(parser)
    ledger = jobs_plan.make_plan(parser.parse_args(given))
    assert ledger is not None, "only a dry run makes none"
    return ledger.address
