"""The ledger: what was approved is what runs, a shard is settled once, and a seal speaks of all of it."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.toy_jobs import ToyWorker, toy_job, toy_plan
from tedigan.bulk.commit import Commit
from tedigan.bulk.ledger import PLAN, Ledger
from tedigan.bulk.replay import committed_picture
from tedigan.bulk.seal import check_proof, prove, seal, verify
from tedigan.errors import DataError, ParamsError, StoreError


@pytest.fixture
def worker(tmp_path: Path) -> ToyWorker:
    return toy_job(tmp_path / "jobs", tmp_path, num_images=11, images_per_shard=3)


def test_a_job_is_named_after_its_plan_and_an_equal_plan_is_the_same_job(tmp_path: Path) -> None:
    plan, files = toy_plan(tmp_path)
    one, other = (Ledger.create(str(tmp_path / "jobs"), plan, files) for _ in range(2))
    assert one.address == other.address
    assert one.name == plan.digest[:16] == one.plan.name
    assert replace(plan, seed=1).name != plan.name


def test_a_plan_that_was_changed_after_planning_is_refused(worker: ToyWorker) -> None:
    changed = json.loads(worker.ledger.bucket.read(PLAN)) | {"seed": 7}
    worker.ledger.bucket.write(PLAN, json.dumps(changed).encode())
    with pytest.raises(DataError, match="changed after planning"):
        Ledger(worker.job).plan  # noqa: B018


def test_what_is_not_approved_or_is_cancelled_does_not_run(tmp_path: Path) -> None:
    plan, files = toy_plan(tmp_path)
    ledger = Ledger.create(str(tmp_path / "jobs"), plan, files)
    with pytest.raises(StoreError, match="is not approved"):
        ledger.check_runs()
    ledger.approve("somebody")
    ledger.check_runs()
    ledger.cancel("somebody")
    with pytest.raises(StoreError, match="is cancelled"):
        ledger.check_runs()
    ledger.resume()
    ledger.check_runs()


def test_a_cancelled_job_gets_no_further_shard(worker: ToyWorker) -> None:
    drawn = worker.work([0, 1, 2, 3])
    next(drawn)
    worker.ledger.cancel("somebody")
    list(drawn)
    assert len(worker.ledger.committed()) < 4


def test_a_prompt_list_that_was_changed_is_refused(worker: ToyWorker) -> None:
    path = Path(worker.job) / "prompts.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match="changed after planning"):
        list(worker.work([0]))


def test_of_two_answers_for_one_shard_one_is_kept_and_the_other_is_told(worker: ToyWorker) -> None:
    other = replace(worker, drift=1)
    assert list(worker.work([1])) == [1]
    with pytest.raises(StoreError, match="committed with other bytes"):
        other._commit(other.draw(1, worker.scratch))
    assert len(worker.ledger.conflicts()) == 1
    assert worker._commit(worker.draw(1, worker.scratch)) == 1  # equal bytes are the same claim


def test_what_another_has_committed_is_not_drawn_again(worker: ToyWorker) -> None:
    assert list(worker.work([2])) == [2]
    assert list(replace(worker, drift=1).work([1, 2])) == [2, 1]
    assert worker.ledger.conflicts() == []


def test_of_many_who_settle_one_shard_at_once_with_other_bytes_one_wins(tmp_path: Path) -> None:
    worker = toy_job(tmp_path / "jobs", tmp_path, num_images=2, images_per_shard=2)
    files = worker.draw(0, tmp_path)

    def settle(number: int) -> bool:
        commit = replace(files.commit, num_marked=number)
        return Ledger(worker.job).commit(commit, files.tar, files.table)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(settle, range(32))) == 1
    assert len(worker.ledger.conflicts()) == 31


def test_a_sealed_job_is_verified_and_a_changed_picture_is_found(
    worker: ToyWorker, tmp_path: Path
) -> None:
    list(worker.work([0, 1, 2]))
    with pytest.raises(StoreError, match="1 of 4 shards to go"):
        seal(worker.ledger)
    list(worker.work([3]))
    manifest = seal(worker.ledger)
    assert seal(worker.ledger) == manifest
    assert manifest["num_images"] == 11
    assert verify(worker.ledger, tmp_path).problems == []
    path = next((Path(worker.job) / "shards").glob("*.tar"))
    content = bytearray(path.read_bytes())
    content[600] ^= 1
    path.write_bytes(content)
    (problem,) = verify(worker.ledger, tmp_path).problems
    assert "damaged or replaced" in problem


def test_a_commit_that_was_exchanged_changes_the_root(worker: ToyWorker, tmp_path: Path) -> None:
    list(worker.work(range(4)))
    root = seal(worker.ledger)["root"]
    other = toy_job(tmp_path / "b", tmp_path / "b", num_images=11, images_per_shard=3, drift=1)
    list(other.work(range(4)))
    name = "commits/000002.json"
    worker.ledger.bucket.write(name, other.ledger.bucket.read(name))
    commit = other.ledger.commit_of(2)
    for piece, suffix in ((commit.tar, ".tar"), (commit.table, ".parquet")):
        path = f"shards/{piece.sha256}{suffix}"
        worker.ledger.bucket.write(path, other.ledger.bucket.read(path))
    problems = verify(worker.ledger, tmp_path).problems
    assert any(root[:12] in one for one in problems)


def test_a_root_that_is_not_that_of_its_images_is_found(worker: ToyWorker, tmp_path: Path) -> None:
    list(worker.work(range(4)))
    forged = replace(worker.ledger.commit_of(1), root="0" * 64)
    worker.ledger.bucket.write("commits/000001.json", forged.to_bytes())
    (problem,) = verify(worker.ledger, tmp_path).problems
    assert problem.startswith("shard 1: its images have the root")


def test_every_image_can_be_proved_to_be_in_the_job_and_another_cannot(
    worker: ToyWorker, tmp_path: Path
) -> None:
    list(worker.work(range(4)))
    root = seal(worker.ledger)["root"]
    for image in range(11):
        found = prove(worker.ledger, image, tmp_path)
        proof = json.dumps(found).encode()
        digest = hashlib.sha256(committed_picture(worker, image)).hexdigest()
        assert check_proof(proof, digest, root) is None
        assert "this one has" in check_proof(proof, "0" * 64, root)
        assert "leads to the root" in check_proof(proof, digest, "0" * 64)
        forged = found | {"entry": found["entry"].replace('"attempt": 0', '"attempt": 1')}
        assert "leads to the root" in check_proof(json.dumps(forged).encode(), digest, root)


@pytest.mark.parametrize(
    "proof", [b"", b"\xff", b"[]", b"{}", b'{"entry": 1}', b'{"entry": "{}"}', b"null"]
)
def test_what_is_no_proof_proves_nothing(proof: bytes) -> None:
    assert "is no proof" in check_proof(proof, "0" * 64, "0" * 64)


def test_a_stray_file_among_the_commits_is_named(worker: ToyWorker) -> None:
    worker.ledger.bucket.write("commits/notes.txt", b"?")
    with pytest.raises(DataError, match=r"commits/notes\.txt is no commit"):
        worker.ledger.remaining()


def test_shards_and_images_that_are_not_in_the_plan_are_named(worker: ToyWorker) -> None:
    plan = worker.ledger.plan
    assert [len(plan.images_of(shard)) for shard in range(4)] == [3, 3, 3, 2]
    with pytest.raises(ParamsError, match="expected 0 to 3"):
        plan.images_of(4)
    with pytest.raises(ParamsError, match="expected 0 to 10"):
        plan.shard_of(11)


def test_a_damaged_commit_is_named(worker: ToyWorker) -> None:
    list(worker.work([0]))
    for content in (b"", b"[]", b"{}", b'{"tar": 1}'):
        with pytest.raises(DataError, match="is no commit"):
            Commit.from_bytes(content, name="commits/000000.json")


def test_on_s3_it_is_the_same_job(s3_uri: str, tmp_path: Path) -> None:
    here = toy_job(tmp_path / "jobs", tmp_path / "a", num_images=7, images_per_shard=3)
    there = toy_job(f"{s3_uri}/jobs", tmp_path / "b", num_images=7, images_per_shard=3)
    for worker in (here, there):
        list(worker.work([2, 0, 1]))
    assert seal(here.ledger) == seal(there.ledger)
    assert verify(there.ledger, tmp_path / "cache").problems == []


def test_a_bucket_that_is_missing_is_not_made(s3_uri: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such bucket"):
        toy_job("s3://nowhere/jobs", tmp_path)
