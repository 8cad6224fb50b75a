"""A noted worker as a flow, for the engine `prefect`."""

from typing import Any

from prefect import flow

from benchmarks.chaos.noted import NotedWorker
from tasks.bulk import draw_shards


@flow(name="draw-noted")
def draw_noted(worker: dict[str, Any], begin: int) -> None:
    """See `flows.bulk.draw`."""
    draw_shards(NotedWorker.from_json(worker), begin)
