"""Shards: what was written is found by its offset, and half a shard is no shard."""

import tarfile
from pathlib import Path

import pytest

from tedigan.errors import DataError
from tedigan.store.shards import ShardWriter, Span, read_shard, read_span

SUFFIXES = {"image": "png", "text": "txt"}


def write(path: Path) -> Path:
    with ShardWriter(path, SUFFIXES) as writer:
        for id in (3, 12):
            writer.add(id, {"text": b"face %d" % id, "image": bytes([id]) * 700})
    return path


def test_members_are_read_by_offset(tmp_path: Path) -> None:
    shard = read_shard(write(tmp_path / "s/all-00000.tar"))
    assert list(shard.spans) == [3, 12]
    assert read_span(shard.path, shard.spans[12]["image"]) == bytes([12]) * 700
    assert read_span(shard.path, shard.spans[3]["text"]) == b"face 3"
    assert shard.num_bytes == shard.path.stat().st_size


def test_members_of_a_record_follow_each_other_without_time_or_owner(tmp_path: Path) -> None:
    with tarfile.open(write(tmp_path / "a.tar")) as tar:
        members = tar.getmembers()
    names = ["3.image.png", "3.text.txt", "12.image.png", "12.text.txt"]
    assert [member.name for member in members] == names
    assert {(member.mtime, member.uid, member.uname) for member in members} == {(0, 0, "")}


def test_equal_records_give_equal_bytes(tmp_path: Path) -> None:
    first, second = read_shard(write(tmp_path / "a")), read_shard(write(tmp_path / "b"))
    assert (first.sha256, first.spans) == (second.sha256, second.spans)


def test_an_interrupted_shard_is_not_there(tmp_path: Path) -> None:
    def interrupted() -> None:
        with ShardWriter(tmp_path / "all-00000.tar", SUFFIXES) as writer:
            writer.add(1, {"image": b"x", "text": b"y"})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_record_must_have_every_kind(tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError, match="record 5"),
        ShardWriter(tmp_path / "a", SUFFIXES) as writer,
    ):
        writer.add(5, {"image": b""})


@pytest.mark.parametrize("content", [b"", b"<html>" * 200, None])
def test_what_is_no_shard_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "all-00000.tar"
    if content is None:
        with tarfile.open(path, "w") as tar:
            tar.add(__file__, "readme")
    else:
        path.write_bytes(content)
    with pytest.raises(DataError, match="no shard"):
        read_shard(path)


def test_a_cut_or_absent_shard_is_refused(tmp_path: Path) -> None:
    shard = read_shard(write(tmp_path / "a.tar"))
    shard.path.write_bytes(shard.path.read_bytes()[:1000])
    with pytest.raises(DataError, match="it was cut"):
        read_span(shard.path, shard.spans[3]["image"])
    with pytest.raises(DataError, match="cannot be read"):
        read_span(tmp_path / "b.tar", Span(0, 1))
