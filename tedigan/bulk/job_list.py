"""The jobs of a place, a line each, by a number of requests that does not grow with their images.

One listing finds them. Each is asked for its plan and that one's age, its commits (a thousand a request), and what
decides its state; the workers of one that may be drawn are read too, as a status does.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tedigan.bulk.amounts import duration
from tedigan.bulk.ledger import PLAN, Ledger
from tedigan.bulk.status import Watch, aligned, state_of
from tedigan.store.addresses import open_bucket


@dataclass(frozen=True)
class Brief:
    """A job in a line. state: as its status says it. age_s: since it was planned, by the store's clock."""

    job: str
    state: str
    num_images: int
    num_shards: int
    num_shards_committed: int
    age_s: float


def jobs_of(place: str) -> Iterator[Ledger]:
    """Every job directly below a folder or s3:// prefix, by name; a StoreError where the store does not answer."""
    place = place.rstrip("/")
    bucket = open_bucket(place)
    for name in bucket.folders():
        if bucket.exists(f"{name}/{PLAN}"):
            yield Ledger(f"{place}/{name}")


def brief_of(ledger: Ledger) -> Brief:
    """A DataError where the job's files are not what they were."""
    plan, num_committed = ledger.plan, len(ledger.committed())
    return Brief(
        job=plan.name,
        state=state_of(ledger, plan.num_shards - num_committed, Watch(ledger).workers),
        num_images=plan.num_images,
        num_shards=plan.num_shards,
        num_shards_committed=num_committed,
        age_s=ledger.bucket.ages(PLAN)[PLAN],
    )


def lines_of(briefs: list[Brief]) -> list[str]:
    """For a terminal, the youngest job first."""
    rows = [
        (
            one.job,
            one.state,
            f"{one.num_shards_committed:,} of {one.num_shards:,}",
            f"{one.num_images:,}",
            f"{duration(one.age_s)} ago",
        )
        for one in sorted(briefs, key=lambda one: (one.age_s, one.job))
    ]
    return aligned([("job", "state", "shards", "images", "planned"), *rows])
