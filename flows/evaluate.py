"""An independent judge is trained, and then judges."""

from pathlib import Path

from prefect import flow

from flows.command_line import run_flow
from tasks.stages import preflight, run_stage


@flow(name="evaluate")
def evaluate(workspace: Path) -> None:
    """An independent judge is trained, and then judges."""
    ready = preflight(workspace)
    run_stage("train_referee", ready)
    run_stage("evaluate", ready)


if __name__ == "__main__":
    raise SystemExit(run_flow(evaluate))
