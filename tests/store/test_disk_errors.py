"""What a disk refuses: the product's own error, which says what to do, and whether it is worth a retry."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.policy import may_pass
from tedigan import __main__ as command_line
from tedigan.captions.lists import read_captions, read_edits
from tedigan.errors import DataError, ObjectError, StoreError, TediganError
from tedigan.jobs.source_list import read_sources
from tedigan.store.disk_errors import on_disk, reading, writing
from tedigan.store.files import (
    finished_folder,
    read_bytes,
    read_json,
    read_text,
    sha256_file,
    write_text,
)
from tedigan.store.objects import FolderBucket
from tedigan.store.photographs import read_photographs
from tedigan.turns import turn

LASTING = [errno.ENOENT, errno.EACCES, errno.EISDIR, errno.ENOSPC, errno.EROFS, errno.ELOOP]
PASSING = [errno.EIO, errno.ESTALE, errno.EBUSY, errno.ETIMEDOUT, errno.EAGAIN]


def _hold(path: Path) -> None:
    with turn(path, "a test"):
        pass


def _put_in(path: Path) -> None:
    with finished_folder(path / "folder"):
        pass


READERS: list[Callable[[Path], object]] = [
    read_bytes, read_text, read_json, sha256_file, read_captions, read_edits, read_sources,
]  # fmt: skip


@pytest.mark.parametrize("read", READERS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("what", ["folder", "dangling", "loop", "below a file", "x" * 300])
def test_what_cannot_be_read_is_an_error_of_ours(
    tmp_path: Path, read: Callable[[Path], object], what: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("A man.")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(TediganError, match=r"Mend|Write|Run the stage") as raised:
        read(tmp_path / ("file/below" if what == "below a file" else what))
    assert not may_pass(raised.value)


@pytest.mark.parametrize(
    "write", [lambda path: write_text(path / "x", "x"), _put_in, lambda path: _hold(path / "turn")]
)
def test_what_cannot_be_written_is_an_error_of_ours(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"expected a (?:disk|folder) with") as raised:
        write(tmp_path / "file")
    assert not may_pass(raised.value)


@pytest.mark.parametrize("number", LASTING + PASSING)
@pytest.mark.parametrize("guard", [reading, writing, on_disk])
def test_only_what_may_pass_by_itself_is_worth_a_retry(
    number: int, guard: Callable[[str], object]
) -> None:
    with pytest.raises(StoreError, match=os.strerror(number)) as raised, guard("x"):
        raise OSError(number, os.strerror(number), "/x")
    assert raised.value.may_pass == may_pass(raised.value) == (number in PASSING)
    assert may_pass(OSError(number, "raw")) == (number in PASSING)


def test_a_failing_disk_is_no_damaged_photograph(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "0.png").write_bytes(b"")
    bucket = FolderBucket(tmp_path)
    for number, kind in ((errno.EACCES, ObjectError), (errno.EIO, StoreError)):

        def fail(_: Path, number: int = number) -> bytes:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(Path, "read_bytes", fail)
        with pytest.raises(StoreError) as raised:
            bucket.read("0.png")
        assert type(raised.value) is kind


def test_a_folder_that_cannot_be_listed_is_named_and_one_that_is_not_there_is_empty(
    tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.png").write_bytes(b"")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if "closed" in str(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(StoreError, match="closed cannot be listed: Permission denied"):
        list(FolderBucket(tmp_path).names())
    assert list(FolderBucket(tmp_path / "absent").names()) == []


def test_a_folder_named_as_a_photograph_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").mkdir()
    with pytest.raises(DataError, match="holds no picture that can be used"):
        read_photographs(tmp_path, 32, limit=4)


def test_the_command_line_prints_no_traceback(
    tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(tmp_path / "x"))

    monkeypatch.setattr(command_line, "_run_stage", fail)
    assert command_line.main(["generate"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert "Permission denied" in error
    assert str(tmp_path / "x") in error
