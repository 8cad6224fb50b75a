"""The lifecycle on a schedule: a changed data set, params.yaml or room is found and followed up.

Stages that nothing changed for are skipped or put back from the remote, so an idle week costs a minute.
What comes of it is a challenger; `flows/releases.py` decides what becomes of that. `infra/prefect.yaml` holds the
deployment and its schedule.
"""

from pathlib import Path

from prefect import flow

from flows.command_line import run_flow
from flows.lifecycle import lifecycle
from flows.releases import register
from tasks.ending import ENDING
from tasks.stages import follow_source, preflight


@flow(name="retrain", **ENDING)
def retrain(workspace: Path) -> None:
    """Run the lifecycle again; what is still true is skipped. What came of it is the challenger."""
    follow_source(preflight(workspace))
    lifecycle(workspace)
    register(workspace)


if __name__ == "__main__":
    raise SystemExit(run_flow(retrain))
