"""Recent jobs of the champion, beside what it was judged on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tedigan.bulk.job_list import jobs_of
from tedigan.bulk.ledger import PLAN, Ledger
from tedigan.bulk.marks import lacks_of, wishes_of
from tedigan.bulk.tally import read_columns
from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.reader import Reader
from tedigan.errors import DataError
from tedigan.releases.decision import Decision
from tedigan.releases.drift import weigh_drift
from tedigan.releases.release import EVALUATION
from tedigan.serving.releasing import Releases
from tedigan.store.files import read_json

NUM_JOBS, TABLES_A_JOB = 10, 8  # the youngest, and of each so many, evenly spread


def watch(releases: Releases, place: str) -> Decision:
    """Whether the jobs below a place drift away from the champion. Raises DataError without a champion."""
    digest = releases.digest_of("champion")
    folder = releases.fetch(digest)
    reader = Reader(load_grammar(folder / "dataset/grammar.yaml"))
    captions = read_json(folder / EVALUATION / "subjects.json")["captions"]
    rows = [*_recent(place, digest, releases.cache / "watched")]
    return weigh_drift(
        [wishes_of(row["understood"] or "") for row in rows],
        [reader.read(caption) for caption in captions],
        sum(bool(lacks_of(row)) for row in rows),
        releases.policy.drift,
    )


def _recent(place: str, digest: str, cache: Path) -> Iterator[dict[str, Any]]:
    """Rows of the release's youngest jobs of faces; what could not be drawn is left out."""
    jobs = [
        one for one in jobs_of(place) if _release_of(one) == digest and not one.plan.photographs
    ]
    jobs.sort(key=lambda one: (one.bucket.ages(PLAN)[PLAN], one.name))
    for job in jobs[:NUM_JOBS]:
        done = sorted(job.committed())
        for shard in done[:: -(-len(done) // TABLES_A_JOB) or 1]:
            rows = read_columns(job.piece(job.commit_of(shard).table, ".parquet", cache))
            yield from (row for row in rows if not row.get("failed"))


def _release_of(job: Ledger) -> str:
    """ "" of a job whose plan cannot be read, such as one of an earlier format."""
    try:
        return job.plan.release
    except DataError:
        return ""
