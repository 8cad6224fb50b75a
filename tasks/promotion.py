"""The Prefect tasks of releases: register a challenger, weigh it, let a person approve, move the champion."""

from pathlib import Path

from prefect import runtime, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput

from tasks import policy
from tasks.stages import say
from tedigan.releases.registry import CHALLENGER as CHALLENGER  # the flow's default
from tedigan.serving.releasing import Releases
from tedigan.serving.weighing import Weighed
from tedigan.workspace import Workspace


class Approval(RunInput):
    """What a person says to a paused promotion: who it is, and whether it may go on."""

    by: str
    is_approved: bool = False


@task(task_run_name="preflight", cache_policy=NO_CACHE)
def open_releases(folder: Path) -> Releases:
    """What can be refused before anything is judged: params, policy, the release store."""
    releases = Releases.of(Workspace.open(folder, writes_params=True))
    releases.promotions.last()
    return releases


@task(
    task_run_name="register",
    cache_policy=NO_CACHE,
    **policy.RETRYING,
)
def register_release(releases: Releases) -> int:
    """Make the workspace's results the challenger; an equal release keeps its version."""
    found = releases.register()
    say("register", f"{found.named} is the challenger, in {found.place}")
    return found.named.version


@task(task_run_name="weigh {release}", cache_policy=NO_CACHE)
def weigh_release(releases: Releases, release: str) -> Weighed | None:
    """Whether a release may become champion, with the reasons; None where there is nothing to decide.

    A refusal is signed and kept.
    """
    weighed = releases.consider(release)
    _tell(releases, weighed)
    return weighed


def ask_for_approval(releases: Releases, weighed: Weighed | None) -> str | None:
    """In whose name it goes on: the policy's, or of who answers the paused run; None where it does not."""
    if weighed is None or not weighed.decision.is_better:
        return None
    why = releases.needs_a_person(weighed)
    if not why:
        return "policy"
    other = f"tedigan release promote {weighed.candidate.version} --approve"
    say("approve", f"waits, as {why}: resume this flow run, or `{other}`")
    try:
        answer = pause_flow_run(
            wait_for_input=Approval.with_initial_data("\n".join(weighed.lines()), by=""),
            timeout=policy.APPROVAL_TIMEOUT_S,
            poll_interval=policy.APPROVAL_POLL_S,
        )
    except FlowPauseTimeout:
        say("approve", "nobody answered; it stays a challenger")
        return None
    if not answer.is_approved or not answer.by:
        say("approve", f"{answer.by or 'somebody'} did not approve; it stays a challenger")
        return None
    return answer.by


@task(task_run_name="promote", cache_policy=NO_CACHE)
def make_champion(releases: Releases, weighed: Weighed | None, by: str | None) -> bool:
    """Record the promotion, and move the registry's alias; False where nobody stands for it."""
    if is_decided := weighed is not None and by is not None:
        promotion = releases.promote(weighed, by=by)
        say("promote", f"{promotion.champion} is champion by {by}: promotion {promotion.number}")
    return is_decided


@task(task_run_name="rollback", cache_policy=NO_CACHE)
def roll_back_champion(releases: Releases, by: str | None) -> None:
    """Record the rollback, and move the registry's alias. by: None = the flow run's own name."""
    promotion = releases.roll_back(by=by or str(runtime.flow_run.name))
    say("rollback", f"{promotion.champion} is champion again: promotion {promotion.number}")


def _tell(releases: Releases, weighed: Weighed | None) -> None:
    """Each rule as a line, and as a row of a table in Prefect's pages."""
    if weighed is None:
        say("weigh", "there is no challenger beside the champion: nothing to decide")
        return
    for line in weighed.lines():
        say("weigh", line)
    create_table_artifact(
        [
            {"rule": one.rule, "met": one.is_met, "found": one.said}
            for one in weighed.decision.reasons
        ],
        key="promotion",
        description=f"{weighed.candidate} beside {weighed.champion or 'nothing'}",
    )
    if not weighed.decision.is_better:
        say("weigh", f"it stays a challenger: {releases.refuse(weighed)}")
