"""The commands, from a list of prompts to a proof, in processes as a user has them."""

import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pandas as pd
import pytest

from tedigan.__main__ import main
from tedigan.bulk.ledger import Ledger
from tedigan.bulk.prompts import read_prompts
from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.reader import Reader
from tedigan.errors import StoreError
from tedigan.store.addresses import open_bucket
from tedigan.workspace import Workspace
from tests.bulk.test_bulk_edits import album


def text_of(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_a_list_becomes_a_sealed_job_and_each_picture_is_drawn_again_and_proved(
    untrained: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts, jobs = tmp_path / "p.csv", tmp_path / "jobs"
    prompts.write_text('text\nShe is young.\n"A <b>man</b>, smiling."\n' + "x" * 10_000 + "\n")
    place = ["--workspace", str(untrained.root)]
    sizes = ["--faces-per-prompt", "3", "--images-per-shard", "4", "--attempts", "2"]
    plan = ["jobs", "plan", str(prompts), str(jobs), *place, *sizes]
    assert main([*plan, "--dry-run"]) == 0
    assert not jobs.exists()
    assert main(plan) == 0
    assert "1 rows can be no prompt" in text_of(capsys)
    (job,) = map(str, jobs.iterdir())
    assert main(["jobs", "run", job, *place]) == 1
    assert "is not approved" in capsys.readouterr().err
    assert main(["jobs", "approve", job]) == 0
    assert main(["jobs", "run", job, *place]) == 0
    assert main(["jobs", "seal", job]) == 0
    assert main(["jobs", "status", job]) == 0
    assert "state: sealed" in text_of(capsys)
    assert main(["jobs", "verify", job]) == 0
    rows = pd.concat(map(pd.read_parquet, sorted(Path(job, "shards").glob("*.parquet"))))
    assert sorted(rows["image"]) == list(range(6))

    picture = tmp_path / "picture.png"
    with tarfile.open(next(Path(job, "shards").glob("*.tar"))) as tar:
        name = next(name for name in tar.getnames() if name.endswith(".png"))
        picture.write_bytes(tar.extractfile(name).read())
    capsys.readouterr()
    assert main(["replay", str(picture), str(jobs), *place]) == 0
    assert "bit-identical" in text_of(capsys)
    row = rows.iloc[0]
    assert (
        main(["replay", row["pixels_sha256"], job, *place, "--out", str(tmp_path / "b.png")]) == 0
    )
    assert (tmp_path / "b.png").is_file()
    capsys.readouterr()
    assert main(["jobs", "prove", job, str(picture)]) == 0
    proof = tmp_path / "proof.json"
    proof.write_text(text_of(capsys))
    root = Ledger(job).read("sealed.json")["root"]
    assert main(["jobs", "check", str(picture), str(proof), root]) == 0
    picture.write_bytes(picture.read_bytes() + b" ")
    assert main(["jobs", "check", str(picture), str(proof), root]) == 1


def test_a_plan_with_yes_is_approved_at_once_as_approve_does_it(
    untrained: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.txt").write_text("She is young.\n")
    given = [str(tmp_path / "p.txt"), "--workspace", str(untrained.root), "--worker-hours", "3"]
    for name, yes in (("by-yes", ["--yes"]), ("by-approve", [])):
        assert main(["jobs", "plan", *given, str(tmp_path / name), *yes]) == 0
    said = text_of(capsys)
    by_yes, by_approve = (Ledger(str(one)) for one in sorted(tmp_path.glob("by-*/*"))[::-1])
    assert f"approved: plan {by_yes.plan.digest}, 3 worker-hours" in said
    assert f"tedigan jobs approve {by_yes.address}" not in said
    by_yes.check_runs()
    assert main(["jobs", "approve", by_approve.address]) == 0
    assert by_yes.read("approved.json") == by_approve.read("approved.json")
    with pytest.raises(SystemExit, match="2"):
        main(["jobs", "plan", *given, str(tmp_path / "neither"), "--yes", "--dry-run"])


def test_models_that_are_not_the_plans_are_refused(
    untrained: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.bulk.jobs import job
    from tests.stages.small import small_workspace, write_models

    (tmp_path / "other").mkdir()
    other = small_workspace(tmp_path / "other")
    write_models(other, seed=3)
    worker = job(untrained, tmp_path / "jobs", tmp_path)
    given = ["jobs", "run", worker.job, "--workspace", str(other.root)]
    assert main(given) == 1
    assert "another model draws other faces" in capsys.readouterr().err
    assert worker.ledger.committed() == set()


def test_a_job_with_images_that_could_not_be_drawn_ends_with_a_status_of_its_own(
    untrained: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, given = album(tmp_path / "album", 3), ["--workspace", str(untrained.root)]
    (place / "01.png").write_bytes(b"no picture")
    (tmp_path / "edits.csv").write_text("text\nHe is smiling.\n")
    plan = ["jobs", "plan", str(tmp_path / "edits.csv"), str(tmp_path / "jobs"), *given]
    assert main([*plan, "--photographs", str(place), "--images-per-shard", "2"]) == 0
    (job,) = map(str, (tmp_path / "jobs").iterdir())
    assert main(["jobs", "approve", job]) == 0
    assert main(["jobs", "run", job, *given]) == 4
    assert "1 images could not be drawn" in text_of(capsys)
    assert main(["jobs", "seal", job]) == 0
    assert main(["jobs", "redrive", job, str(tmp_path / "again.csv")]) == 0
    assert "01.png" in (tmp_path / "again.csv").read_text()


def test_quotas_become_prompts_that_meet_them(
    untrained: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quotas = tmp_path / "q.yaml"
    quotas.write_text("count: 20\nquotas: {Male: 0.5, Eyeglasses: 0.1}\n")
    assert (
        main(
            [
                "jobs",
                "plan",
                str(quotas),
                str(tmp_path / "jobs"),
                "--workspace",
                str(untrained.root),
            ]
        )
        == 0
    )
    (job,) = (tmp_path / "jobs").iterdir()
    texts = pd.read_parquet(job / "prompts.parquet")["text"]
    assert len(texts) == 20
    assert (job / "quotas.yaml").read_text() == quotas.read_text()
    read = Reader(load_grammar()).read
    assert sum(read(text).get("Eyeglasses", False) for text in texts) == 2
    assert sum(read(text)["Male"] for text in texts) == 10


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        (["--workers", "0"], "expected at least one worker and one image"),
        (["--sample", "-3"], "expected at least one worker and one image"),
        (["--sample", "0"], "expected at least one worker and one image"),
        (["--usd-per-hour", "nan"], "0 USD or more"),
        (["--threads", "100000"], "as many as a worker's machine has processors"),
        (["--parser", "{here}"], "cannot be loaded"),
    ],
)
def test_what_cannot_be_planned_is_said_before_anything_is_drawn(
    untrained: Workspace,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    given: list[str],
    advice: str,
) -> None:
    (tmp_path / "p.txt").write_text("She is young.\n")
    given = [one.format(here=tmp_path) for one in given]
    plan = ["jobs", "plan", str(tmp_path / "p.txt"), str(tmp_path / "jobs")]
    assert main([*plan, "--workspace", str(untrained.root), *given]) == 1
    said = capsys.readouterr()
    assert advice in said.err
    assert said.out == ""


@pytest.mark.parametrize("place", ["", "{here}/p.txt", "{here}/p.txt/below", "s3://no-such-place"])
def test_a_place_that_can_hold_no_job_is_refused_before_anything_is_drawn(
    untrained: Workspace,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    s3_uri: str,
    place: str,
) -> None:
    (tmp_path / "p.txt").write_text("She is young.\n")
    plan = ["jobs", "plan", str(tmp_path / "p.txt"), place.format(here=tmp_path)]
    assert main([*plan, "--workspace", str(untrained.root)]) == 1
    said = capsys.readouterr()
    assert "is no place for jobs" in said.err or "bucket" in said.err
    assert said.out == ""


def test_a_list_is_quotas_by_its_suffix_however_it_is_written_and_wherever_it_lies(
    untrained: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], s3_uri: str
) -> None:
    (tmp_path / "Q.YAML").write_text("count: 3\nquotas: {Male: 1.0}\n")
    open_bucket(s3_uri).write("q.yml", tmp_path / "Q.YAML")
    for number, place in enumerate((str(tmp_path / "Q.YAML"), f"{s3_uri}/q.yml")):
        jobs = tmp_path / f"jobs-{number}"
        plan = ["jobs", "plan", place, str(jobs), "--workspace", str(untrained.root)]
        assert main(plan) == 0
        assert "3 images" in text_of(capsys)
        (job,) = jobs.iterdir()
        assert (job / "quotas.yaml").read_bytes() == (tmp_path / "Q.YAML").read_bytes()


def test_a_list_at_the_root_of_the_disk_is_not_looked_for_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "tedigan-no-such-list.txt"
    (tmp_path / name).write_text("She is young.\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match=f"/{name} is no file"):
        read_prompts(f"/{name}", root=Path.cwd(), cache=tmp_path)


def test_what_is_replayed_is_a_picture_or_a_sha256(
    untrained: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for what in (str(tmp_path / "gone.png"), "84a7e26dd3a1"):
        assert main(["replay", what, str(tmp_path), "--workspace", str(untrained.root)]) == 1
        assert "is no file and no sha256" in capsys.readouterr().err


def test_an_interrupted_command_says_so_without_a_traceback(tmp_path: Path) -> None:
    fifo = tmp_path / "picture.png"  # who reads it waits
    os.mkfifo(fifo)
    given = ["jobs", "check", str(fifo), "proof", "0"]
    command = subprocess.Popen(
        [sys.executable, "-m", "tedigan", *given],
        stderr=subprocess.PIPE,
        # a background job of a shell has Ctrl-C ignored, and so have its children
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while command.poll() is None:
        try:
            writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)  # once it waits
            break
        except OSError:
            time.sleep(0.05)
    command.send_signal(signal.SIGINT)
    os.close(writer)  # a signal between two calls of the reader is seen once the second returns
    _, said = command.communicate(timeout=60)
    assert command.returncode == 130
    assert said.startswith(b"interrupted; what is finished is kept")
