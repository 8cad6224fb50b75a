"""Workers that know nothing of each other share a job without drawing it twice."""

from pathlib import Path

import pytest

from tedigan.bulk.running import walk, work_among_others
from tedigan.bulk.seal import seal
from tedigan.errors import StoreError
from tests.bulk.toys import ToyWorker, toy_job


def settle(worker: ToyWorker, shard: int, folder: Path) -> None:
    files = worker.draw(shard, folder)
    worker.ledger.commit(files.commit, files.tar, files.table)


def test_of_two_strangers_the_faster_helps_the_slower_and_little_is_drawn_twice(
    tmp_path: Path,
) -> None:
    worker = toy_job(tmp_path / "jobs", tmp_path, num_images=60, images_per_shard=1)
    ledger, drawn = worker.ledger, list[int]()
    fast, slow = (walk(ledger, range(60), begin) for begin in (0, 30))
    while ledger.remaining():
        under_way = next(slow, None)
        for _ in range(3):  # while the slow one is at its shard
            if (shard := next(fast, None)) is not None:
                settle(worker, shard, tmp_path)
                drawn.append(shard)
        if under_way is not None:
            settle(worker, under_way, tmp_path)
            drawn.append(under_way)
    assert set(drawn) == set(range(60))
    assert len(drawn) < 60 + 8  # one behind the other would be 15 or more


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
