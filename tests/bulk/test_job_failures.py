"""What goes wrong around a job: each failure is one clear error or a quarantine, what is finished is kept, and the
exit code says so.
"""

import os
import pickle
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.chaos.wrong_clock import wrong_clock
from benchmarks.toy_jobs import ToyWorker, toy_job
from infra.services import S3, local_s3
from tedigan.__main__ import main
from tedigan.bulk.ledger import Ledger
from tedigan.bulk.local_engine import run_local
from tedigan.bulk.running import run_job, work_among_others
from tedigan.bulk.seal import seal, verify
from tedigan.errors import StoreError
from tedigan.store.s3 import client
from tedigan.workspace import Workspace
from tests.bulk.jobs import finished, job
from tests.stages.small import small_workspace, write_models


def run(workspace: Workspace, address: str) -> int:
    return main(["jobs", "run", address, "--workspace", str(workspace.root)])


# Disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 384 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if mount is None:
        pytest.skip("there is no mount(8) here")
    command = [mount, "-t", "tmpfs", "-o", "size=384k", "tedigan-test", str(disk)]
    refused = subprocess.run(command, capture_output=True, text=True)
    if refused.returncode:
        pytest.skip(f"no small disk may be mounted here: {refused.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path, spare: int) -> Path:
    """A file that leaves `spare` bytes."""
    filler = disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(disk).free - spare))
    return filler


