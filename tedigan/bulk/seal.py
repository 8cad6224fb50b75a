"""Seals a finished job: one root over all its images, that nobody can change a picture without changing."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tedigan.bulk.commit import Commit
from tedigan.bulk.ledger import SEALED, Ledger
from tedigan.bulk.merkle import leaf_hash, proof_of, root_from, root_of
from tedigan.bulk.repeats import find_repeats, write_repeats
from tedigan.bulk.replay import image_of
from tedigan.bulk.shard_files import entry_of, read_rows
from tedigan.errors import DataError, ObjectError, StoreError
from tedigan.progress import progress
from tedigan.store.shards import Shard, read_shard, read_span


@dataclass(frozen=True)
class Verdict:
    """What `verify` found. problems: one line each; none where the job is as it was sealed."""

    root: str
    num_images: int
    problems: list[str]


def seal(ledger: Ledger) -> dict[str, Any]:
    """The manifest of a job whose every shard is committed; a job that is sealed already gives the same one."""
    left = ledger.remaining()
    if left:
        raise StoreError(
            f"job {ledger.name} has {len(left):,} of {ledger.plan.num_shards:,} shards to go, the first is "
            f"{left[0]}; "
            "expected none. Resume it, then seal it."
        )
    commits = list(ledger.commits())
    repeats = find_repeats(ledger, commits)
    manifest = {
        "job": ledger.name,
        "plan": ledger.plan.digest,
        "root": _root(commits),
        "num_images": sum(one.num_images for one in commits),
        "num_marked": sum(one.num_marked for one in commits),
        "num_failed": sum(one.num_failed for one in commits),
        "num_repeats": repeats.num_rows,
        "num_conflicts": len(ledger.conflicts()),
        "shards": [asdict(one) for one in commits],
    }
    write_repeats(ledger, repeats)
    if not ledger.bucket.create(SEALED, _bytes(manifest)):
        raise StoreError(
            f"job {ledger.name} was sealed with another content than its commits have now; expected these to "
            f"stay as they were. `tedigan jobs verify {ledger.address}` says which differ."
        )
    return manifest


def verify(ledger: Ledger, cache: Path) -> Verdict:
    """Read every shard again, and its pictures' digests; what differs from the commits, or the seal, is a
    problem.
    """
    problems, commits, num_images = [*_changed_files(ledger, cache)], list[Commit](), 0
    for shard in progress(sorted(ledger.committed()), desc="verify", unit="shard"):
        try:
            commits.append(ledger.commit_of(shard))
            num_images += _check_shard(ledger, commits[-1], cache)
        except (DataError, ObjectError) as error:
            problems.append(f"shard {shard}: {error}")
    root = _root(commits)
    if ledger.bucket.exists(SEALED):
        problems += _differing(ledger, commits, root)
    problems += [f"shard {one} is not committed" for one in ledger.remaining()]
    return Verdict(root, num_images, problems)


def read_seal(ledger: Ledger) -> tuple[dict[str, Any], list[Commit]]:
    """The manifest of a sealed job, and its shards.

    A StoreError for a job that is not sealed, a DataError where the manifest is none of this plan, or its root not
    that of its shards.
    """
    if not ledger.bucket.exists(SEALED) and ledger.plan:
        raise StoreError(
            f"job {ledger.name} is not sealed, expected a finished job. Run it to its end, then "
            f"`tedigan jobs seal {ledger.address}`."
        )
    manifest, name = ledger.read(SEALED), f"{ledger.address}/{SEALED}"
    shards = [
        Commit.from_bytes(_bytes(one), name=f"a shard of {name}")
        for one in manifest.get("shards", [])
    ]
    said, expected = (
        (manifest.get("plan"), manifest.get("root")),
        (ledger.plan.digest, _root(shards)),
    )
    if said != expected or len(shards) != ledger.plan.num_shards:
        raise DataError(
            f"{name} has the root {str(said[1])[:12]} and {len(shards):,} shards of plan {str(said[0])[:12]}; "
            f"expected {ledger.plan.num_shards:,} of plan {expected[0][:12]}, whose root is {expected[1][:12]}. "
            "It was changed after sealing: put it back from a backup."
        )
    return manifest, shards


def prove(ledger: Ledger, image: int, cache: Path) -> dict[str, Any]:
    """A proof that one image belongs to the sealed job, which `check_proof` needs nothing else for."""
    plan = ledger.plan
    shard = plan.shard_of(image)
    _, commits = read_seal(ledger)
    table = ledger.piece(commits[shard].table, ".parquet", cache)
    entries = [entry_of(ledger.name, row) for row in read_rows(table)]
    leaves = [leaf_hash(entry) for entry in entries]
    place = image - plan.images_of(shard).start
    roots = [bytes.fromhex(one.root) for one in commits]
    return {
        "entry": entries[place].decode(),
        "in_shard": _path(leaves, place),
        "in_job": _path([leaf_hash(root) for root in roots], shard),
        "root": _root(commits),
    }


def prove_picture(ledger: Ledger, picture: bytes, cache: Path) -> dict[str, Any]:
    """The proof of a picture by the recipe that it carries; a DataError where it is not the committed one."""
    image = image_of(picture, ledger)
    proof, found = prove(ledger, image, cache), hashlib.sha256(picture).hexdigest()
    if (sealed := json.loads(proof["entry"])["file_sha256"]) != found:
        raise DataError(
            f"the picture says that it is image {image} of job {ledger.name}, which was sealed with sha256 "
            f"{str(sealed)[:12]}, and it has {found[:12]}; it was changed, or written anew. Prove the one of the "
            "export or the shard."
        )
    return proof


def check_proof(proof: bytes, file_sha256: str, root: str) -> str | None:
    """Why a file is not in the job that was sealed with `root`; None where the proof, as JSON, holds."""
    try:
        return _why_not(json.loads(proof), file_sha256, root)
    except (ValueError, KeyError, TypeError, AttributeError):
        return "what was given is no proof; expected what `tedigan jobs prove` prints. Ask for it again"


def _why_not(proof: dict[str, Any], file_sha256: str, root: str) -> str | None:
    entry = json.loads(proof["entry"])
    if entry["file_sha256"] != file_sha256:
        of = entry["file_sha256"][:12]
        return f"the proof is of a file with sha256 {of}, and this one has {file_sha256[:12]}"
    shard_root = _climb(leaf_hash(proof["entry"].encode()), proof["in_shard"])
    found = None if shard_root is None else _climb(leaf_hash(shard_root), proof["in_job"])
    if found is None or found.hex() != root:
        to = found.hex()[:12] if found else "nowhere"
        return f"the proof leads to the root {to}, and the job's is {root[:12]}"
    return None


def _changed_files(ledger: Ledger, cache: Path) -> Iterator[str]:
    """Of the plan's own files, those that are not as they were planned."""
    for name in ledger.plan.files:
        try:
            ledger.file(name, cache)
        except (DataError, ObjectError) as error:
            yield str(error)


