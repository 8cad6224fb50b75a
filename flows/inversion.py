"""A generator, its inverse, and the W+ code of every photograph (A1)."""

from pathlib import Path

from prefect import flow

from flows.command_line import run_flow
from tasks.stages import preflight, run_stage


@flow(name="inversion")
def inversion(workspace: Path) -> None:
    """A generator, its inverse, and the W+ code of every photograph (A1)."""
    ready = preflight(workspace)
    run_stage("train_generator", ready)
    run_stage("train_encoder", ready)
    run_stage("invert", ready)


if __name__ == "__main__":
    raise SystemExit(run_flow(inversion))
