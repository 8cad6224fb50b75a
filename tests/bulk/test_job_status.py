"""What a job says of itself: who draws it, how fast, what it may still cost; no clock but the store's counts."""

import json
import os
import pickle
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.toy_jobs import ToyPainter, ToyWorker, toy_job, toy_plan
from tedigan.__main__ import main
from tedigan.bulk import heartbeat
from tedigan.bulk.draw import Face, Failure
from tedigan.bulk.heartbeat import Heartbeat, Pulse, hours_spent, read_heartbeats
from tedigan.bulk.ledger import PLAN, Ledger
from tedigan.bulk.local_engine import run_local
from tedigan.bulk.prompt_table import Asked
from tedigan.bulk.running import hours_left, run_job
from tedigan.bulk.seal import seal, verify
from tedigan.bulk.status import Seen, Watch, rate_in_all, recent_rate
from tedigan.errors import ParamsError, StoreError
from tedigan.store.objects import MemoryBucket
from tedigan.workspace import Workspace
from tests.bulk.jobs import finished, job


@pytest.fixture
def worker(tmp_path: Path) -> ToyWorker:
    return toy_job(tmp_path / "jobs", tmp_path, num_images=11, images_per_shard=3)


def heard(ledger: Ledger) -> list[Heartbeat]:
    return list(read_heartbeats(ledger.bucket, ledger.bucket.names("workers/")).values())


def saying(ledger: Ledger, name: str = "w", **values: Any) -> None:
    """A worker's word, written by hand."""
    said = Heartbeat(name, "host", 1, "1999-01-01", "1999-01-01", **values)
    ledger.bucket.write(f"workers/{name}.json", said.to_bytes())


# Heartbeats


def test_a_worker_says_what_it_has_drawn(worker: ToyWorker) -> None:
    list(worker.work([0, 3]))
    list(worker.work([1]))
    (said,) = heard(worker.ledger)
    assert (said.num_shards, said.num_images, said.state, said.shard) == (3, 8, "waits", None)
    assert 0 < said.seconds_drawing < said.seconds
    assert 0 < said.seconds_sending < said.seconds


def test_each_worker_has_a_word_of_its_own(worker: ToyWorker) -> None:
    other = pickle.loads(pickle.dumps(worker))
    for shard, one in enumerate((worker, other)):
        list(one.work([shard]))
    again = pickle.loads(pickle.dumps(worker))  # as an engine sends one that has worked
    list(again.work([2]))
    assert [one.num_shards for one in heard(worker.ledger)] == [1, 1, 1]


def test_a_worker_that_fails_says_by_what_and_the_error_goes_on(tmp_path: Path) -> None:
    made = toy_job(tmp_path / "jobs", tmp_path)
    worker = FailingWorker(made.job, tmp_path, tmp_path / "scratch", "cpu")
    with pytest.raises(StoreError):
        list(worker.work([5]))
    (said,) = heard(worker.ledger)
    assert (said.state, said.shard, said.error) == ("stopped", 5, "the lamp is out")


class FailingWorker(ToyWorker):
    def draw(self, shard: int, folder: Path):
        raise StoreError("the lamp is out\nand nobody is at home")


def test_a_worker_that_is_late_or_cancelled_says_that_it_ended(worker: ToyWorker) -> None:
    list(replace(worker, deadline=time.monotonic() - 1).work([0]))
    worker.ledger.cancel("somebody")
    list(worker.work([0]))
    assert [one.state for one in heard(worker.ledger)] == ["ended", "ended"]


def test_a_late_worker_says_so_once_however_often_it_is_asked(worker: ToyWorker) -> None:
    late = replace(worker, deadline=time.monotonic() - 1)
    list(late.work([0]))
    (name,) = late.ledger.bucket.names("workers/")
    late.ledger.bucket.delete(name)
    assert list(late.work([1])) == []
    assert not heard(late.ledger)


def test_a_long_shard_is_heard_of_before_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "BEAT_S", 0.2)
    monkeypatch.setattr(heartbeat, "REST_S", 0.1)
    worker = toy_job(tmp_path / "jobs", tmp_path, seconds=4.0)
    drawing = threading.Thread(target=lambda: list(worker.work([7])))
    drawing.start()
    time.sleep(2.0)
    (said,) = heard(worker.ledger)
    assert (said.state, said.shard, said.num_shards) == ("draws", 7, 0)
    assert said.seconds > 0.5
    drawing.join()


class ForgetfulBucket(MemoryBucket):
    """Takes nothing."""

    def write(self, name: str, content: bytes | Path) -> None:
        raise StoreError("no answer")