def _differing(ledger: Ledger, commits: Sequence[Commit], root: str) -> Iterator[str]:
    """Where the seal says otherwise than the commits."""
    try:
        manifest, sealed = read_seal(ledger)
    except DataError as error:
        yield str(error)
        return
    if manifest["root"] != root:
        yield f"the seal's root is {manifest['root'][:12]}, that of the commits {root[:12]}"
    for commit in commits:
        if commit != sealed[commit.shard]:
            yield f"shard {commit.shard} was sealed with another commit than it has now"


def _check_shard(ledger: Ledger, commit: Commit, cache: Path) -> int:
    """How many images it holds; a DataError where a file is not the committed one, a picture not its row's, or the
    root not theirs.
    """
    shard = read_shard(ledger.piece(commit.tar, ".tar", cache))
    rows = read_rows(ledger.piece(commit.table, ".parquet", cache))
    root = root_of([leaf_hash(entry_of(ledger.name, row)) for row in rows]).hex()
    if root != commit.root:
        raise DataError(
            f"its images have the root {root[:12]}, and its commit says {commit.root[:12]}; expected one. "
            "Restore the commit from a backup."
        )
    _check_pictures(shard, rows, commit)
    return len(rows)


def _check_pictures(shard: Shard, rows: Sequence[Mapping[str, Any]], commit: Commit) -> None:
    """A DataError where the pictures are not those that the rows, and so the root, speak of."""
    expected = {row["image"]: row["file_sha256"] for row in rows if row["failed"] is None}
    found = {
        image: hashlib.sha256(read_span(shard.path, spans["image"])).hexdigest()
        for image, spans in shard.spans.items()
    }
    if wrong := {
        one for one in expected.keys() | found.keys() if expected.get(one) != found.get(one)
    }:
        raise DataError(
            f"{len(wrong):,} of its pictures, such as that of image {min(wrong)}, are not those that its table "
            f"has the sha256 of; expected {len(expected):,} that are. Put {commit.tar.sha256[:12]}'s tar, and the "
            "commit, back from a backup."
        )


def _root(commits: list[Commit]) -> str:
    """Over the shards' roots, in order."""
    return root_of([leaf_hash(bytes.fromhex(one.root)) for one in commits]).hex()


def _path(leaves: list[bytes], index: int) -> dict[str, Any]:
    path = [one.hex() for one in proof_of(leaves, index)]
    return {"index": index, "size": len(leaves), "path": path}


def _climb(leaf: bytes, way: dict[str, Any]) -> bytes | None:
    return root_from(leaf, way["index"], way["size"], [bytes.fromhex(one) for one in way["path"]])


def _bytes(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()
