"""Remove what infra/retention.yaml gives up: `python -m infra tidy`, and with --yes it is done.

Flow runs are Prefect's server's to remove, backups `backup`'s. Nothing here touches releases, promotions, or a job
that is sealed or finished.
"""

from collections.abc import Iterator

from infra.backup import inside
from infra.machine import Machine
from infra.retention import DAY_S, Retention
from tedigan.bulk.job_list import jobs_of
from tedigan.bulk.ledger import PLAN, SEALED, Ledger


def tidy(machine: Machine, retention: Retention, *, is_meant: bool) -> list[str]:
    """A line for each thing that goes. is_meant: whether it goes now."""
    older, lines = f"{retention.mlflow_deleted_days}d", []
    with inside(machine.environment):
        for ledger, days in given_up(retention):
            lines.append(f"job: {ledger.address}, in which nothing was written for {days:.0f} days")
            if is_meant:
                remove(ledger)
    if is_meant:
        machine.forget_deleted(older)
    return [*lines, f"MLflow: what was deleted there more than {older} ago"]


def given_up(retention: Retention) -> Iterator[tuple[Ledger, float]]:
    """Jobs that nobody went on with, and for how many days."""
    for place in retention.job_places:
        for ledger in jobs_of(place):
            days = min(ledger.bucket.ages().values()) / DAY_S
            if days >= retention.unfinished_jobs_days and not _is_whole(ledger):
                yield ledger, days


def remove(ledger: Ledger) -> None:
    """Delete a job; its plan last, by which one that was interrupted is found again."""
    for name in sorted(ledger.bucket.names(), key=lambda one: one == PLAN):
        ledger.bucket.delete(name)


def _is_whole(ledger: Ledger) -> bool:
    """Whether it is sealed, or has no shard left."""
    if ledger.bucket.exists(SEALED):
        return True
    return len(ledger.committed()) >= ledger.plan.num_shards
