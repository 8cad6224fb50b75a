"""Engines: whatever dies, and however often, each shard is there once, and the root is the quiet run's."""

import multiprocessing
import os
import pickle
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.toy_jobs import ToyWorker, toy_job
from tedigan.bulk import engines
from tedigan.bulk.engines import open_engine, portions
from tedigan.bulk.local_engine import run_local
from tedigan.bulk.running import run_job
from tedigan.bulk.seal import seal, verify
from tedigan.errors import ParamsError, StoreError
from tedigan.store import disk


def quiet_root(tmp_path: Path) -> str:
    worker = toy_job(tmp_path / "quiet", tmp_path / "q")
    list(worker.work(range(20)))
    return seal(worker.ledger)["root"]


def test_two_workers_draw_what_one_draws(tmp_path: Path) -> None:
    worker = toy_job(tmp_path / "jobs", tmp_path)
    assert run_job(worker, run_local, 2) == 0
    assert seal(worker.ledger)["root"] == quiet_root(tmp_path)


def test_workers_that_are_killed_lose_and_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "PATIENCE_S", (0.01,) * 5)
    worker = toy_job(tmp_path / "jobs", tmp_path, seconds=0.05)
    kills, over = [], threading.Event()

    def kill() -> None:
        while not over.wait(0.4) and len(kills) < 4:
            children = multiprocessing.active_children()
            if children and worker.ledger.committed():
                os.kill(children[len(kills) % len(children)].pid, signal.SIGKILL)
                kills.append(time.monotonic())

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        assert run_job(worker, run_local, 2) == 0
    finally:
        over.set()
        killer.join()
    assert kills
    assert seal(worker.ledger)["root"] == quiet_root(tmp_path)
    assert verify(worker.ledger, tmp_path / "cache").problems == []


def test_what_a_killed_worker_had_under_way_goes_and_a_living_ones_stays(tmp_path: Path) -> None:
    worker = toy_job(tmp_path / "jobs", tmp_path)
    (worker.scratch / "worker-killed").mkdir(parents=True)
    (worker.scratch / "worker-killed" / "000003.tar").write_bytes(bytes(9))
    (worker.scratch / "worker-alive").mkdir()
    living, held = disk.claim(lambda: str(worker.scratch / "worker-alive"))
    list(worker.work([0]))
    os.close(held)
    assert [*worker.scratch.glob("worker-*")] == [living]


def test_workers_that_do_nothing_but_die_are_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "PATIENCE_S", (0.01,))
    worker = DyingWorker(toy_job(tmp_path / "jobs", tmp_path).job, tmp_path, tmp_path / "s", "cpu")
    with pytest.raises(StoreError, match="died 2 times without one shard"):
        run_job(worker, run_local, 1)


class DyingWorker(ToyWorker):
    def draw(self, shard: int, folder: Path):
        os.kill(os.getpid(), signal.SIGKILL)


def test_what_does_not_pass_by_itself_ends_the_run_at_once(tmp_path: Path) -> None:
    worker = FailingWorker(toy_job(tmp_path / "jobs", tmp_path).job, tmp_path, tmp_path, "cpu")
    with pytest.raises(StoreError, match="the disk is full"):
        list(run_local(worker, [3], 1))


class FailingWorker(ToyWorker):
    def draw(self, shard: int, folder: Path):
        raise StoreError("the disk is full")


def test_a_budget_ends_a_run_cleanly_and_the_next_goes_on(tmp_path: Path) -> None:
    worker = toy_job(tmp_path / "jobs", tmp_path, seconds=0.2)
    done = list(replace(worker, deadline=time.monotonic() + 1.0).work(range(20)))
    assert 0 < len(done) < 20
    assert worker.ledger.committed() == set(done)
    assert run_job(worker, run_local, 1, max_hours=1e-9) == 20 - len(done)
    assert run_job(replace(worker, seconds=0.0), run_local, 2) == 0
    assert seal(worker.ledger)["root"] == quiet_root(tmp_path)


def test_without_workers_or_time_nothing_runs(tmp_path: Path) -> None:
    worker = toy_job(tmp_path / "jobs", tmp_path)
    for workers, hours in ((0, None), (1, 0.0)):
        with pytest.raises(ParamsError, match="expected at least one worker"):
            run_job(worker, run_local, workers, max_hours=hours)


def test_engines_are_found_by_the_name_under_which_they_are_installed() -> None:
    assert open_engine("local") is run_local
    with pytest.raises(ParamsError, match="expected one of local, prefect, ray"):
        open_engine("slurm")


def test_a_worker_is_sent_without_what_it_has_opened(tmp_path: Path) -> None:
    worker = toy_job(tmp_path / "jobs", tmp_path)
    list(worker.work([0]))
    assert "ledger" in vars(worker)
    sent = pickle.dumps(worker)
    assert len(sent) < 1000
    assert pickle.loads(sent) == worker
    assert "ledger" not in vars(pickle.loads(sent))


def test_portions_hold_each_shard_once() -> None:
    for count, workers in ((1, 4), (7, 2), (1000, 3), (20, 1)):
        parts = portions(range(count), workers)
        assert [shard for part in parts for shard in part] == list(range(count))
        assert max(map(len, parts)) <= engines.SHARDS_AT_ONCE
