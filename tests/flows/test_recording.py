"""DVC as the recorder: the same answers as `dvc repro`, on one stage that copies a file."""

import multiprocessing
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks import policy, recording
from tedigan.errors import StoreError
from tedigan.workspace import Workspace
from tests.flows.conftest import dvc, make_repository, tiny_params

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.xdist_group("recording")]
PIPELINE = """
stages:
  invert:
    cmd: mkdir -p data/codes && cp input.txt data/codes/x.txt
    params: [invert, {code.lock: [invert]}]
    deps: [input.txt]
    outs: [data/codes]
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folder = make_repository(tmp_path / "repo", PIPELINE, tiny_params())
    (folder / "input.txt").write_text("one")
    (folder / "code.lock").write_text('invert: "one"\n')
    return Workspace.open(folder)


def run_by_hand(workspace: Workspace, text: str = "one") -> recording.Recorded:
    workspace.codes.mkdir(parents=True, exist_ok=True)
    (workspace.codes / "x.txt").write_text(text)
    return recording.commit(workspace, "invert")


def change(workspace: Workspace, **values: Any) -> None:
    path = workspace.root / "params.yaml"
    params = yaml.safe_load(path.read_text())
    params["invert"] |= values
    path.write_text(yaml.safe_dump(params))


def test_a_stage_that_never_ran_says_so(workspace: Workspace) -> None:
    assert recording.why_stale(workspace, "invert") == ["never run here"]


def test_what_was_recorded_is_skipped_here_and_by_dvc(workspace: Workspace) -> None:
    run_by_hand(workspace)
    assert recording.why_stale(workspace, "invert") == []
    assert "didn't change, skipping" in dvc(workspace.root, "repro")


def test_what_dvc_ran_is_skipped_here_with_the_same_lock(workspace: Workspace) -> None:
    dvc(workspace.root, "repro")
    by_dvc = (workspace.root / "dvc.lock").read_bytes()
    assert recording.why_stale(workspace, "invert") == []
    run_by_hand(workspace)
    assert (workspace.root / "dvc.lock").read_bytes() == by_dvc


def test_a_changed_value_is_named_with_both_values(workspace: Workspace) -> None:
    run_by_hand(workspace)
    change(workspace, batch_size=3)
    assert recording.why_stale(workspace, "invert") == ["invert.batch_size 16 -> 3"]


def test_changed_code_is_named_here_and_seen_by_dvc(workspace: Workspace) -> None:
    run_by_hand(workspace)
    (workspace.root / "code.lock").write_text('invert: "two"\nreport: "one"\n')
    assert recording.why_stale(workspace, "invert") == ["code modified"]
    assert "Running stage 'invert'" in dvc(workspace.root, "repro")
    (workspace.root / "code.lock").write_text('invert: "two"\nreport: "two"\n')
    assert recording.why_stale(workspace, "invert") == []


def test_changed_inputs_and_outputs_are_named(workspace: Workspace) -> None:
    run_by_hand(workspace)
    (workspace.root / "input.txt").write_text("two")
    shutil.rmtree(workspace.codes)
    assert recording.why_stale(workspace, "invert") == [
        "input input.txt modified",
        "output data/codes deleted",
    ]


def test_a_lost_output_is_put_back(workspace: Workspace) -> None:
    run_by_hand(workspace)
    shutil.rmtree(workspace.codes)
    assert recording.restore(workspace, "invert")
    assert (workspace.codes / "x.txt").read_text() == "one"


def test_a_lost_output_and_cache_are_put_back_from_the_remote(workspace: Workspace) -> None:
    run_by_hand(workspace)
    assert recording.push(workspace, "invert") > 0
    shutil.rmtree(workspace.codes)
    shutil.rmtree(workspace.root / ".dvc" / "cache")
    assert recording.restore(workspace, "invert")
    assert (workspace.codes / "x.txt").read_text() == "one"


def test_what_was_deleted_in_the_remote_is_pushed_again(workspace: Workspace) -> None:
    run_by_hand(workspace)
    assert recording.push(workspace, "invert") > 0
    objects = workspace.root.parent / "repo-remote" / "files"
    lost = next(one for one in objects.rglob("*") if one.is_file() and one.suffix != ".dir")
    lost.unlink()
    assert recording.push(workspace, "invert") == 1
    assert recording.push(workspace, "invert") == 0
    shutil.rmtree(workspace.codes)
    shutil.rmtree(workspace.root / ".dvc" / "cache")
    assert recording.restore(workspace, "invert")


def test_a_result_of_other_params_is_never_put_back(workspace: Workspace) -> None:
    run_by_hand(workspace)
    change(workspace, batch_size=3)
    assert not recording.restore(workspace, "invert")


def test_the_last_result_stays_until_there_is_a_new_one(workspace: Workspace) -> None:
    run_by_hand(workspace)
    change(workspace, batch_size=3)
    assert not recording.restore(workspace, "invert")
    assert (workspace.codes / "x.txt").read_text() == "one"


def test_an_input_that_changed_back_puts_its_result_back(workspace: Workspace) -> None:
    run_by_hand(workspace)
    (workspace.root / "input.txt").write_text("two")
    assert not recording.restore(workspace, "invert")
    run_by_hand(workspace, text="two")
    (workspace.root / "input.txt").write_text("one")
    assert recording.restore(workspace, "invert")
    assert (workspace.codes / "x.txt").read_text() == "one"


def test_params_changed_back_put_the_old_result_back(workspace: Workspace) -> None:
    run_by_hand(workspace)
    change(workspace, batch_size=3)
    run_by_hand(workspace, text="three")
    change(workspace, batch_size=16)
    assert recording.restore(workspace, "invert")
    assert (workspace.codes / "x.txt").read_text() == "one"
    assert recording.why_stale(workspace, "invert") == []


def test_the_record_names_inputs_and_outputs_by_md5(workspace: Workspace) -> None:
    recorded = run_by_hand(workspace)
    assert recorded.inputs == {"input.txt": "f97c5d29941bfb1b2fdab0874906ab82"}
    assert list(recorded.outputs) == ["data/codes"]
    assert len(recorded.lock_sha256) == 64


def test_a_writable_remote_passes_and_leaves_nothing(workspace: Workspace) -> None:
    recording.check_remote(workspace)
    remote = workspace.root.parent / "repo-remote"
    assert list(remote.iterdir()) == []


def test_an_unwritable_remote_is_refused_with_advice(workspace: Workspace) -> None:
    (workspace.root.parent / "repo-remote").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match="python -m infra"):
        recording.check_remote(workspace)


def test_a_folder_without_dvc_is_refused(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tiny_params()))
    with pytest.raises(StoreError, match="DVC refuses"):
        recording.why_stale(Workspace.open(tmp_path), "invert")


def hold(root: Path, seconds: float) -> None:
    with recording.single_writer(Workspace.open(root)):
        (root / "held").touch()
        time.sleep(seconds)


def test_writers_take_turns(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "RECORDING_LOCK_TIMEOUT_S", 0.3)
    other = multiprocessing.get_context("fork").Process(target=hold, args=(workspace.root, 30))
    other.start()
    try:
        while not (workspace.root / "held").exists():
            time.sleep(0.05)
        with (
            pytest.raises(StoreError, match="held for too long"),
            recording.single_writer(workspace),
        ):
            pass
    finally:
        other.kill()
        other.join()
    with recording.single_writer(workspace):
        pass


def hold_dvc(root: Path, seconds: float) -> None:
    """As a `dvc status` of somebody's that takes so long."""
    from dvc.repo import Repo, lock_repo

    with Repo(str(root)) as repo, lock_repo(repo):
        (root / "held").touch()
        time.sleep(seconds)


def test_somebody_elses_dvc_is_waited_for_longer_than_dvc_itself_would(
    workspace: Workspace,
) -> None:
    run_by_hand(workspace)
    other = multiprocessing.get_context("fork").Process(
        target=hold_dvc, args=(workspace.root, 5.0), daemon=True
    )
    other.start()
    while not (workspace.root / "held").exists():
        time.sleep(0.02)
    assert recording.why_stale(workspace, "invert") == []
    other.join()
