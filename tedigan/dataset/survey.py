"""Finds out which records can be made, before any is: each is checked, then all are compared for repeats."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import groupby
from typing import Any

import numpy as np

from tedigan.dataset.duplicates import find_duplicates
from tedigan.dataset.records import Checked, Finding, Rejected
from tedigan.dataset.workers import Workers
from tedigan.dataset.workshop import Workshop
from tedigan.progress import progress


@dataclass(frozen=True)
class Survey:
    """kept and rejected: in the order of ids. noted: what is unusual about kept records -> how many."""

    kept: list[Checked]
    rejected: list[Rejected]
    noted: dict[str, int]


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
    rejected = sorted([*found.rejected, *failed], key=lambda one: one.id)
    return Survey([one for one in found.kept if one.id not in ids], rejected, found.noted)


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
    """Set aside what repeats an earlier record, or note it."""
    checked = [finding for finding in findings if isinstance(finding, Checked)]
    rejected = [finding for finding in findings if isinstance(finding, Rejected)]
    hashed = [one for one in checked if one.hash]
    table = np.frombuffer(b"".join(one.hash for one in hashed), np.uint8).reshape(-1, 32)
    repeats = {hashed[a].id: hashed[b] for a, b in find_duplicates(table).items()}
    noted = Counter(note for one in checked for note in one.notes)
    if not rejects_duplicates:
        if repeats:
            noted["shows the same photograph as an earlier record"] = len(repeats)
        return Survey(checked, rejected, dict(noted))
    kept = [one for one in checked if one.id not in repeats]
    noted.subtract(note for one in checked if one.id in repeats for note in one.notes)
    rejected += [_repeat(one, repeats[one.id]) for one in checked if one.id in repeats]
    rejected.sort(key=lambda one: one.id)
    return Survey(kept, rejected, {note: count for note, count in noted.items() if count})


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
