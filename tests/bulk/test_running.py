"""Workers that know nothing of each other share a job without drawing it twice."""

from pathlib import Path

import pytest

from benchmarks.toy_jobs import ToyWorker, toy_job
from tedigan.bulk.running import walk, work_among_others
from tedigan.bulk.seal import seal
from tedigan.errors import StoreError


def settle(worker: ToyWorker, shard: int, folder: Path) -> None:
    files = worker.draw(shard, folder)
    worker.ledger.commit(files.commit, files.tar, files.table)


def test_who_has_finished_helps_a_stranger_and_little_is_drawn_twice(tmp_path: Path) -> None:
    worker = toy_job(tmp_path / "jobs", tmp_path, num_images=60, images_per_shard=1)
    walks = [walk(worker.ledger, range(60), begin) for begin in (0, 45)]
    drawn = list[int]()
    while worker.ledger.remaining():
        under_way = [shard for one in walks if (shard := next(one, None)) is not None]
        for shard in under_way:
            settle(worker, shard, tmp_path)
        drawn += under_way
    assert set(drawn) == set(range(60))
    assert len(drawn) < 60 + 10  # side by side they would draw 30 twice


def test_a_walk_gives_each_shard_once_and_none_that_others_have(tmp_path: Path) -> None:
    worker = toy_job(tmp_path / "jobs", tmp_path)
    for shard in (3, 4, 11):
        settle(worker, shard, tmp_path)
    walked = list(walk(worker.ledger, worker.ledger.remaining(), 9))
    assert walked[:2] == [9, 10]
    assert sorted(walked) == sorted(set(range(20)) - {3, 4, 11})


def test_one_worker_draws_a_whole_job_and_an_unapproved_one_not(tmp_path: Path) -> None:
    worker = toy_job(tmp_path / "jobs", tmp_path)
    assert sorted(work_among_others(worker, 7)) == list(range(20))
    assert seal(worker.ledger)["num_images"] == 40
    worker.ledger.cancel("tests")
    with pytest.raises(StoreError, match="is cancelled"):
        work_among_others(worker, 0)
