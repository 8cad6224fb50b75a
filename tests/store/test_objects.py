"""A folder, memory and a real S3 server are one thing to who writes, reads, lists and settles."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tedigan.errors import ObjectError, StoreError
from tedigan.store import objects
from tedigan.store.addresses import open_bucket
from tedigan.store.at_once import read_all
from tedigan.store.objects import Bucket, FolderBucket, MemoryBucket

NUM_RACERS = 16


@pytest.fixture(params=["memory", "folder", "s3"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Bucket]:
    """Opens one place, as another worker would."""
    if request.param == "memory":
        shared = MemoryBucket()
        return lambda: shared
    if request.param == "folder":
        return lambda: open_bucket(str(tmp_path / "job"))
    uri = request.getfixturevalue("s3_uri")
    return lambda: open_bucket(f"{uri}/job")


def test_an_object_comes_back_as_it_went(opened: Callable[[], Bucket], tmp_path: Path) -> None:
    bucket = opened()
    bucket.write("a/b.bin", b"\0face" * 1000)
    assert bucket.exists("a/b.bin")
    assert opened().read("a/b.bin") == b"\0face" * 1000
    assert bucket.fetch("a/b.bin", tmp_path / "cache").read_bytes() == b"\0face" * 1000
    (tmp_path / "file").write_bytes(b"new")
    bucket.write("a/b.bin", tmp_path / "file")
    assert bucket.read("a/b.bin") == b"new"


def test_names_below_a_prefix_are_listed_in_order(opened: Callable[[], Bucket]) -> None:
    bucket = opened()
    for name in ("commits/2.json", "commits/1.json", "commits.txt", "shards/x/1.tar"):
        bucket.write(name, b"")
    assert list(bucket.names("commits/")) == ["commits/1.json", "commits/2.json"]
    assert list(bucket.names("commits")) == ["commits.txt", "commits/1.json", "commits/2.json"]
    assert list(bucket.names("sh")) == list(bucket.names("shards/")) == ["shards/x/1.tar"]
    assert len(list(bucket.names())) == 4
    assert list(bucket.names("nothing/")) == []


def test_folders_are_listed_without_what_lies_in_them(opened: Callable[[], Bucket]) -> None:
    bucket = opened()
    before = bucket.folders()  # some servers keep those of objects that were deleted
    for name in ("two/plan.json", "one/shards/1.tar", "one/shards/2.tar", "three.json"):
        bucket.write(name, b"")
    assert opened().folders() == sorted(["one", "two", *before])


def test_an_age_is_that_of_the_last_writing(opened: Callable[[], Bucket]) -> None:
    bucket = opened()
    bucket.create("workers/1.json", b"")
    bucket.write("workers/2.json", b"")
    time.sleep(2.5)
    bucket.write("workers/2.json", b"again")
    bucket.write("other", b"")
    ages = opened().ages("workers/")
    assert sorted(ages) == ["workers/1.json", "workers/2.json"]
    assert 0 <= ages["workers/2.json"] < 1.5 < ages["workers/1.json"] < 10


def test_a_missing_object_is_said_to_be_missing(
    opened: Callable[[], Bucket], tmp_path: Path
) -> None:
    bucket = opened()
    assert not bucket.exists("nothing")
    with pytest.raises(ObjectError, match="nothing"):
        bucket.read("nothing")
    with pytest.raises(ObjectError, match="nothing"):
        bucket.fetch("nothing", tmp_path / "cache")


def test_a_deleted_object_is_gone_and_may_be_deleted_again(opened: Callable[[], Bucket]) -> None:
    bucket = opened()
    bucket.write("a", b"1")
    for _ in range(2):
        bucket.delete("a")
    assert not bucket.exists("a")


def test_the_first_who_creates_a_name_keeps_it(opened: Callable[[], Bucket]) -> None:
    assert opened().create("commits/1.json", b"first")
    assert not opened().create("commits/1.json", b"second")
    assert opened().read("commits/1.json") == b"first"


def test_who_repeats_a_creation_is_told_yes_again(opened: Callable[[], Bucket]) -> None:
    assert [opened().create("commits/1.json", b"mine") for _ in range(3)] == [True] * 3


def test_of_many_at_once_exactly_one_creates(opened: Callable[[], Bucket]) -> None:
    buckets = [opened() for _ in range(NUM_RACERS)]
    contents = [b"%d" % racer for racer in range(NUM_RACERS)]
    with ThreadPoolExecutor(NUM_RACERS) as pool:
        is_won = list(pool.map(lambda b, c: b.create("lease", c), buckets, contents))
    assert sum(is_won) == 1
    assert opened().read("lease") == contents[is_won.index(True)]
    assert list(opened().names()) == ["lease"]


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "../a", "a/../../b", ".a", "a/.b"])
def test_a_name_that_leads_elsewhere_is_refused(opened: Callable[[], Bucket], name: str) -> None:
    for call in (opened().read, lambda name: opened().create(name, b"")):
        with pytest.raises(StoreError, match="Mend it"):
            call(name)


# Folders


def kill_in_create(folder: Path, place: object, function: str) -> None:
    """In a process of its own: a creation, killed as a function begins."""
    setattr(place, function, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    FolderBucket(folder).create("commits/1.json", b"x" * 10_000)


@pytest.mark.parametrize(
    ("place", "function", "is_there"),
    [(os, "fsync", False), (os, "link", False), (objects.disk, "sync_names", True)],
    ids=["in writing", "before its name", "after its name"],
)
def test_a_killed_creation_is_whole_or_not_at_all_and_is_tidied(
    tmp_path: Path, place: object, function: str, is_there: bool
) -> None:
    process = multiprocessing.get_context("fork").Process(
        target=kill_in_create, args=(tmp_path, place, function)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    bucket = FolderBucket(tmp_path)
    assert list(bucket.names()) == ["commits/1.json"] * is_there
    assert len(list((tmp_path / objects.UNDER_WAY).iterdir())) == 1
    assert bucket.create("commits/1.json", b"x" * 10_000)
    bucket.write("other", b"")
    assert list((tmp_path / objects.UNDER_WAY).iterdir()) == []


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a file where a folder should be")
    for call in (FolderBucket(tmp_path).create, FolderBucket(tmp_path).write):
        with pytest.raises(StoreError, match="name a folder on another disk"):
            call("a/b", b"")


class Patient(MemoryBucket):
    """Answers when two have asked."""

    def __init__(self) -> None:
        super().__init__()
        self.both = threading.Barrier(2, timeout=10)

    def read(self, name: str) -> bytes:
        self.both.wait()
        return super().read(name)


def test_many_objects_are_read_at_once_and_come_in_order() -> None:
    bucket = Patient()
    for name in "abcd":
        bucket.write(name, name.encode())
    assert list(read_all(bucket, "dacb")) == [b"d", b"a", b"c", b"b"]
