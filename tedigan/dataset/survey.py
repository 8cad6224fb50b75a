"""Finds out which records can be made, before any is: each is checked, then all are compared for repeats."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import groupby
from typing import Any

import numpy as np

from tedigan.dataset.duplicates import find_duplicates
from tedigan.dataset.records import Checked, Finding, Rejected
from tedigan.dataset.swapped_masks import find_swapped
from tedigan.dataset.workers import Workers
from tedigan.dataset.workshop import Workshop
from tedigan.progress import progress

REPEATED = "shows the same photograph as an earlier record"
USUAL = 0.8  # share of records from which a number of captions counts as what each should have


@dataclass(frozen=True)
class Survey:
    """kept and rejected: in the order of ids."""

    kept: list[Checked]
    rejected: list[Rejected]

    @property
    def noted(self) -> dict[str, int]:
        """What is unusual about kept records -> how many."""
        return dict(Counter(note for one in self.kept for note in one.notes))


def by_shard(ids: Iterable[int], records_per_shard: int) -> Iterator[tuple[int, list[int]]]:
    """(shard number, its ids): the range of ids decides, so what is added at the end moves nothing."""
    for number, group in groupby(ids, key=lambda id: id // records_per_shard):
        yield number, list(group)


def survey(
    workers: Workers,
    ids: Sequence[int],
    workshop: Workshop,
    *,
    records_per_shard: int,
    version: str,
    partition: Mapping[int, str] | None,
    rejects_duplicates: bool,
) -> Survey:
    """Check every id. What the workshop remembers is not checked again while its files are the same.

    version: digest of the code that checks; findings of another are forgotten. partition: the published
    split, in which every record must have its place.
    """
    findings: list[Finding] = []
    with progress(total=len(ids), desc="dataset: check", unit="face") as bar:
        for number, group in by_shard(ids, records_per_shard):
            known = _remembered(workshop, number, version)
            items = [(id, known.get(id)) for id in group]
            found: list[Finding] = []
            for finding in workers.each("check", items):
                found.append(finding)
                bar.update()
            if {finding.id: finding for finding in found} != known:
                workshop.keep_findings(number, {"version": version, "found": _plain(found)})
            findings += found
    if partition is not None:
        findings = [_with_split(finding, partition) for finding in findings]
    return _compare(findings, rejects_duplicates=rejects_duplicates)


def without(found: Survey, failed: Sequence[Rejected]) -> Survey:
    """The survey after some of the kept could not be made."""
    ids = {one.id for one in failed}
    rejected = sorted([*found.rejected, *failed], key=_by_id)
    return Survey([one for one in found.kept if one.id not in ids], rejected)


def _with_split(finding: Finding, partition: Mapping[int, str]) -> Finding:
    if isinstance(finding, Rejected) or finding.id in partition:
        return finding
    return Rejected(
        finding.id,
        finding.key,
        finding.source_name,
        "no split",
        f"{finding.source_name} is in none of the source's splits. Add it to one of its lists, or set "
        "dataset.split to identity.",
    )


def _compare(findings: list[Finding], *, rejects_duplicates: bool) -> Survey:
    """Set aside what repeats an earlier record, or note it.

    And who has more or fewer captions than nearly all others, or another's masks.
    """
    checked = [finding for finding in findings if isinstance(finding, Checked)]
    rejected = [finding for finding in findings if isinstance(finding, Rejected)]
    usual = _usual_captions(checked)
    rejected += [_miscounted(one, usual) for one in checked if usual not in (0, one.num_captions)]
    checked = [one for one in checked if usual in (0, one.num_captions)]
    rejected += (swapped := find_swapped(checked))
    checked = [one for one in checked if one.id not in {other.id for other in swapped}]
    hashed = [one for one in checked if one.hash]
    table = np.frombuffer(b"".join(one.hash for one in hashed), np.uint8).reshape(-1, 32)
    repeats = {hashed[a].id: hashed[b] for a, b in find_duplicates(table).items()}
    kept = [one for one in checked if one.id not in repeats]
    again = [one for one in checked if one.id in repeats]
    if rejects_duplicates:
        rejected += [_repeat(one, repeats[one.id]) for one in again]
    else:
        kept += [replace(one, notes=(*one.notes, REPEATED)) for one in again]
    return Survey(sorted(kept, key=_by_id), sorted(rejected, key=_by_id))


def _by_id(finding: Finding) -> int:
    return finding.id


def _usual_captions(checked: Sequence[Checked]) -> int:
    """How many captions nearly every record has; 0 where there is no such number."""
    numbers = Counter(one.num_captions for one in checked if one.num_captions)
    ((number, count),) = numbers.most_common(1) or [(0, 0)]
    return number if count >= USUAL * numbers.total() else 0


def _miscounted(one: Checked, usual: int) -> Rejected:
    return Rejected(
        one.id,
        one.key,
        one.source_name,
        "captions",
        f"{one.source_name} has {one.num_captions} captions, nearly all others have {usual}; a line was lost or "
        "added. Copy its captions again.",
    )


def _repeat(one: Checked, first: Checked) -> Rejected:
    is_exact = one.source_sha256 == first.source_sha256
    return Rejected(
        one.id,
        one.key,
        one.source_name,
        "exact duplicate" if is_exact else "near duplicate",
        f"{one.source_name} shows the same photograph as {first.source_name}, which is kept. Remove "
        "one, or set dataset.duplicates to keep.",
    )


def _plain(findings: list[Finding]) -> list[Any]:
    """As JSON can hold them."""
    return [
        {name: v.hex() if isinstance(v, bytes) else v for name, v in asdict(finding).items()}
        for finding in findings
    ]


def _remembered(workshop: Workshop, number: int, version: str) -> dict[int, Finding]:
    content = workshop.findings(number)
    if content.get("version") != version:
        return {}
    return {row["id"]: _finding(row) for row in content["found"]}


def _finding(row: dict[str, Any]) -> Finding:
    """The inverse of `_plain`."""
    if "reason" in row:
        return Rejected(**row)
    values = dict(row)
    for field in fields(Checked):
        if field.type is bytes:
            values[field.name] = bytes.fromhex(values[field.name])
    return Checked(**values | {"notes": tuple(values["notes"])})
