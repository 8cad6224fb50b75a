"""The jobs of a place: one line each, in the words of their status, whatever else lies there."""

from pathlib import Path

import pytest

from benchmarks.toy_jobs import toy_job, toy_plan
from tedigan.__main__ import main
from tedigan.bulk.job_list import brief_of, jobs_of
from tedigan.bulk.ledger import Ledger
from tedigan.bulk.seal import seal
from tedigan.bulk.status import Watch
from tedigan.store.objects import FolderBucket


def several(place: str, folder: Path) -> dict[str, str]:
    """Jobs of 2 to 6 images in shards of 2, each in another state: name -> state."""
    planned, draft = toy_plan(folder / "planned", num_images=2)
    jobs = [Ledger.create(place, planned, draft)]
    for count in (3, 4, 5, 6):
        worker = toy_job(place, folder / str(count), num_images=count)
        jobs.append(worker.ledger)
        if count == 4:
            worker.ledger.cancel("somebody")
        if count == 5:
            list(worker.work([0]))
        if count == 6:
            list(worker.work(range(3)))
            seal(worker.ledger)
    states = ("not approved", "open", "cancelled", "running", "sealed")
    return {job.name: state for job, state in zip(jobs, states, strict=True)}


def test_every_job_of_a_place_is_in_the_state_that_its_status_says(tmp_path: Path) -> None:
    states = several(str(tmp_path / "jobs"), tmp_path)
    (tmp_path / "jobs" / "no-job").mkdir()
    (tmp_path / "jobs" / "list.txt").touch()
    ledgers = list(jobs_of(str(tmp_path / "jobs")))
    assert {brief_of(one).job: brief_of(one).state for one in ledgers} == states
    assert {one.name: Watch(one).look().state for one in ledgers} == states


def test_a_line_has_the_shards_images_and_age_of_its_job_the_youngest_first(
    s3_uri: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    states = several(f"{s3_uri}/jobs", tmp_path)
    assert main(["jobs", "list", f"{s3_uri}/jobs/"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["job", "state", "shards", "images", "planned"]
    found = {line.split()[0]: line for line in lines}
    assert found.keys() == states.keys()
    for number, (name, state) in enumerate(states.items()):
        num_shards, num_done = -(-(number + 2) // 2), (0, 0, 0, 1, 3)[number]
        assert f"  {state}  " in found[name]
        assert f"  {num_done} of {num_shards}  " in found[name]
        assert f"  {number + 2}  " in found[name]
        assert found[name].endswith(" s ago")


def test_a_job_is_asked_equally_often_whatever_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    for name in ("names", "ages", "exists", "read"):
        real = getattr(FolderBucket, name)
        monkeypatch.setattr(
            FolderBucket, name, lambda *given, real=real: asked.append(given) or real(*given)
        )
    counts = []
    for count in (2, 40):
        worker = toy_job(tmp_path / "jobs", tmp_path / str(count), num_images=count)
        list(worker.work(range(count // 2)))
        seal(worker.ledger)
        asked.clear()
        brief_of(Ledger(worker.job))
        counts.append(len(asked))
    assert 0 < counts[0] == counts[1]


def test_a_job_that_was_changed_is_named_beside_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = toy_job(tmp_path / "jobs", tmp_path / "a", num_images=2)
    other = toy_job(tmp_path / "jobs", tmp_path / "b", num_images=3)
    other.ledger.bucket.write("plan.json", b"{}")
    assert main(["jobs", "list", str(tmp_path / "jobs")]) == 1
    said = capsys.readouterr()
    assert f"job {other.ledger.name}: plan.json is no plan" in said.err
    assert whole.ledger.name in said.out


def test_a_place_without_a_job_says_how_to_make_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["jobs", "list", str(tmp_path / "nowhere")]) == 0
    assert "holds no job; `tedigan jobs plan" in capsys.readouterr().out
