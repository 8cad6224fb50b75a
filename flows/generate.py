"""Captions become faces."""

from pathlib import Path

from prefect import flow

from flows.command_line import run_flow
from tasks.stages import preflight, run_stage


@flow(name="generate")
def generate(workspace: Path) -> None:
    """Captions become faces."""
    ready = preflight(workspace)
    run_stage("generate", ready)


if __name__ == "__main__":
    raise SystemExit(run_flow(generate))
