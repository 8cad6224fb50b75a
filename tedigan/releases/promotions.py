"""The promotions of a release store: signed records, numbered without a gap. The last one names the champion.

    {"number": 3, "kind": "promote", "champion": {"version", "digest"}, "before": {...} or null,
     "by": ..., "at": ..., "decision": {...} or null}

Record n + 1 is created where nothing is, so that of two who promote at the same time one is told to look again.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from tedigan.errors import DataError, StoreError
from tedigan.releases.release import SHORT
from tedigan.store.objects import Bucket
from tedigan.store.signing import sign, signed_statement

Kind = Literal["promote", "rollback"]
PREDICATE = "urn:tedigan:promotion:v1"


@dataclass(frozen=True)
class Named:
    """A release by its digest, by which two are one, and for people by the version that the registry gave it."""

    version: int = field(compare=False)
    digest: str

    def __str__(self) -> str:
        """For people."""
        return f"version {self.version} ({self.digest[:SHORT]})"


@dataclass(frozen=True)
class Promotion:
    """See above. at: UTC, ISO 8601. decision: as `tedigan.releases.decision` has it; None for a rollback."""

    number: int
    kind: Kind
    champion: Named
    before: Named | None
    by: str
    at: str
    decision: dict[str, Any] | None


@dataclass(frozen=True)
class Promotions:
    """Those in a bucket. keys: public ones of who may sign; none = signatures are not looked at."""

    bucket: Bucket
    keys: Sequence[Path] = ()

    def all(self) -> list[Promotion]:
        """In order; a DataError for a gap, a changed record, or a signature of somebody else."""
        names = list(self.bucket.names("promotions/"))
        if names != [_name(number) for number in range(1, len(names) + 1)]:
            raise DataError(
                f"promotions/ holds {', '.join(names[:5])}..., expected {_name(1)} and so on without a gap; a "
                "record was deleted or added by hand. Put it back, or take it away."
            )
        found = [self._read(name) for name in names]
        for earlier, later in pairwise(found):
            if later.before != earlier.champion:
                raise DataError(
                    f"{_name(later.number)} follows {later.before}, expected {earlier.champion}, which the record "
                    "before it made champion; one of them was changed. Put it back."
                )
        return found

    def last(self) -> Promotion | None:
        """The one that names the champion; None before the first."""
        found = self.all()
        return found[-1] if found else None

    def add(
        self,
        kind: Kind,
        champion: Named,
        *,
        after: Promotion | None,
        by: str,
        decision: dict[str, Any] | None,
        key: Path,
    ) -> Promotion:
        """Make a release champion. after: the last promotion, as whoever decided saw it.

        A StoreError where there is another one by now.
        """
        number = after.number + 1 if after else 1
        before = after.champion if after else None
        at = datetime.now(UTC).isoformat(timespec="seconds")
        promotion = Promotion(number, kind, champion, before, by, at, decision)
        content = sign(
            {f"tedigan.release/{champion.version}": champion.digest},
            PREDICATE,
            asdict(promotion),
            key,
        )
        signed_statement(content, self.keys, source="the promotion")  # by one of those who may
        if not self.bucket.create(_name(number), content):
            raise StoreError(
                f"promotion {number} exists by now: somebody promoted or rolled back at the same time. Look at "
                "`tedigan release list`, and decide again."
            )
        return promotion

    def _read(self, name: str) -> Promotion:
        statement = signed_statement(self.bucket.read(name), self.keys, source=name)
        try:
            (subject,) = statement["subject"]
            about = dict(statement["predicate"])
            champion = Named(**about.pop("champion"))
            before = about.pop("before")
            promotion = Promotion(
                champion=champion, before=None if before is None else Named(**before), **about
            )
            is_whole = (
                statement["predicateType"] == PREDICATE
                and name == _name(promotion.number)
                and subject["digest"]["sha256"] == champion.digest
            )
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{name} is no promotion: {error!r}. Put it back.") from error
        if not is_whole:
            raise DataError(
                f"{name} speaks of another promotion or release than it is named after; it was moved or changed. "
                "Put it back."
            )
        return promotion


def _name(number: int) -> str:
    return f"promotions/{number:06d}.json"
