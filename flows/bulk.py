"""Bulk jobs: plan one, draw it by an engine, seal and record it; and what a worker of one does.

The deployments are in infra/prefect.yaml; docs/bulk.md says what a job is.
"""

from pathlib import Path
from typing import Any

from prefect import flow

from flows.command_line import run_flow_with_options
from tasks.bulk import draw_shards, worker_here
from tasks.ending import BEGINNING, ENDING
from tasks.jobs import approve_job, close_job, draw_job, open_workspace, plan_job


@flow(name="bulk", **ENDING)
def bulk(
    job: str,
    workspace: Path = Path(),
    workers: int = 1,
    engine: str = "local",
    max_hours: float | None = None,
    photographs: str | None = None,
    models: Path | None = None,
) -> None:
    """Draw what an approved job has left, then seal it and record the seal.

    Where a budget or a cancellation ends it, the next run goes on. photographs: where they lie here that are
    edited, if not where the plan says. models: without them, those of the plan's release, or the workspace's.
    """
    ready = open_workspace(workspace)
    drawn = draw_job(job, ready, workers, engine, max_hours, photographs, models)
    close_job(job, ready, drawn)


@flow(name="plan-bulk", **ENDING)
def plan_bulk(
    prompts: str,
    place: str,
    workspace: Path = Path(),
    models: Path | None = None,
    release: str | None = None,
    faces_per_prompt: int = 1,
    images_per_shard: int = 1000,
    seed: int = 0,
    attempts: int = 1,
    photographs: str | None = None,
    pictures: str | None = None,
    parser: str | None = None,
    training_set: str | None = None,
    threads: int = 1,
    worker_hours: float | None = None,
    approved_by: str | None = None,
    workers: int = 1,
    usd_per_hour: float = 0.0,
    sample: int | None = None,
    engine: str = "local",
    max_hours: float | None = None,
) -> str:
    """Prompts, or edits of photographs, become a job; where somebody answers for it already, it is drawn at once.

    The options are those of `tedigan jobs plan`.
    """
    ready = open_workspace(workspace)
    job = plan_job(
        ready,
        prompts,
        place,
        models=models,
        release=release,
        faces_per_prompt=faces_per_prompt,
        images_per_shard=images_per_shard,
        seed=seed,
        attempts=attempts,
        photographs=photographs,
        pictures=pictures,
        parser=parser,
        training_set=training_set,
        threads=threads,
        worker_hours=worker_hours,
        workers=workers,
        usd_per_hour=usd_per_hour,
        sample=sample,
    )
    if approve_job(job, approved_by):
        bulk(job, workspace, workers, engine, max_hours, photographs, models)
    return job


@flow(name="draw", **BEGINNING)
def draw(worker: dict[str, Any], begin: int = 0) -> None:
    """One worker of a job, beside any number of others: the engine `prefect` starts these."""
    draw_shards(worker_here(worker), begin)


if __name__ == "__main__":
    raise SystemExit(run_flow_with_options(bulk, plan_bulk))
