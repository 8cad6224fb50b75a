"""The ledger of a job: what is approved, committed and sealed, in a folder or below an s3:// prefix.

    <job>/plan.json prompts.parquet quarantine.parquet grammar.yaml   what is to be drawn; for edits also
          photographs.parquet, and checks/, if there are any
    <job>/approved.json                            by whom, for how many hours; nothing runs without it
    <job>/shards/<sha256>.tar, .parquet            pictures and their table, under what they hold
    <job>/commits/000012.json                      which of these are shard 12: created once, never changed
    <job>/conflicts/000012-<digest>.json           another worker's other answer, which lost
    <job>/cancelled.json, sealed.json, repeats.parquet
    <job>/workers/<id>.json                        what each worker says of itself, for people

A commit is one create-only put: who puts it second with the same bytes has committed too, and with others is told
so. What a killed worker left is an object that no commit names. Progress is the list of commits; there is no
other state.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from tedigan.bulk.commit import Commit, Piece, piece_name
from tedigan.bulk.plan import Plan, plan_from
from tedigan.errors import DataError, ObjectError, ParamsError, StoreError
from tedigan.store.addresses import open_bucket
from tedigan.store.at_once import read_all
from tedigan.store.files import sha256_file, sha256_value
from tedigan.store.objects import Bucket

PLAN, APPROVED, CANCELLED, SEALED = "plan.json", "approved.json", "cancelled.json", "sealed.json"


class Ledger:
    """One job's. address: of its folder, or s3://bucket/prefix/job; the last part is its name."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        is_here = not self.address.startswith("s3://")
        self.name = (
            Path(self.address).resolve().name if is_here else self.address.rpartition("/")[2]
        )
        self.bucket: Bucket = open_bucket(self.address)

    @classmethod
    def create(cls, place: str, plan: Plan, draft: Path) -> "Ledger":
        """Write a plan and its files below `place`; an equal plan is the job that stands there already.

        draft: the folder in which the plan's files lie.

        A bucket that is missing is a StoreError: some servers would make it in silence.
        """
        ledger = cls(f"{place.rstrip('/')}/{plan.name}")
        ledger.bucket.exists(PLAN)
        for name in plan.files:
            ledger.bucket.write(name, draft / name)
        if not ledger.bucket.create(PLAN, plan.to_bytes()):
            raise StoreError(
                f"{ledger.address} holds another plan, expected nothing or this one. Plan into another place."
            )
        return ledger

    @cached_property
    def plan(self) -> Plan:
        """What was planned, if it is what the job is named after; an ObjectError where there is no job."""
        try:
            content = self.bucket.read(PLAN)
        except ObjectError as error:
            if self.bucket.exists(PLAN):
                raise
            raise ObjectError(
                f"{self.address} is no job, it has no {PLAN}; expected the address that `tedigan jobs plan` "
                "printed, which ends with the job's name. Mend it."
            ) from error
        return plan_from(content, name=self.name)

    def approve(self, by: str, *, worker_hours: float | None = None) -> None:
        """Say that this very plan may run, for so many hours of workers in all; None = as the plan says.

        A job that is approved may be granted more, and not less: a ParamsError.
        """
        if worker_hours is not None and not 0 < worker_hours < math.inf:
            raise ParamsError(
                f"{worker_hours} worker-hours were granted; expected more than 0, or none. Set them."
            )
        said: dict[str, Any] = {"plan": self.plan.digest, "by": by}
        if worker_hours is not None:
            said["worker_hours"] = worker_hours
        if self.bucket.create(APPROVED, _json(said)):
            return
        self._check_approved()
        granted = self.budget()
        if worker_hours is None or worker_hours == granted:
            return
        if granted is not None and worker_hours < granted:
            raise ParamsError(
                f"job {self.name} was granted {granted:g} worker-hours and now {worker_hours:g}; expected more, "
                "as some may be spent. Grant more, or cancel the job."
            )
        self.bucket.write(APPROVED, _json(said))

    @property
    def is_approved(self) -> bool:
        """By anybody."""
        return self.bucket.exists(APPROVED)

    def budget(self) -> float | None:
        """The worker-hours that were granted, or else planned; None = no limit."""
        granted = self.read(APPROVED).get("worker_hours") if self.is_approved else None
        if granted is None:
            return self.plan.worker_hours
        if not isinstance(granted, float | int) or not 0 < granted < math.inf:
            raise DataError(
                f"{self.address}/{APPROVED} grants {granted!r} worker-hours, expected a number above 0; it was "
                "changed by hand. Delete it, and approve the job again."
            )
        return float(granted)

    def check_runs(self) -> None:
        """A StoreError for a job that may not run: not there, not approved, or cancelled."""
        self.plan  # noqa: B018
        if self.bucket.exists(CANCELLED):
            raise StoreError(f"job {self.name} is cancelled. Plan another, or resume it.")
        if not self.is_approved:
            raise StoreError(
                f"job {self.name} is not approved. Look at its plan, then `tedigan jobs approve {self.address}`."
            )
        self._check_approved()

    def _check_approved(self) -> None:
        """A StoreError where the approval is of another plan."""
        found = self.read(APPROVED).get("plan")
        if found != self.plan.digest:
            raise StoreError(
                f"job {self.name}: what was approved is plan {str(found)[:12]}, and this is "
                f"{self.plan.digest[:12]}. "
                "Plan the job again, and have that approved."
            )

    def cancel(self, by: str) -> None:
        """No worker begins another shard; what is committed stays. An ObjectError where there is no job."""
        self.plan  # noqa: B018
        self.bucket.write(CANCELLED, _json({"by": by}))

    @property
    def is_cancelled(self) -> bool:
        """Whether it was, and was not resumed."""
        return self.bucket.exists(CANCELLED)

    def resume(self) -> None:
        """Take a cancellation back."""
        self.bucket.delete(CANCELLED)

    def committed(self) -> set[int]:
        """The shards that are settled, by one listing."""
        return {self._number_of(name) for name in self.bucket.names("commits/")}

    def commit_ages(self) -> dict[int, float]:
        """Shard -> seconds since it was settled, by the store's clock; by one listing too."""
        return {self._number_of(name): age for name, age in self.bucket.ages("commits/").items()}

    def _number_of(self, name: str) -> int:
        """The shard that a commit settles; a DataError for what is none of this job's."""
        number = name.removeprefix("commits/").removesuffix(".json")
        last = self.plan.num_shards - 1
        if not number.isdecimal() or name != _name_of(int(number)) or int(number) > last:
            raise DataError(
                f"{self.address}/{name} is no commit of this job, whose shards are 0 to {last}, as in "
                f"{_name_of(last)}. Nothing but a worker writes there; take it away."
            )
        return int(number)

    def is_committed(self, shard: int) -> bool:
        """Whether one shard is settled."""
        return self.bucket.exists(_name_of(shard))

    def remaining(self) -> list[int]:
        """The others, in order."""
        done = self.committed()
        return [shard for shard in range(self.plan.num_shards) if shard not in done]

    def commits(self) -> Iterator[Commit]:
        """In the order of shards."""
        names = list(self.bucket.names("commits/"))
        for name, content in zip(names, read_all(self.bucket, names), strict=True):
            yield self._commit_from(content, name)

    def commit_of(self, shard: int) -> Commit:
        """One shard's; an ObjectError while it has none, a DataError where it speaks of another."""
        name = _name_of(shard)
        return self._commit_from(self.bucket.read(name), name)

    def _commit_from(self, content: bytes, name: str) -> Commit:
        shard = self._number_of(name)
        commit = Commit.from_bytes(content, name=f"{self.address}/{name}")
        images = len(self.plan.images_of(shard))
        if (commit.shard, commit.num_images) != (shard, images):
            raise DataError(
                f"{self.address}/{name} is that of shard {commit.shard} with {commit.num_images} images; expected "
                f"shard {shard} with {images}; it was exchanged or changed. Put it back from a backup, or delete "
                "it to have its shard drawn again."
            )
        return commit

    def commit(self, commit: Commit, tar: Path, table: Path) -> bool:
        """Put a shard's files up, then settle it; False where another answer was there first, and is kept."""
        for piece, path in ((commit.tar, tar), (commit.table, table)):
            name = piece_name(piece, path.suffix)
            if not self.bucket.exists(name):
                self.bucket.write(name, path)
        if self.bucket.create(_name_of(commit.shard), commit.to_bytes()):
            return True
        digest = sha256_value(asdict(commit))[:12]
        self.bucket.write(f"conflicts/{commit.shard:06d}-{digest}.json", commit.to_bytes())
        return False

    def conflicts(self) -> list[str]:
        """The names of answers that lost."""
        return list(self.bucket.names("conflicts/"))

    def piece(self, piece: Piece, suffix: str, cache: Path) -> Path:
        """A shard's file, here; a DataError where it does not hold what its commit says."""
        path = self.bucket.fetch(piece_name(piece, suffix), cache)
        found = Piece.of(path)
        if found != piece:
            raise DataError(
                f"{self.address}/{piece_name(piece, suffix)} has sha256 {found.sha256[:12]} and "
                f"{found.num_bytes} bytes, expected {piece.sha256[:12]} and {piece.num_bytes}; it was damaged or "
                "replaced. Put it back from a backup, or delete the shard's commit and the file, and resume."
            )
        return path

    def file(self, name: str, cache: Path) -> Path:
        """A file of the plan, here; a DataError where it is not the one that was planned."""
        planned, path = self.plan.files[name], self.bucket.fetch(name, cache)
        if (found := sha256_file(path)) != planned:
            raise DataError(
                f"{self.address}/{name} has sha256 {found[:12]}, and the plan was made for {planned[:12]}; it was "
                "changed after planning. Put it back, or plan the job again."
            )
        return path

    def read(self, name: str) -> dict[str, Any]:
        """A JSON object of the job; a DataError where it is none."""
        try:
            found = json.loads(self.bucket.read(name))
            if not isinstance(found, dict):
                raise ValueError(f"it holds a {type(found).__name__}")
        except ValueError as error:
            raise DataError(
                f"{self.address}/{name} is no JSON object: {error}; it was damaged or replaced. Put it back "
                "from a backup, or delete it and repeat what wrote it."
            ) from error
        return found


def check_place(place: str) -> None:
    """Refuse, before any work, a place that can hold no job: a bucket that does not answer, a file, or nothing."""
    path = Path(place)
    if place.startswith("s3://"):
        open_bucket(place).exists(PLAN)
    elif not place or any(one.is_file() for one in (path, *path.parents)):
        raise StoreError(
            f"{place!r} is no place for jobs; expected a folder, which need not be there yet, or an "
            "s3://bucket/prefix. Name one."
        )


def _name_of(shard: int) -> str:
    return f"commits/{shard:06d}.json"


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()
