"""A stage whose params name several processes: torchrun runs it, and both doors get what it got."""

import json
import os
import shutil
from contextlib import nullcontext
from pathlib import Path

import pytest

from tedigan import in_ranks
from tedigan.__main__ import main
from tedigan.errors import LostRankError, NumbersError, ParamsError, StoreError
from tedigan.progress import listening
from tedigan.stages import run_stage
from tedigan.store.files import read_json, write_json
from tedigan.training import ranks
from tedigan.turns import turn
from tedigan.workspace import Outcome, Workspace
from tests.stages.small import small_workspace

pytestmark = pytest.mark.timeout(900)


def workspace(root: Path, num: int, **changes: object) -> Workspace:
    """Batches of 8, as the discriminator compares 4 images at a time, and a process has whole groups."""
    root.mkdir()
    section = {"feature_weight": 0.0, "batch_size": 8, "total_nimg": 64, "learning_rate": 0.0005}
    runtime = {"num_processes": {"train_generator": num}}
    return small_workspace(root, train_generator=section | changes, runtime=runtime)


def test_two_processes_make_the_model_that_one_makes(tmp_path: Path) -> None:
    heard: list[int] = []
    one, two = (workspace(tmp_path / str(num), num) for num in (1, 2))
    alone = run_stage("train_generator", one).outcome
    with listening(lambda step, numbers: heard.append(step)):
        finished = run_stage("train_generator", two)
    assert finished.outcome.metrics == pytest.approx(alone.metrics, rel=1e-4)
    assert finished.outcome.pictures == [two.model("generator") / "samples.png"]
    assert (two.model("generator") / "G_ema.safetensors").is_file()
    assert heard == list(range(8))
    assert read_json(finished.record)["state"] == "finished"
    assert len(list(two.runs.glob("*.json"))) == 1
    lines = (two.work / "stats/train_generator.jsonl").read_text().splitlines()
    assert {json.loads(line)["num_ranks"] for line in lines} == {2}


def test_the_record_names_the_processes_that_trained_and_not_who_waited(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(in_ranks, "start", lambda *_: Outcome(metrics={}))
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    finished = run_stage("train_generator", workspace(tmp_path / "w", 2))
    around = read_json(finished.record)["surroundings"]
    assert (around["num_processes"], around["num_threads"]) == (2, 3)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    assert in_ranks.surroundings("train_generator", workspace(tmp_path / "v", 2)) == {}


def test_a_batch_that_cannot_be_shared_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"train_generator.batch_size is 5, which 2 processes"):
        in_ranks.num_processes("train_generator", workspace(tmp_path / "w", 2, batch_size=5))


def test_who_adopts_a_model_needs_one_process(tmp_path: Path) -> None:
    adopting = workspace(tmp_path / "w", 2, init="assets/stylegan2-drawn-64", total_nimg=0)
    assert in_ranks.num_processes("train_generator", adopting) == 1
    assert in_ranks.num_processes("train_generator", workspace(tmp_path / "v", 2)) == 2
    assert in_ranks.num_processes("invert", adopting) == 1


def test_what_ended_a_process_is_said_and_not_that_the_others_missed_it(tmp_path: Path) -> None:
    with pytest.raises(LostRankError, match=r"a process of s was killed.* run the stage again"):
        in_ranks._outcome(tmp_path, "s")
    write_json(tmp_path / "error-0.json", {"kind": "LostRankError", "message": "another is gone"})
    with pytest.raises(LostRankError):
        in_ranks._outcome(tmp_path, "s")
    write_json(tmp_path / "error-1.json", {"kind": "NumbersError", "message": "it diverged"})
    with pytest.raises(NumbersError, match="it diverged"):
        in_ranks._outcome(tmp_path, "s")
    write_json(tmp_path / "error-1.json", {"kind": "ValueError", "message": "a bug"})
    with pytest.raises(RuntimeError, match="ValueError: a bug"):
        in_ranks._outcome(tmp_path, "s")


def test_a_disk_that_takes_no_error_is_told_of_and_not_a_lost_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").write_text("no folder, so that nothing can be written in it")
    with pytest.raises(StoreError, match="cannot be written"):
        in_ranks._outcome(tmp_path / "work" / "ranks", "s")
    shut = workspace(tmp_path / "w", 2)
    shutil.rmtree(shut.work, ignore_errors=True)
    shut.work.write_text("the same")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(NumbersError, match="it diverged"), in_ranks._telling(shut, "s"):
        raise NumbersError("it diverged")


def test_a_lost_process_is_a_status_of_its_own(tmp_path: Path, monkeypatch, capsys) -> None:
    def lost(*_: object) -> None:
        raise LostRankError("one is gone")

    monkeypatch.setattr(in_ranks, "run", lost)
    root = workspace(tmp_path / "w", 2).root
    assert main(["train_generator", "--workspace", str(root)]) == 75
    assert "error: one is gone" in capsys.readouterr().err


def test_the_first_process_gives_up_its_turn_before_the_others_give_up_waiting_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert in_ranks.patience_s() is None
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setattr(in_ranks, "joined", lambda *_: nullcontext())
    monkeypatch.setattr(ranks, "TIMEOUT_S", 0.6)
    busy = workspace(tmp_path / "w", 2)
    with turn(busy.turn, "the flow train"):
        assert main(["train_generator", "--workspace", str(busy.root)]) == 1
    assert "held for too long, by the flow train" in (said := capsys.readouterr().err)
    assert "within 0.3 s" in said


def test_only_lines_that_are_whole_are_told_on(tmp_path: Path) -> None:
    heard: list[tuple[int, object]] = []
    stats = tmp_path / "x.jsonl"
    assert in_ranks._tell_on(stats, 0) == 0
    stats.write_text('{"step": 0, "loss": 1.0, "time": "now"}\n{"step": 1, "lo')
    with listening(lambda step, numbers: heard.append((step, numbers))):
        place = in_ranks._tell_on(stats, 0)
        stats.write_text(stats.read_text() + 'ss": 2.0}\n')
        in_ranks._tell_on(stats, place)
    assert heard == [(0, {"loss": 1.0}), (1, {"loss": 2.0})]


def test_only_who_was_started_by_torchrun_is_a_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    assert in_ranks.has_the_record()
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    assert not in_ranks.has_the_record()
    monkeypatch.setenv("RANK", "0")
    assert in_ranks.has_the_record()
    monkeypatch.setenv(in_ranks.PARENT, str(os.getpid()))
    assert not in_ranks.has_the_record()
