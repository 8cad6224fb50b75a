"""The engine `ray`, on a real Ray of this machine: what it draws, what it survives, what it says."""

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ray = pytest.importorskip("ray")

from benchmarks.toy_jobs import ToyWorker, toy_job  # noqa: E402
from tedigan.bulk import engines, ray_engine  # noqa: E402
from tedigan.bulk.ray_engine import joined, num_gpus, run_ray  # noqa: E402
from tedigan.bulk.running import run_job  # noqa: E402
from tedigan.bulk.seal import seal, verify  # noqa: E402
from tedigan.errors import ParamsError, StoreError  # noqa: E402
from tedigan.workspace import Workspace  # noqa: E402
from tests.bulk.jobs import finished, job, pixels_of  # noqa: E402
from tests.bulk.test_engines import quiet_root  # noqa: E402

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.xdist_group("ray")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """One Ray for all of these, as it takes seconds to start."""
    with joined(num_cpus=2):
        yield


@dataclass(frozen=True)
class Known(ToyWorker):
    """Writes down in which process it draws."""

    def draw(self, shard: int, folder: Path):
        (self.models / f"{os.getpid()}.pid").touch()
        return super().draw(shard, folder)


class Dying(ToyWorker):
    def draw(self, shard: int, folder: Path):
        os.kill(os.getpid(), signal.SIGKILL)


class Failing(ToyWorker):
    def draw(self, shard: int, folder: Path):
        raise StoreError("the disk is full")


class FailingOnce(ToyWorker):
    def draw(self, shard: int, folder: Path):
        if (self.models / "failed").exists():
            return super().draw(shard, folder)
        (self.models / "failed").touch()
        error = StoreError("the bucket does not answer")
        error.may_pass = True
        raise error


def test_a_ray_of_our_own_draws_what_one_process_draws_and_ends(tmp_path: Path) -> None:
    worker = toy_job(tmp_path / "jobs", tmp_path)
    assert not ray.is_initialized()
    assert run_job(worker, run_ray, 2) == 0
    assert not ray.is_initialized()
    assert seal(worker.ledger)["root"] == quiet_root(tmp_path)


def test_networks_in_actors_draw_the_pixels_that_they_draw_here(
    cluster: None, untrained: Workspace, tmp_path: Path
) -> None:
    worker = job(untrained, tmp_path / "jobs", tmp_path)
    quiet = job(untrained, tmp_path / "quiet", tmp_path / "q")
    assert run_job(worker, run_ray, 2) == 0
    assert pixels_of(worker) == pixels_of(finished(quiet))


def test_workers_that_are_killed_lose_and_double_nothing(cluster: None, tmp_path: Path) -> None:
    toy = toy_job(tmp_path / "jobs", tmp_path)
    pids = tmp_path / "pids"
    pids.mkdir()
    worker = Known(toy.job, pids, tmp_path / "s", "cpu", seconds=0.1)
    killed, over = set[str](), threading.Event()

    def kill() -> None:
        while not over.wait(0.3) and len(killed) < 3:
            for file in list(pids.glob("*.pid"))[:1]:
                file.unlink()
                if file.stem not in killed:
                    killed.add(file.stem)
                    os.kill(int(file.stem), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        assert run_job(worker, run_ray, 2) == 0
    finally:
        over.set()
        killer.join()
    assert killed
    assert seal(worker.ledger)["root"] == quiet_root(tmp_path)
    assert verify(worker.ledger, tmp_path / "cache").problems == []


def test_workers_that_do_nothing_but_die_are_given_up(
    cluster: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "PATIENCE_S", ())
    monkeypatch.setattr(ray_engine, "DEATHS", 1)
    worker = Dying(toy_job(tmp_path / "jobs", tmp_path).job, tmp_path, tmp_path / "s", "cpu")
    with pytest.raises(StoreError, match="died 1 times without one shard"):
        run_job(worker, run_ray, 1)


def test_what_does_not_pass_by_itself_ends_the_run_at_once_and_arrives_as_itself(
    cluster: None, tmp_path: Path
) -> None:
    worker = Failing(toy_job(tmp_path / "jobs", tmp_path).job, tmp_path, tmp_path, "cpu")
    with pytest.raises(StoreError, match=r"^the disk is full$") as raised:
        list(run_ray(worker, [3], 1))
    assert type(raised.value) is StoreError


def test_what_may_pass_by_itself_is_waited_for(
    cluster: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "PATIENCE_S", (0.01,))
    worker = FailingOnce(toy_job(tmp_path / "jobs", tmp_path).job, tmp_path, tmp_path / "s", "cpu")
    assert run_job(worker, run_ray, 1) == 0
    assert (tmp_path / "failed").exists()


def test_more_workers_than_the_cluster_has_room_for_hold_nothing_up(
    cluster: None, tmp_path: Path
) -> None:
    worker = toy_job(tmp_path / "jobs", tmp_path)
    assert run_job(worker, run_ray, 4) == 0


def test_a_worker_takes_a_gpu_where_there_is_one_and_it_may(
    cluster: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert num_gpus("cpu") == 0
    assert num_gpus("cuda") == (ray.cluster_resources().get("GPU", 0) > 0)
    monkeypatch.setenv("TEDIGAN_RAY_GPUS", "0.5")
    assert num_gpus("auto") == 0.5
    monkeypatch.setenv("TEDIGAN_RAY_GPUS", "half")
    with pytest.raises(ParamsError, match=r"such as 0, 0\.5 or 1"):
        num_gpus("auto")
