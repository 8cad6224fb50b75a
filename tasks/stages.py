"""The Prefect tasks: preflight, a stage that is run where it is stale and then recorded, and the end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path

from prefect import get_run_logger, runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import MissingContextError

from tasks import policy, recording
from tasks.ending import close_the_killed
from tedigan import stages
from tedigan.provenance import RunRecord
from tedigan.stages import following
from tedigan.stages.report import render_page
from tedigan.turns import turn
from tedigan.workspace import Workspace


@task(
    task_run_name="{name}",
    timeout_seconds=policy.STAGE_TIMEOUT_S,
    cache_policy=NO_CACHE,
    **policy.RETRYING,
)
def run_stage(name: str, workspace: Workspace) -> None:
    """Run, restore or skip one stage, and say which and why; what another flow runs here is waited for."""
    with _turn_of(name, workspace):
        reasons = recording.why_stale(workspace, name)
        if not reasons:
            say(name, "skipped: params, code, inputs and outputs are as dvc.lock records them")
        elif recording.restore(workspace, name):
            say(name, f"restored from an equal run ({_joined(reasons)})")
        else:
            run_and_record(name, workspace, reasons)


@task(
    task_run_name="source",
    cache_policy=NO_CACHE,
    **policy.RETRYING,
)
def follow_source(workspace: Workspace) -> None:
    """Make the data set again where its source lists other files, or other versions of them, than last time."""
    if following.has_changed(workspace, following.listing_of(workspace)):
        with _turn_of("dataset", workspace):
            run_and_record("dataset", workspace, ["its source lists other files"])


def run_and_record(name: str, workspace: Workspace, reasons: list[str]) -> None:
    """Run a stage, track it in MLflow, record it in DVC, and link the three ids in its run record.

    Its result is committed first, so that nothing that fails afterwards makes it run again, and in the remote
    before MLflow speaks of it.
    """
    from tasks import (
        tracking,
    )  # MLflow takes a second or two, which a run that skips everything saves

    say(name, f"runs: {_joined(reasons)}")
    listing = following.listing_of(workspace) if name == "dataset" else ""
    started = time.monotonic()
    flow_run_id = runtime.flow_run.root_flow_run_id
    with tracking.stage_run(name, workspace, flow_run_id) as run:
        known = {"prefect_flow_run_id": flow_run_id, "mlflow_run_id": run.run_id}
        finished = stages.run_stage(name, workspace, ids=known)
        recorded = recording.commit(workspace, name)
        if listing:
            following.note_listing(workspace, listing)
        ids = {"dvc_lock_sha256": recorded.lock_sha256}
        RunRecord(finished.record).add(ids=ids, dvc=asdict(recorded))
        policy.persistently(partial(recording.push, workspace, name))
        run.log_outcome(finished.outcome)
        run.link(recorded, recording.remote_url(workspace))
        papers = (workspace.root / "params.yaml", workspace.root / "dvc.lock", workspace.code_lock)
        run.keep(finished.record, *papers)
    say(name, f"finished in {time.monotonic() - started:.1f} s")


@contextmanager
def _turn_of(name: str, workspace: Workspace) -> Iterator[None]:
    """One process at a time runs a stage here; runs that were killed are closed before the next begins."""
    flow = f"the stage {name} of the flow run {runtime.flow_run.name}"
    with turn(workspace.turn, flow, say=partial(say, name)):
        close_the_killed(workspace)
        yield


@task(task_run_name="preflight", cache_policy=NO_CACHE)
def preflight(folder: Path) -> Workspace:
    """Everything that can be refused before any GPU time: params, remote, code.lock, captions, edits."""
    workspace = Workspace.open(folder, writes_params=True)
    recording.check_remote(workspace)
    stages.check_stages(workspace)
    return workspace


@task(
    task_run_name="finish",
    cache_policy=NO_CACHE,
    **policy.RETRYING,
)
def finish(workspace: Workspace) -> None:
    """Push what an interrupted run or a `dvc repro` left here alone, and name the page to read.

    The page is written once more, as only now every stage's record and dvc.lock say how they ended.
    """
    count = recording.push(workspace)
    page = render_page(workspace)
    say("done", f"{count} files that the remote lacked; read {page}")


@task(
    task_run_name="push",
    cache_policy=NO_CACHE,
    **policy.RETRYING,
)
def push(workspace: Workspace) -> None:
    """Copy what the remote lacks, of stages that were skipped too."""
    if count := recording.push(workspace):
        say("done", f"{count} files that the remote lacked")


def say(name: str, line: str) -> None:
    """One line for the person at the terminal, if there is one, and the same for Prefect's log."""
    with suppress(BrokenPipeError):
        print(f"{name:<21}{line}", flush=True)
    try:
        get_run_logger().info("%s %s", name, line)
    except MissingContextError:
        return


def _joined(reasons: list[str], at_most: int = 3) -> str:
    more = f" and {len(reasons) - at_most} more" if len(reasons) > at_most else ""
    return "; ".join(reasons[:at_most]) + more