def test_a_word_that_is_not_taken_fails_no_shard(worker: ToyWorker) -> None:
    bucket = ForgetfulBucket()
    bucket.create(PLAN, b"")
    vars(worker)["pulse"] = Pulse(bucket, alive=PLAN)
    assert list(worker.work([0, 1])) == [0, 1]
    assert worker.ledger.committed() == {0, 1}


def test_a_worker_writes_nothing_where_its_job_was_removed() -> None:
    bucket = MemoryBucket()
    with Pulse(bucket, alive=PLAN).beating():
        pass
    assert list(bucket.names()) == []


def test_words_that_are_none_are_left_out_and_shown_ones_are_printable(worker: ToyWorker) -> None:
    for number, content in enumerate((b"", b"[]", b"{}", b"\xff", b'{"worker": 1}')):
        worker.ledger.bucket.write(f"workers/{number}.json", content)
    saying(worker.ledger, error="\x1b[2J<b>gone</b>\nx", state="stopped")
    (said,) = heard(worker.ledger)
    assert said.error == "[2J<b>gone</b>x"
    assert all(line.isprintable() for line in Watch(worker.ledger).look().lines(9))


def test_a_word_of_an_earlier_version_counts_though_it_knows_of_no_failures(
    worker: ToyWorker,
) -> None:
    saying(worker.ledger, seconds=7200.0, num_failed=5)
    (name,) = worker.ledger.bucket.names("workers/")
    earlier = worker.ledger.read(name)
    del earlier["num_failed"]
    worker.ledger.bucket.write(name, json.dumps(earlier).encode())
    assert hours_spent(worker.ledger.bucket) == 2
    assert Watch(worker.ledger).look().num_failed == 0


# Budgets


def test_a_budget_is_granted_by_approval_and_raised_by_another(tmp_path: Path) -> None:
    plan, files = toy_plan(tmp_path)
    ledger = Ledger.create(str(tmp_path / "jobs"), plan, files)
    assert ledger.budget() is None
    ledger.approve("somebody", worker_hours=2.0)
    ledger.approve("somebody")
    assert ledger.budget() == 2
    ledger.approve("somebody else", worker_hours=3.5)
    assert ledger.budget() == 3.5
    with pytest.raises(ParamsError, match="expected more"):
        ledger.approve("somebody", worker_hours=1.0)
    for hours in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ParamsError, match="expected more than 0"):
            ledger.approve("somebody", worker_hours=hours)
    assert ledger.budget() == 3.5
    ledger.check_runs()


def test_an_approval_of_another_plan_is_not_raised(worker: ToyWorker) -> None:
    worker.ledger.bucket.write("approved.json", b'{"plan": "another"}')
    with pytest.raises(StoreError, match="have that approved"):
        worker.ledger.approve("somebody", worker_hours=2.0)


def test_what_a_budget_leaves_is_drawn_when_more_is_granted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = toy_job(tmp_path / "jobs", tmp_path, seconds=0.5)
    worker.ledger.approve("somebody", worker_hours=2 / 3600)
    left = run_job(worker, run_local, 1)
    assert 0 < left < 20
    while hours_left(worker.ledger) > 0:  # a worker's start-up is no work, and may leave some
        left = run_job(worker, run_local, 1)
    assert hours_spent(worker.ledger.bucket) >= 2 / 3600
    assert Watch(worker.ledger).look().state == "budget used"
    settled = worker.ledger.committed()
    assert run_job(worker, run_local, 1) == left  # and none was begun
    assert worker.ledger.committed() == settled
    worker.ledger.approve("somebody", worker_hours=1.0)
    assert run_job(replace(worker, seconds=0.0), run_local, 1) == 0
    quiet = toy_job(tmp_path / "quiet", tmp_path / "q")
    list(quiet.work(range(20)))
    assert seal(worker.ledger) == seal(quiet.ledger)


def test_what_is_left_of_a_budget_is_divided_among_the_workers(worker: ToyWorker) -> None:
    worker.ledger.approve("somebody", worker_hours=5.0)
    saying(worker.ledger, seconds=3600.0)
    given = []

    def engine(one: ToyWorker, shards: list[int], num_workers: int) -> list[int]:
        given.append(one.deadline - time.monotonic())
        return []

    run_job(worker, engine, 2)
    run_job(worker, engine, 2, max_hours=0.5)
    assert given == pytest.approx([2 * 3600, 1800], abs=60)
    saying(worker.ledger, seconds=5 * 3600.0)
    assert run_job(worker, engine, 2) == 4
    assert len(given) == 2  # nothing is left, and no engine starts


