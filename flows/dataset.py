"""Photographs (or drawn faces) become a data set."""

from pathlib import Path

from prefect import flow

from flows.command_line import run_flow
from tasks.stages import preflight, run_stage


@flow(name="dataset")
def dataset(workspace: Path) -> None:
    """Photographs (or drawn faces) become a data set."""
    ready = preflight(workspace)
    run_stage("dataset", ready)


if __name__ == "__main__":
    raise SystemExit(run_flow(dataset))
