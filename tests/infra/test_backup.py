"""Backups: each content once, read once, whole or not there; and what is given up."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from benchmarks.toy_jobs import toy_job
from infra import dumps
from infra.backup import LIST, copy_objects, forget_unnamed, names_of, objects_of, put_back
from infra.local import CHECKOUT
from infra.retention import read_retention
from infra.tidy import given_up, remove
from tedigan.bulk.job_list import jobs_of
from tedigan.bulk.seal import seal
from tedigan.errors import ParamsError, StoreError
from tedigan.store.objects import FolderBucket, MemoryBucket


class Counted(MemoryBucket):
    """Notes what was read."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []

    def fetch(self, name: str, cache: Path) -> Path:
        self.fetched.append(name)
        return super().fetch(name, cache)


@pytest.fixture
def source() -> Counted:
    made = Counted()
    for name in ("releases/a", "jobs/1/plan.json", "dvc/same-as-a"):
        made.write(name, b"a" if name.endswith("a") else name.encode())
    return made


def backed_up(source: MemoryBucket, target: FolderBucket, name: str) -> None:
    known = objects_of(target, names[-1]) if (names := names_of(target)) else {}
    copied = copy_objects(source, target, known)
    for database in dumps.DATABASES:
        target.write(f"{name}/{database}.dump", b"")
    target.write(f"{name}/{LIST}", json.dumps(copied).encode())


def test_what_has_not_changed_is_not_read_again(source: Counted, tmp_path: Path) -> None:
    target = FolderBucket(tmp_path)
    backed_up(source, target, "1")
    assert sorted(source.fetched) == sorted(source.names())
    source.fetched.clear()
    source.write("releases/a", b"another")
    source.write("new", b"new")
    backed_up(source, target, "2")
    assert sorted(source.fetched) == ["new", "releases/a"]
    assert len(list(target.names("objects/"))) == 4


def test_each_backup_gives_the_bucket_as_it_was_then(source: Counted, tmp_path: Path) -> None:
    target = FolderBucket(tmp_path)
    backed_up(source, target, "1")
    before = {name: source.read(name) for name in source.names()}
    source.write("releases/a", b"spoilt")
    source.delete("jobs/1/plan.json")
    source.write("since", b"kept")
    backed_up(source, target, "2")
    put_back(objects_of(target, "1"), target, source)
    assert {name: source.read(name) for name in source.names()} == before | {"since": b"kept"}


def test_a_damaged_copy_is_refused(source: Counted, tmp_path: Path) -> None:
    target = FolderBucket(tmp_path)
    backed_up(source, target, "1")
    for name in target.names("objects/"):
        target.write(name, b"damaged")
    with pytest.raises(StoreError, match="restore from another backup"):
        put_back(objects_of(target, "1"), target, MemoryBucket())


def test_the_oldest_go_with_what_they_alone_named(source: Counted, tmp_path: Path) -> None:
    target = FolderBucket(tmp_path)
    backed_up(source, target, "1")
    target.write("2/prefect.dump", b"of a backup that was killed")
    source.delete("jobs/1/plan.json")
    backed_up(source, target, "3")
    dumps.forget_older(target, names_of(target)[-1])
    forget_unnamed(target)
    assert names_of(target) == ["3"]
    assert not list(target.names("1/"))
    assert not list(target.names("2/"))
    put_back(objects_of(target, "3"), target, there := MemoryBucket())
    assert list(there.names()) == list(source.names())
    assert len(list(target.names("objects/"))) == 1


def test_only_a_job_that_nobody_went_on_with_is_given_up(tmp_path: Path) -> None:
    """Of four that are old, or not: unfinished, finished, sealed; and an unfinished one of today."""
    place, made = tmp_path / "jobs", {}
    for num_images, name in enumerate(("unfinished", "finished", "sealed", "young"), start=5):
        worker = toy_job(place, tmp_path / name, num_images=num_images)
        if name in ("finished", "sealed"):
            list(worker.work(worker.ledger.remaining()))
        if name == "sealed":
            seal(worker.ledger)
        made[name] = worker.ledger
        if name != "young":
            for file in Path(worker.job).rglob("*"):
                os.utime(file, (0, 0))
    retention = replace(read_retention(), job_places=[str(place)])
    ((ledger, days),) = given_up(retention)
    assert ledger.address == made["unfinished"].address
    assert days > 10_000
    remove(ledger)
    assert not list(ledger.bucket.names())
    assert [*given_up(retention)] == []
    assert {one.name for one in jobs_of(str(place))} == {
        made[name].name for name in ("finished", "sealed", "young")
    }


@pytest.fixture
def database(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of the clients of a PostgreSQL."""
    folder = tmp_path / "pg"
    environment = os.environ | {"PGHOST": str(folder), "PGUSER": "postgres"}
    start = [sys.executable, "-m", "infra.parts", "postgres", str(folder)]
    with subprocess.Popen(
        start, cwd=CHECKOUT, env=environment, stderr=subprocess.DEVNULL
    ) as server:
        try:
            deadline = time.monotonic() + 60
            while psql(environment, "SELECT 1", database="mlflow").returncode:
                assert server.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.2)
            yield environment
        finally:
            server.terminate()


def psql(
    environment: dict[str, str], command: str, database: str = "prefect"
) -> "subprocess.CompletedProcess[str]":
    program = str(dumps._binaries() / "psql")
    given = [program, "--no-psqlrc", "--tuples-only", "--dbname", database, "--command", command]
    return subprocess.run(given, env=environment, capture_output=True, text=True, check=False)


def test_what_the_nightly_command_dumped_comes_back(
    database: dict[str, str], tmp_path: Path
) -> None:
    """infra/kubernetes/backup.yaml's; into a folder here."""

    def nightly(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "infra.dumps", str(tmp_path / "kept"), *arguments]
        return subprocess.run(
            command, cwd=CHECKOUT, env=database, capture_output=True, text=True, check=False
        )

    psql(database, "CREATE TABLE run AS SELECT 'finished' AS state")
    done = nightly()
    assert done.returncode == 0, done.stderr
    name = Path(done.stdout.strip()).name
    psql(database, "UPDATE run SET state = 'spoilt'")
    assert nightly("--restore", name).returncode == 0
    assert psql(database, "SELECT state FROM run").stdout.strip() == "finished"
    refused = nightly("--restore", "20200101T000000Z")
    assert refused.returncode == 1
    assert f"of which there are: {name}" in refused.stderr


@pytest.mark.parametrize(("key", "value"), [("backups", 0), ("flow_runs_days", "90"), ("more", 1)])
def test_a_retention_that_makes_no_sense_is_refused(
    tmp_path: Path, key: str, value: object
) -> None:
    content = yaml.safe_load((CHECKOUT / "infra/retention.yaml").read_text(encoding="utf-8"))
    file = tmp_path / "retention.yaml"
    file.write_text(yaml.safe_dump(content | {key: value}), encoding="utf-8")
    with pytest.raises(ParamsError, match="Mend it"):
        read_retention(file)
