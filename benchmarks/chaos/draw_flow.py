"""A noted worker as a flow, for the engine `prefect`."""

from pathlib import Path

from prefect import flow

from benchmarks.chaos.noted import NotedWorker
from tasks.bulk import draw_shards


@flow(name="draw-noted")
def draw_noted(
    job: str,
    models: Path,
    scratch: Path,
    device: str,
    deadline: float | None,
    photographs: str | None,
    seconds: float,
    drift: int,
    notes: Path,
    meeting: int,
    begin: int,
) -> None:
    """See `flows.bulk.draw`."""
    worker = NotedWorker.arrived(
        job=job,
        models=models,
        scratch=scratch,
        device=device,
        deadline=deadline,
        photographs=photographs,
        seconds=seconds,
        drift=drift,
        notes=notes,
        meeting=meeting,
    )
    draw_shards(worker, begin)