def test_the_command_says_why_shards_are_left_and_its_code_is_3(
    untrained: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = job(untrained, tmp_path / "jobs", tmp_path)
    given = ["jobs", "run", worker.job, "--workspace", str(untrained.root)]
    assert main(["jobs", "approve", worker.job, "--worker-hours", "1"]) == 0
    saying(worker.ledger, seconds=3601.0)
    assert main(given) == 3
    said = capsys.readouterr().out
    assert "5 are left: its 1 worker-hours are used; grant more" in said
    assert worker.ledger.committed() == set()
    assert main(["jobs", "approve", worker.job, "--worker-hours", "0.5"]) == 1
    assert main(["jobs", "approve", worker.job, "--worker-hours", "2"]) == 0
    assert main([*given, "--max-hours", "1e-9"]) == 3
    assert "the time of this run is over" in capsys.readouterr().out
    finished(worker)
    saying(worker.ledger, seconds=7201.0)
    assert main(given) == 0


def test_a_deadline_travels_as_what_is_left_of_it(worker: ToyWorker) -> None:
    sent = pickle.dumps(replace(worker, deadline=time.monotonic() + 100))
    time.sleep(0.2)
    arrived = pickle.loads(sent)
    assert arrived.deadline - time.monotonic() == pytest.approx(100, abs=0.1)
    by_json = json.loads(json.dumps(replace(worker, deadline=time.monotonic() + 100).to_json()))
    time.sleep(0.2)
    assert ToyWorker.from_json(by_json).deadline - time.monotonic() == pytest.approx(100, abs=0.1)
    for same in (pickle.loads(pickle.dumps(worker)), ToyWorker.from_json(worker.to_json())):
        assert same == worker


# Rates


def test_the_recent_rate_is_that_of_the_last_ten_minutes() -> None:
    steady = [(10.0 * i, 5) for i in range(1, 400)]  # a shard of 5 every 10 s
    assert recent_rate(steady) == pytest.approx(0.5)
    assert recent_rate([(age + 300, size) for age, size in steady]) == pytest.approx(0.25)
    assert recent_rate(steady[:12]) == pytest.approx(11 * 5 / 120)
    assert rate_in_all(steady) == pytest.approx(0.5)


def test_a_job_of_long_shards_has_a_recent_rate_too() -> None:
    slow = [(1000.0 * i, 50) for i in range(1, 40)]
    assert recent_rate(slow) == pytest.approx(0.05)


@pytest.mark.parametrize("settled", [[], [(3.0, 5)], [(0.0, 5), (0.0, 5)]])
def test_too_few_shards_have_no_rate(settled: list[tuple[float, int]]) -> None:
    assert recent_rate(settled) is None
    assert rate_in_all(settled) is None


# Status


def test_a_status_counts_what_is_committed(worker: ToyWorker) -> None:
    list(worker.work([0, 3]))
    status = Watch(worker.ledger).look()
    assert (status.num_committed, status.num_shards_committed, status.num_shards) == (5, 2, 4)
    assert status.state == "running"
    assert status.hours_spent > 0
    text = "\n".join(status.lines(9))
    assert "2 of 4 shards, 5 images (45.5%)" in text
    assert "workers: 1 waits" in text
    list(worker.work([1, 2]))
    status = Watch(worker.ledger).look()
    assert status.is_finished
    assert [one.said.state for one in status.workers] == ["ended"]
    assert status.eta_s is None


def test_states_of_a_job_are_told_apart(tmp_path: Path) -> None:
    plan, files = toy_plan(tmp_path, num_images=2)
    ledger = Ledger.create(str(tmp_path / "jobs"), plan, files)
    states = [Watch(ledger).look().state]
    ledger.approve("somebody", worker_hours=1.0)
    states.append(Watch(ledger).look().state)
    saying(ledger, seconds=3600.0, state="ended")
    states.append(Watch(ledger).look().state)
    saying(ledger, seconds=3600.0, state="draws")
    states.append(Watch(ledger).look().state)
    ledger.cancel("somebody")
    states.append(Watch(ledger).look().state)
    worker = ToyWorker(ledger.address, tmp_path, tmp_path / "scratch", "cpu")
    ledger.resume()
    list(worker.work([0]))
    states.append(Watch(ledger).look().state)
    seal(ledger)
    states.append(Watch(ledger).look().state)
    assert states == [
        "not approved", "open", "budget used", "running", "cancelled", "finished; seal it", "sealed",
    ]  # fmt: skip


def test_a_sealed_job_whose_commits_are_gone_says_how_many_and_what_to_do(
    worker: ToyWorker, tmp_path: Path
) -> None:
    list(worker.work(range(4)))
    seal(worker.ledger)
    for shard in (1, 2):
        worker.ledger.bucket.delete(f"commits/{shard:06d}.json")
    status = Watch(worker.ledger).look()
    assert status.state == "sealed, but commits are missing"
    (said,) = (line for line in status.lines(9) if line.startswith("missing: 2 commits;"))
    assert f"`tedigan jobs verify {worker.job}`" in said
    assert f"`tedigan jobs run {worker.job}`" in said
    assert run_job(worker, run_local, 1) == 0
    assert Watch(worker.ledger).look().state == "sealed"
    assert verify(worker.ledger, tmp_path / "cache").problems == []


def test_a_worker_that_is_not_heard_of_is_silent_whatever_its_clock_says(
    worker: ToyWorker,
) -> None:
    saying(worker.ledger, "young", state="draws", shard=1)
    saying(worker.ledger, "old", state="draws", shard=2)
    path = Path(worker.job, "workers", "old.json")
    os.utime(path, (time.time() - 500, time.time() - 500))
    status = Watch(worker.ledger).look()
    states = {one.said.worker: one.said.state for one in status.workers}
    assert states == {"young": "draws", "old": "silent"}
    table = status.lines(9)[-2:]
    assert "silent" in table[0]  # first, as somebody should look at it
    assert "8.3 min ago" in table[0]


def test_a_second_look_reads_only_who_has_spoken_since(worker: ToyWorker) -> None:
    for name in ("quiet", "loud"):
        saying(worker.ledger, name, num_images=1)
        path = Path(worker.job, "workers", f"{name}.json")
        os.utime(path, (time.time() - 60, time.time() - 60))
    watch = Watch(worker.ledger)
    assert sum(one.said.num_images for one in watch.look().workers) == 2
    saying(worker.ledger, "quiet", num_images=9)
    os.utime(Path(worker.job, "workers", "quiet.json"), (time.time() - 60, time.time() - 60))
    saying(worker.ledger, "loud", num_images=5)
    found = {one.said.worker: one.said.num_images for one in watch.look().workers}
    assert found == {"quiet": 1, "loud": 5}


def test_a_table_is_as_long_as_asked_and_says_how_many_more_there_are(worker: ToyWorker) -> None:
    for number in range(20):
        saying(worker.ledger, f"w{number:02d}", state="draws", shard=number)
    saying(worker.ledger, "x", state="stopped", error="the disk is full")
    lines = Watch(worker.ledger).look().lines(3)
    assert "workers: 1 stopped, 20 draws" in lines
    assert lines[-1] == "and 18 more"
    assert lines[-4].endswith("the disk is full")


def test_images_that_could_not_be_drawn_are_counted_while_a_job_is_drawn(
    worker: ToyWorker, capsys: pytest.CaptureFixture[str]
) -> None:
    vars(worker)["painter"] = Spoilt(worker.painter)
    list(worker.work([0, 1]))
    assert [one.num_failed for one in heard(worker.ledger)] == [3]
    assert main(["jobs", "status", worker.job]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "0 marked, 3 could not be drawn" in said[2]
    assert said[-1][said[-2].index("failed") :].split()[0] == "3"
    assert main(["jobs", "status", worker.job, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["num_failed"], found["workers"][0]["num_failed"]) == (3, 3)


@dataclass(frozen=True)
class Spoilt:
    """Every second image cannot be drawn."""

    painter: ToyPainter

    def faces(self, images: range, asked: list[Asked]) -> Iterator[list[Face | Failure]]:
        for (face,) in self.painter.faces(images, asked):
            failure = Failure(face.image, face.prompt, face.asked, "its text is poison")
            yield [failure if face.image % 2 else face]


def test_the_command_prints_a_status_for_people_and_for_machines(
    worker: ToyWorker, capsys: pytest.CaptureFixture[str]
) -> None:
    list(worker.work([0]))
    assert main(["jobs", "status", worker.job]) == 0
    assert "state: running" in capsys.readouterr().out
    assert main(["jobs", "status", worker.job, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["num_committed"], found["workers"][0]["num_images"]) == (3, 3)
    assert found["workers"][0]["age_s"] >= 0


def test_a_watch_ends_when_no_shard_is_left(
    worker: ToyWorker, capsys: pytest.CaptureFixture[str]
) -> None:
    drawing = threading.Thread(target=lambda: list(replace(worker, seconds=0.4).work(range(4))))
    drawing.start()
    assert main(["jobs", "status", worker.job, "--watch", "0.1", "--json"]) == 0
    drawing.join()
    looks = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert looks[-1]["state"] == "finished; seal it"
    assert len(looks) > 3


def test_on_s3_it_is_the_same_status(s3_uri: str, tmp_path: Path) -> None:
    worker = toy_job(f"{s3_uri}/jobs", tmp_path, num_images=11, images_per_shard=3)
    list(worker.work([0, 3]))
    status = Watch(worker.ledger).look()
    assert (status.num_committed, status.state) == (5, "running")
    (seen,) = status.workers
    assert isinstance(seen, Seen)
    assert seen.age_s < 30