def test_a_full_disk_keeps_what_is_finished_and_with_space_the_job_goes_on(
    untrained: Workspace, small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = job(untrained, small_disk / "jobs", tmp_path)
    finished(worker, [0])
    filler = fill(small_disk, spare=48 * 1024)
    assert run(untrained, worker.job) == 1
    error = capsys.readouterr().err
    assert "No space left on device" in error
    assert "expected a disk with free space" in error
    assert "Traceback" not in error
    assert 0 in worker.ledger.committed()
    assert worker.ledger.remaining()
    filler.unlink()
    assert run(untrained, worker.job) == 0
    assert verify(worker.ledger, tmp_path / "cache").problems == []


def test_a_full_scratch_disk_is_named_and_what_is_finished_is_kept(
    small_disk: Path, tmp_path: Path
) -> None:
    made = toy_job(tmp_path / "jobs", tmp_path)
    list(made.work([0]))
    worker = ToyWorker(made.job, tmp_path, small_disk / "scratch", "cpu")
    (small_disk / "scratch").mkdir()
    fill(small_disk, spare=12 * 1024)
    with pytest.raises(StoreError, match=r"No space left.*Free some"):
        run_job(worker, run_local, 1)
    assert 0 in worker.ledger.committed()


# S3


def test_s3_that_refuses_ends_a_run_with_an_error_that_says_what_to_start(
    s3_uri: str,
    untrained: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    address = toy_job(f"{s3_uri}/jobs", tmp_path).job
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert run(untrained, address) == 1
        assert main(["jobs", "status", address]) == 1
    assert capsys.readouterr().err.count("Start the server, or set AWS_ENDPOINT_URL") == 2


def test_a_wrong_secret_ends_a_run_with_an_error_that_names_it(
    s3_uri: str,
    untrained: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    address = toy_job(f"{s3_uri}/jobs", tmp_path).job
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    assert run(untrained, address) == 1
    assert "Set AWS_SECRET_ACCESS_KEY" in capsys.readouterr().err


def test_a_missing_bucket_is_an_error_of_every_command_and_is_never_made(
    s3_uri: str, untrained: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts, place = tmp_path / "p.txt", ["--workspace", str(untrained.root)]
    prompts.write_text("She is young.\n")
    address = "s3://nowhere/jobs/0123456789abcdef"
    assert main(["jobs", "plan", str(prompts), "s3://nowhere/jobs", *place]) == 1
    for action in ("approve", "status", "cancel", "seal", "verify"):
        assert main(["jobs", action, address]) == 1, action
    for action in ("run", "resume"):
        assert main(["jobs", action, address, *place]) == 1, action
    error = capsys.readouterr().err
    assert error.count("no such bucket. Create it, or mend the name") == 8
    assert {item["Name"] for item in client().list_buckets()["Buckets"]} == {"faces"}


def test_a_bucket_that_is_removed_under_a_worker_is_not_made_again(
    s3_uri: str, tmp_path: Path
) -> None:
    client().create_bucket(Bucket="brief")
    worker = toy_job("s3://brief/jobs", tmp_path)
    drawing = worker.work(range(20))
    next(drawing)
    for item in client().list_objects_v2(Bucket="brief")["Contents"]:
        client().delete_object(Bucket="brief", Key=item["Key"])
    client().delete_bucket(Bucket="brief")
    with pytest.raises(StoreError, match="no such bucket"):
        list(drawing)
    assert "brief" not in {item["Name"] for item in client().list_buckets()["Buckets"]}


def test_s3_that_goes_and_comes_back_in_mid_run_costs_time_and_nothing_else(
    untrained: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with local_s3(tmp_path / "s3") as s3:
        set_environment(monkeypatch, s3)
        client().create_bucket(Bucket="faces")
        worker = job(
            untrained, "s3://faces/jobs", tmp_path, faces_per_prompt=60, images_per_shard=8
        )
        run_in_thread = Exit(untrained, worker.job)
        wait_for(worker.ledger, 4)
    time.sleep(1.5)  # the server is down
    port = int(s3.endpoint_url.rpartition(":")[2])
    with local_s3(tmp_path / "s3", port):
        assert run_in_thread.code() == 0
        assert "goes on in" in capsys.readouterr().err
        assert worker.ledger.conflicts() == []
        assert verify(worker.ledger, tmp_path / "cache").problems == []
        there = seal(worker.ledger)["root"]
    here = job(untrained, tmp_path / "jobs", tmp_path, faces_per_prompt=60, images_per_shard=8)
    assert seal(finished(here).ledger)["root"] == there


def test_a_worker_that_begins_while_s3_is_gone_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with local_s3(tmp_path / "s3") as s3:
        set_environment(monkeypatch, s3)
        client().create_bucket(Bucket="faces")
        job = toy_job("s3://faces/jobs", tmp_path, num_images=6).job
    worker, drawn = ToyWorker(job, tmp_path, tmp_path / "scratch", "cpu"), list[int]()
    beginner = threading.Thread(target=lambda: drawn.extend(work_among_others(worker, 0)))
    beginner.start()
    time.sleep(1)
    with local_s3(tmp_path / "s3", int(s3.endpoint_url.rpartition(":")[2])):
        beginner.join(120)
        assert sorted(drawn) == [0, 1, 2]


def set_environment(monkeypatch: pytest.MonkeyPatch, s3: S3) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret_key)


def wait_for(ledger: Ledger, num_shards: int) -> None:
    deadline = time.monotonic() + 120
    while len(ledger.committed()) < num_shards and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(ledger.committed()) >= num_shards


class Exit:
    """The command, under way in a thread, and the code that it ends with."""

    def __init__(self, workspace: Workspace, address: str) -> None:
        self._codes: list[int] = []
        self._thread = threading.Thread(
            target=lambda: self._codes.append(run(workspace, address)), daemon=True
        )
        self._thread.start()

    def code(self) -> int:
        self._thread.join(240)
        (found,) = self._codes
        return found


# Prompts


def test_poisoned_prompts_are_set_aside_and_strange_ones_stay_text(
    untrained: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strange = [
        "<script>alert(1)</script> She is young.",
        "../../../etc/passwd is a man.",
        "C:\\con\\..\\nul smiles.",
        "=cmd|'/c calc'!A1 He is old.",
    ]
    poison = ["x " + "y" * 10_000, "She\x1b[2J is young.", "a\0man"]
    prompts = tmp_path / "p.csv"
    pd.DataFrame({"text": [*strange, *poison]}).to_csv(prompts, index=False)
    place, jobs = ["--workspace", str(untrained.root)], tmp_path / "jobs"
    before = {path for path in tmp_path.iterdir()}
    assert main(["jobs", "plan", str(prompts), str(jobs), *place]) == 0
    (address,) = map(str, jobs.iterdir())
    assert main(["jobs", "approve", address]) == 0
    assert run(untrained, address) == 0
    assert main(["jobs", "status", address]) == 0
    said = capsys.readouterr()
    assert "quarantined prompts: 3" in said.out
    assert all(one.isprintable() for one in said.out.splitlines())
    aside = pd.read_parquet(Path(address, "quarantine.parquet"))
    assert list(aside["row"]) == [5, 6, 7]
    assert all(one.isprintable() and len(one) <= 80 for one in aside["shown"])
    (table,) = Path(address, "shards").glob("*.parquet")
    assert list(pd.read_parquet(table)["text"]) == strange
    (tar,) = Path(address, "shards").glob("*.tar")
    with tarfile.open(tar) as found:
        names = {f"{i}.{end}" for i in range(4) for end in ("image.png", "text.txt", "recipe.json")}
        assert set(found.getnames()) == names
    assert {path for path in tmp_path.iterdir()} == before | {jobs}


def test_a_list_of_nothing_but_poison_is_an_error(
    untrained: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts = tmp_path / "p.txt"
    prompts.write_text("z" * 10_000 + "\n\x07\n")
    place = ["--workspace", str(untrained.root)]
    assert main(["jobs", "plan", str(prompts), str(tmp_path / "jobs"), *place]) == 1
    assert "holds no prompt; expected at least one" in capsys.readouterr().err
    assert not (tmp_path / "jobs").exists()


# Models and files


def test_models_that_change_in_mid_job_end_it_and_what_is_finished_is_kept(
    untrained: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    other = small_workspace(tmp_path / "other")
    write_models(other, seed=3)
    worker = finished(job(untrained, tmp_path / "jobs", tmp_path), [0, 1])
    assert run(other, worker.job) == 1
    assert "another model draws other faces" in capsys.readouterr().err
    assert worker.ledger.committed() == {0, 1}
    assert run(untrained, worker.job) == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"yes"', b"\xff"])
def test_a_damaged_approval_is_an_error_and_no_approval(
    untrained: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    worker = toy_job(tmp_path / "jobs", tmp_path)
    Path(worker.job, "approved.json").write_bytes(content)
    assert run(untrained, worker.job) == 1
    assert "approved.json is no JSON object" in capsys.readouterr().err


def test_a_job_that_is_not_there_is_not_cancelled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["jobs", "cancel", str(tmp_path / "jobs" / "0123")]) == 1
    assert "is no job, it has no plan.json" in capsys.readouterr().err
    assert not (tmp_path / "jobs").exists()


def test_files_that_are_not_there_are_errors_of_the_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = str(tmp_path / "nothing")
    for given in (["prove", nothing, nothing], ["check", nothing, nothing, "0" * 64]):
        assert main(["jobs", *given]) == 1
        assert "Mend its name" in capsys.readouterr().err


# Clocks

WORK = """
import pickle, sys, time
from pathlib import Path
from tedigan.errors import StoreError
worker = pickle.loads(Path(sys.argv[1]).read_bytes())
print(time.time())
try:
    print(list(worker.work(range(3))))
except StoreError as error:
    print(error)
"""


def work_with_clock(worker: ToyWorker, folder: Path, seconds: int) -> tuple[float, str]:
    """How far a process' clock is off, and what it says when it has worked."""
    given = wrong_clock(folder, seconds)
    if given is None:
        pytest.skip("no C compiler to make a process' clock wrong with")
    (folder / "worker").write_bytes(pickle.dumps(worker))
    done = subprocess.run(
        [sys.executable, "-c", WORK, str(folder / "worker")],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | given,
    )
    clock, said = done.stdout.splitlines()
    return float(clock) - time.time(), said


@pytest.mark.parametrize("seconds", [600, -600])
def test_a_clock_that_is_ten_minutes_off_changes_nothing(
    s3_uri: str, tmp_path: Path, seconds: int
) -> None:
    worker = toy_job(f"{s3_uri}/jobs", tmp_path, num_images=6)
    worker = ToyWorker(
        worker.job, tmp_path, tmp_path / "scratch", "cpu", deadline=time.monotonic() + 300
    )
    off, said = work_with_clock(worker, tmp_path, seconds)
    assert abs(off - seconds) < 60
    assert said == "[0, 1, 2]"
    assert main(["jobs", "status", worker.job]) == 0
    quiet = toy_job(tmp_path / "jobs", tmp_path, num_images=6)
    list(quiet.work(range(3)))
    assert seal(worker.ledger) == seal(quiet.ledger)
    ages = worker.ledger.bucket.ages()
    assert all(age < 60 for age in ages.values())


def test_a_clock_that_is_too_far_off_for_s3_is_said_to_be(s3_uri: str, tmp_path: Path) -> None:
    worker = toy_job(f"{s3_uri}/jobs", tmp_path, num_images=6)
    _, said = work_with_clock(worker, tmp_path, 3600)
    assert "clock is more than 15 minutes off" in said
