"""From photographs to the page that a person reads: every stage, in order."""

from pathlib import Path

from prefect import flow

from flows.alignment import alignment
from flows.command_line import run_flow
from flows.dataset import dataset
from flows.evaluate import evaluate
from flows.generate import generate
from flows.inversion import inversion
from flows.manipulate import manipulate
from tasks.stages import finish, preflight, run_stage


@flow(name="lifecycle")
def lifecycle(workspace: Path) -> None:
    """From photographs to the page that a person reads: every stage, in order."""
    ready = preflight(workspace)
    dataset(workspace)
    inversion(workspace)
    alignment(workspace)
    evaluate(workspace)
    generate(workspace)
    manipulate(workspace)
    run_stage("report", ready)
    finish(ready)


if __name__ == "__main__":
    raise SystemExit(run_flow(lifecycle))
