"""How runs end, told to whom it concerns: a flow ends in MLflow as in Prefect, and the killed are closed.

A flow run does not end with the worker that started it.
"""

from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.states import Crashed

from tedigan.processes import outlive_readers
from tedigan.provenance import close_killed
from tedigan.workspace import Workspace

STATUS = {"COMPLETED": "FINISHED", "FAILED": "FAILED"}  # MLflow's; any other end is a death
KILLED = "KILLED"


def end_in_mlflow(_flow: Any, flow_run: Any, state: Any) -> None:
    """What Prefect calls when a flow has ended; a worker does where the flow's process was killed.

    A flow within another has no run of its own.
    """
    if flow_run.parent_task_run_id is None:
        from tasks import tracking

        workspace = Workspace.open(Path(flow_run.parameters.get("workspace", ".")))
        tracking.end_flow(workspace, str(flow_run.id), STATUS.get(state.type.value, KILLED))


def outlive_the_worker(_flow: Any, _flow_run: Any, _state: Any) -> None:
    """What Prefect calls when a flow has begun, in its process."""
    outlive_readers()


# Of every flow: `@flow(..., **BEGINNING)`.
BEGINNING: dict[str, Any] = {"on_running": [outlive_the_worker]}
# Of every flow whose stages or jobs MLflow knows: `@flow(..., **ENDING)`.
ENDING: dict[str, Any] = BEGINNING | {
    name: [end_in_mlflow]
    for name in ("on_completion", "on_failure", "on_crashed", "on_cancellation")
}


def close_the_killed(workspace: Workspace) -> None:
    """Runs that were killed here said no goodbye: say it for them, in their records, in MLflow and in Prefect.

    A flow run that crashed and was queued again is the one that runs now, and goes on.
    """
    mine = runtime.flow_run.root_flow_run_id
    for record in close_killed(workspace.runs):
        from tasks import tracking

        flow_run_id, run_id = (
            record["ids"].get(name) for name in ("prefect_flow_run_id", "mlflow_run_id")
        )
        if run_id:
            tracking.end_killed(workspace, run_id)
        if flow_run_id and flow_run_id != mine:
            tracking.end_flow(workspace, flow_run_id, KILLED)
            _crash(flow_run_id)


def _crash(flow_run_id: str) -> None:
    """Prefect believes in a run without a process; one that another server knew is left."""
    with get_client(sync_client=True) as client:
        try:
            state = client.read_flow_run(UUID(flow_run_id)).state
        except ObjectNotFound:
            return
        if state is not None and state.is_running():
            message = "Its process was killed; the next run here found it."
            client.set_flow_run_state(UUID(flow_run_id), Crashed(message=message), force=True)
