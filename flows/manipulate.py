"""Photographs and texts become edited photographs."""

from pathlib import Path

from prefect import flow

from flows.command_line import run_flow
from tasks.stages import preflight, run_stage


@flow(name="manipulate")
def manipulate(workspace: Path) -> None:
    """Photographs and texts become edited photographs."""
    ready = preflight(workspace)
    run_stage("manipulate", ready)


if __name__ == "__main__":
    raise SystemExit(run_flow(manipulate))
