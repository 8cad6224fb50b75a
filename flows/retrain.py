"""The lifecycle on a schedule: a changed data set, params.yaml or room is found and followed up.

Stages that nothing changed for are skipped or put back from the remote, so an idle week costs a minute.
`infra/prefect.yaml` holds the deployment and its schedule.
"""

from pathlib import Path

from prefect import flow

from flows.command_line import run_flow
from flows.lifecycle import lifecycle


@flow(name="retrain")
def retrain(workspace: Path) -> None:
    """Run the lifecycle again; what is still true is skipped."""
    lifecycle(workspace)


if __name__ == "__main__":
    raise SystemExit(run_flow(retrain))
