"""What only S3 can do wrong: each failure says what to set, and a server without memory settles nothing."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tedigan.errors import DataError, ObjectError, StoreError
from tedigan.store.addresses import open_shelves
from tedigan.store.s3 import S3Bucket, Version, client
from tedigan.store.shelves import BucketShelf


def test_a_changed_object_is_fetched_again(s3_uri: str, tmp_path: Path) -> None:
    bucket = S3Bucket(s3_uri)
    bucket.write("c", b"old")
    first = bucket.fetch("c", tmp_path / "cache")
    assert bucket.fetch("c", tmp_path / "cache") == first
    list(bucket.names())
    bucket.write("c", b"new")
    assert bucket.fetch("c", tmp_path / "cache").read_bytes() == b"new"


def test_a_broken_transfer_leaves_nothing_in_the_cache(s3_uri: str, tmp_path: Path) -> None:
    bucket = S3Bucket(s3_uri)
    bucket.write("d", b"content")
    for version, advice in (
        (Version(99, "e"), "transfer broke"),
        (Version(7, "0" * 32), "damaged on its way"),
    ):
        bucket._versions["d"] = version
        with pytest.raises(StoreError, match=advice):
            bucket.fetch("d", tmp_path / "cache")
    assert [item for item in (tmp_path / "cache").rglob("*") if item.is_file()] == []


def test_a_prefix_is_a_shelf(s3_uri: str, tmp_path: Path) -> None:
    S3Bucket(s3_uri).write("set/x/1.txt", b"one")
    S3Bucket(s3_uri).write("settle/2.txt", b"two")
    client().put_object(Bucket="faces", Key="set/x/", Body=b"")  # as consoles mark a folder
    (shelf,) = open_shelves(f"{s3_uri}/set", cache=tmp_path / "cache", alone=())
    assert list(shelf.names()) == ["x/1.txt"]
    assert shelf.read("x/1.txt") == b"one"
    S3Bucket(s3_uri).delete("set/x/1.txt")
    assert shelf.read("x/1.txt") == b"one"
    with pytest.raises(DataError, match="upload it first"):
        shelf.read("x/2.txt")


def test_a_cache_that_cannot_be_written_is_no_fault_of_the_object(
    s3_uri: str, tmp_path: Path
) -> None:
    S3Bucket(s3_uri).write("a", b"1")
    (tmp_path / "cache").write_bytes(b"")
    with pytest.raises(StoreError, match="could not be kept") as caught:
        BucketShelf(S3Bucket(s3_uri), cache=tmp_path / "cache").read("a")
    assert not isinstance(caught.value, ObjectError)


def test_a_missing_bucket_is_named(s3_uri: str, tmp_path: Path) -> None:
    elsewhere = S3Bucket("s3://elsewhere")
    for call in (elsewhere.exists, lambda name: elsewhere.fetch(name, tmp_path), elsewhere.names):
        with pytest.raises(StoreError, match="no such bucket") as caught:
            call("a")
        assert not isinstance(caught.value, ObjectError)


def test_a_missing_bucket_is_not_made_by_who_writes_first(s3_uri: str) -> None:
    for call in (S3Bucket.write, S3Bucket.create):
        with pytest.raises(StoreError, match="no such bucket"):
            call(S3Bucket("s3://elsewhere/job"), "a", b"")
    assert "elsewhere" not in {item["Name"] for item in client().list_buckets()["Buckets"]}


def test_a_wrong_secret_names_its_variable(
    s3_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    bucket = S3Bucket(s3_uri)
    for call in (bucket.names, bucket.exists, lambda name: bucket.create(name, b"")):
        with pytest.raises(StoreError, match="Set AWS_SECRET_ACCESS_KEY"):
            call("a")
    with pytest.raises(StoreError, match="AWS_SECRET_ACCESS_KEY"):
        bucket.fetch("b.bin", tmp_path)


def test_an_unknown_key_id_names_its_variable(s3_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    with pytest.raises(StoreError, match="Set AWS_ACCESS_KEY_ID"):
        S3Bucket(s3_uri).names()


def test_a_server_that_is_down_is_said_soon(
    s3_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        start = time.monotonic()
        with pytest.raises(StoreError, match="Start the server, or set AWS_ENDPOINT_URL"):
            S3Bucket(s3_uri).fetch("a", tmp_path)
        assert time.monotonic() - start < 10


def test_an_address_without_a_bucket_is_refused() -> None:
    with pytest.raises(StoreError, match="s3://bucket/name"):
        S3Bucket("s3:///a")


# Creation, by servers of several kinds


class Shelfful(BaseHTTPRequestHandler):
    """As little of S3 as a creation needs. script: what befalls the next PUTs; then it does as `remembers`."""

    kept: dict[str, bytes]
    script: list[str]
    tokens: list[str | None]
    remembers = True

    def do_PUT(self) -> None:
        content = self._body()
        what = self.script.pop(0) if self.script else "normal"
        if what == "conflict":
            return self._answer(409, "ConditionalRequestConflict")
        if self.remembers and "If-None-Match" in self.headers and self.path in self.kept:
            return self._answer(412, "PreconditionFailed")
        self.kept[self.path] = content
        if what == "lost answer":
            self.close_connection = True
            return None
        return self._answer(200)

    def do_HEAD(self) -> None:
        self._answer(200)

    def do_GET(self) -> None:
        self.tokens.append(self.headers.get("X-Amz-Security-Token"))
        if self.script:
            return self._answer(400, self.script.pop(0))
        return self._answer(200, content=self.kept[self.path])

    def do_DELETE(self) -> None:
        self.kept.pop(self.path, None)
        self._answer(204)

    def log_message(self, *_: object) -> None:
        """Be quiet."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
                return content
            return content.partition(b"\r\n")[2].partition(b"\r\n")[0]
        raise AssertionError("not of a client with plain HTTP")

    def _answer(self, status: int, code: str = "", content: bytes = b"") -> None:
        content = f"<Error><Code>{code}</Code></Error>".encode() if code else content
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Shelfful]]:
    handler = type("Scripted", (Shelfful,), {"kept": {}, "script": [], "tokens": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{http.server_port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        yield handler
        http.shutdown()


def test_the_laptops_server_refuses_to_overwrite_what_is_created(s3_uri: str) -> None:
    """SeaweedFS 4.48 honours If-None-Match, and the probe that asks it leaves nothing."""
    bucket = S3Bucket(s3_uri)
    assert bucket.create("a", b"1")
    assert not bucket.create("a", b"2")
    keys = [item["Key"] for item in client().list_objects_v2(Bucket="faces")["Contents"]]
    assert keys == ["a"]


def test_a_server_that_overwrites_what_is_created_is_refused(scripted: type[Shelfful]) -> None:
    scripted.remembers = False
    with pytest.raises(StoreError, match="Name a server that honours it"):
        S3Bucket("s3://faces/job").create("a", b"1")
    assert scripted.kept == {}


def test_a_creation_whose_answer_was_lost_is_ours(scripted: type[Shelfful]) -> None:
    bucket = S3Bucket("s3://faces/job")
    bucket.create("probed", b"")
    scripted.script[:] = ["lost answer"]
    assert bucket.create("a", b"1")
    assert not S3Bucket("s3://faces/job").create("a", b"2")


def test_a_conflict_with_another_writer_is_tried_again(scripted: type[Shelfful]) -> None:
    bucket = S3Bucket("s3://faces/job")
    bucket.create("probed", b"")
    scripted.script[:] = ["conflict", "conflict"]
    assert bucket.create("a", b"1")
    scripted.script[:] = ["conflict"] * 9
    with pytest.raises(StoreError, match="Run again"):
        bucket.create("b", b"1")


# Temporary credentials


def test_a_session_token_goes_with_its_keys_and_no_others(
    scripted: type[Shelfful], monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.kept["/faces/job/a"] = b"1"
    for token in ("of an hour", "of the next", ""):
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
        assert S3Bucket("s3://faces/job").read("a") == b"1"
    assert scripted.tokens == ["of an hour", "of the next", None]


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidToken"])
def test_a_session_that_has_ended_says_what_to_set(scripted: type[Shelfful], code: str) -> None:
    scripted.script[:] = [code]
    with pytest.raises(StoreError, match="AWS_SESSION_TOKEN") as raised:
        S3Bucket("s3://faces/job").read("a")
    assert not raised.value.may_pass
