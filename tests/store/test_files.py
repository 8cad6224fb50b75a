"""A folder or file is the old one or the new one, whole, at any moment and after any kill."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tedigan.errors import StoreError
from tedigan.store import disk, files
from tedigan.store.files import finished_folder, read_text, write_bytes, write_text

NUM_FILES = 4


def write(path: Path, word: str) -> None:
    """A folder of files that all hold one word."""
    with finished_folder(path) as folder:
        for index in range(NUM_FILES):
            write_text(folder / f"sub/{index}.txt", word)


def words(path: Path) -> list[str]:
    return [read_text(path / f"sub/{index}.txt") for index in range(NUM_FILES)]


def killed(work: Callable[[], None]) -> None:
    """Run it in a process of its own, which must kill itself."""
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def dying(function: Callable[..., object], *, call: int = 1, after: bool = False) -> object:
    """The function, with the end of its process before or after its n-th call."""
    calls = 0

    def counted(*arguments: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls < call or after:
            result = function(*arguments, **named)
            if calls < call:
                return result
        return os.kill(os.getpid(), signal.SIGKILL)

    return counted


# Every step of a finished folder: what is replaced, in which call of it, before or after, and what is found then.
MOMENTS = [
    (disk, "claim", 1, False, "old"),
    (disk, "claim", 1, True, "old"),
    (files, "_write_new", 3, False, "old"),
    (disk, "sync_all", 1, False, "old"),
    (disk, "sync_all", 1, True, "old"),
    (disk, "exchange", 1, False, "old"),
    (disk, "exchange", 1, True, "new"),
    (disk, "sync_names", 1, False, "new"),
    (disk, "sync_names", 1, True, "new"),
    (disk, "remove", 2, False, "new"),
]


@pytest.mark.parametrize(
    ("place", "name", "call", "after", "found"),
    MOMENTS,
    ids=[f"{'after' if after else 'before'} {name} {call}" for _, name, call, after, _ in MOMENTS],
)
def test_a_kill_leaves_a_whole_folder_and_the_next_run_tidies(
    tmp_path: Path, place: ModuleType, name: str, call: int, after: bool, found: str
) -> None:
    write(tmp_path / "codes", "old")

    def work() -> None:
        setattr(place, name, dying(getattr(place, name), call=call, after=after))
        write(tmp_path / "codes", "new")

    killed(work)
    assert words(tmp_path / "codes") == [found] * NUM_FILES
    write(tmp_path / "codes", "newest")
    assert words(tmp_path / "codes") == ["newest"] * NUM_FILES
    assert [path.name for path in tmp_path.iterdir()] == ["codes"]


def test_a_kill_within_the_removal_of_the_old_folder_is_tidied(tmp_path: Path) -> None:
    write(tmp_path / "codes", "old")

    def work() -> None:
        os.unlink = dying(os.unlink, call=NUM_FILES + 2)  # each file's writer unlinks once
        write(tmp_path / "codes", "new")

    killed(work)
    assert words(tmp_path / "codes") == ["new"] * NUM_FILES
    assert len(list(tmp_path.iterdir())) == 2
    write(tmp_path / "codes", "newest")
    assert [path.name for path in tmp_path.iterdir()] == ["codes"]


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_disk_that_cannot_exchange_names_ends_with_a_whole_folder_too(
    tmp_path: Path, call: int
) -> None:
    write(tmp_path / "codes", "old")

    def work() -> None:
        disk._EXCHANGE = 1 << 20  # a flag that no file system knows
        disk.Path.rename = dying(Path.rename, call=call)
        write(tmp_path / "codes", "new")

    killed(work)
    with finished_folder(tmp_path / "codes"):
        assert words(tmp_path / "codes") == ["new" if call == 3 else "old"] * NUM_FILES
    assert [path.name for path in tmp_path.iterdir()] == ["codes"]


def test_a_disk_that_cannot_exchange_names_still_replaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_EXCHANGE", 1 << 20)
    for word in ("old", "new"):
        write(tmp_path / "codes", word)
    assert words(tmp_path / "codes") == ["new"] * NUM_FILES
    assert [path.name for path in tmp_path.iterdir()] == ["codes"]


def test_who_reads_while_folders_are_replaced_always_finds_one(tmp_path: Path) -> None:
    write(tmp_path / "codes", "0")
    is_done, seen = threading.Event(), []

    def read() -> None:
        while not is_done.is_set():
            seen.append(read_text(tmp_path / "codes/sub/0.txt"))

    reader = threading.Thread(target=lambda: seen.append(_error_of(read)))
    reader.start()
    for word in range(1, 60):
        write(tmp_path / "codes", str(word))
    is_done.set()
    reader.join()
    assert seen.pop() is None
    assert [int(word) for word in seen] == sorted(int(word) for word in seen)
    assert len(set(seen)) > 5


def _error_of(function: Callable[[], None]) -> BaseException | None:
    try:
        function()
    except BaseException as error:
        return error
    return None


def test_a_folder_whose_making_fails_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "codes", "old")
    with pytest.raises(StoreError), finished_folder(tmp_path / "codes") as folder:
        read_text(folder / "sub/0.txt")
    assert words(tmp_path / "codes") == ["old"] * NUM_FILES
    assert [path.name for path in tmp_path.iterdir()] == ["codes"]


def test_what_a_living_process_writes_is_left_alone(tmp_path: Path) -> None:
    with finished_folder(tmp_path / "codes") as first:
        write_text(first / "mine", "kept")
        write(tmp_path / "codes", "second")
    assert read_text(tmp_path / "codes/mine") == "kept"


@pytest.mark.parametrize("moment", ["before it is opened", "before it is held"])
def test_what_was_removed_before_it_was_held_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    made: list[Path] = []

    def make() -> str:
        made.append(tmp_path / str(len(made)))
        made[-1].touch()
        if moment == "before it is opened":
            made[0].unlink(missing_ok=True)
        return str(made[-1])

    flock = disk.fcntl.flock
    monkeypatch.setattr(
        disk.fcntl, "flock", lambda *how: made[0].unlink(missing_ok=True) or flock(*how)
    )
    path, handle = disk.claim(make)
    os.close(handle)
    assert path == made[1]
    assert path.exists()


@pytest.mark.parametrize("others", [".codes.old_copy", ".codes.html.unfinished-1", "codes.bak"])
def test_what_others_put_beside_it_is_left_alone(tmp_path: Path, others: str) -> None:
    (tmp_path / others).mkdir()
    write(tmp_path / "codes", "new")
    assert (tmp_path / others).is_dir()


def test_a_killed_writer_of_a_file_leaves_the_old_one_and_is_tidied(tmp_path: Path) -> None:
    write_bytes(tmp_path / "checkpoint.pt", b"old")

    def work() -> None:
        os.fsync = dying(os.fsync)
        write_bytes(tmp_path / "checkpoint.pt", b"new" * 1000)

    killed(work)
    assert (tmp_path / "checkpoint.pt").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2
    write_bytes(tmp_path / "checkpoint.pt", b"newest")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_file_is_synced_alone_and_a_folders_files_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, sync_all = os.fsync, disk.sync_all
    calls: list[str] = []
    monkeypatch.setattr(files.os, "fsync", lambda handle: calls.append("one") or fsync(handle))
    monkeypatch.setattr(disk, "sync_all", lambda path: calls.append("all") or sync_all(path))
    write_bytes(tmp_path / "a", b"")
    assert calls == ["one", "one"]  # its bytes, its name
    calls.clear()
    write(tmp_path / "codes", "new")
    assert calls == ["all", "one"]


def test_a_place_that_cannot_be_written_says_what_to_look_at(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="expected a disk with free space and rights"):
        write_bytes(tmp_path / "file/a", b"")


def test_a_file_linked_into_a_folder_is_not_written_into(tmp_path: Path) -> None:
    write_bytes(tmp_path / "shard", b"shared")
    with finished_folder(tmp_path / "codes") as folder:
        os.link(tmp_path / "shard", folder / "shard")
        write_bytes(folder / "shard", b"own")
    assert (tmp_path / "shard").read_bytes() == b"shared"
    assert (tmp_path / "codes/shard").read_bytes() == b"own"
