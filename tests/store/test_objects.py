"""Objects in a real S3 server: fetched whole, and each failure says what to set."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.services import S3, local_s3
from tedigan.errors import StoreError
from tedigan.store import objects


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with local_s3(tmp_path_factory.mktemp("s3")) as s3:
        yield s3


@pytest.fixture
def bucket(server: S3, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)
    if "faces" not in {item["Name"] for item in objects.client().list_buckets()["Buckets"]}:
        objects.client().create_bucket(Bucket="faces")
    return "s3://faces"


def put(bucket: str, name: str, content: bytes, folder: Path) -> str:
    (folder / "file").write_bytes(content)
    objects.upload(folder / "file", f"{bucket}/{name}")
    return f"{bucket}/{name}"


def test_an_object_comes_back_as_it_went(bucket: str, tmp_path: Path) -> None:
    uri = put(bucket, "a/b.bin", b"\0face" * 1000, tmp_path)
    assert objects.exists(uri)
    assert objects.fetch(uri, tmp_path / "cache").read_bytes() == b"\0face" * 1000


def test_a_changed_object_is_fetched_again(bucket: str, tmp_path: Path) -> None:
    uri = put(bucket, "c", b"old", tmp_path)
    first = objects.fetch(uri, tmp_path / "cache")
    assert objects.fetch(uri, tmp_path / "cache") == first
    put(bucket, "c", b"new", tmp_path)
    assert objects.fetch(uri, tmp_path / "cache").read_bytes() == b"new"


def test_a_broken_transfer_leaves_nothing_in_the_cache(bucket: str, tmp_path: Path) -> None:
    uri = put(bucket, "d", b"content", tmp_path)
    with pytest.raises(StoreError, match="transfer broke"):
        objects.fetch(uri, tmp_path / "cache", version=objects.Version(99, "e"))
    with pytest.raises(StoreError, match="damaged on its way"):
        objects.fetch(uri, tmp_path / "cache", version=objects.Version(7, "0" * 32))
    assert [item for item in (tmp_path / "cache").rglob("*") if item.is_file()] == []


def test_a_prefix_is_a_shelf(bucket: str, tmp_path: Path) -> None:
    put(bucket, "set/x/1.txt", b"one", tmp_path)
    put(bucket, "settle/2.txt", b"two", tmp_path)
    shelf = objects.BucketShelf(f"{bucket}/set", cache=tmp_path / "cache")
    assert list(shelf.names()) == ["x/1.txt"]
    assert shelf.read("x/1.txt") == b"one"
    with pytest.raises(StoreError, match="Upload it first"):
        shelf.read("x/2.txt")


def test_a_missing_object_is_named(bucket: str, tmp_path: Path) -> None:
    assert not objects.exists(f"{bucket}/nothing")
    with pytest.raises(StoreError, match="there is no such object"):
        objects.fetch(f"{bucket}/nothing", tmp_path)


def test_a_missing_bucket_is_named(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no such (bucket|object)"):
        objects.fetch("s3://elsewhere/a", tmp_path)
    with pytest.raises(StoreError, match="no such bucket"):
        objects.list_objects("s3://elsewhere/a")


def test_a_wrong_secret_names_its_variable(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(StoreError, match="Set AWS_SECRET_ACCESS_KEY"):
        objects.list_objects(f"{bucket}/a")
    with pytest.raises(StoreError, match="AWS_SECRET_ACCESS_KEY"):
        objects.fetch(f"{bucket}/a/b.bin", tmp_path)


def test_an_unknown_key_id_names_its_variable(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    with pytest.raises(StoreError, match="Set AWS_ACCESS_KEY_ID"):
        objects.list_objects(f"{bucket}/a")


def test_a_server_that_is_down_is_said_soon(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        start = time.monotonic()
        with pytest.raises(StoreError, match="Start the server, or set AWS_ENDPOINT_URL"):
            objects.fetch(f"{bucket}/a", tmp_path)
        assert time.monotonic() - start < 10


def test_an_address_without_a_bucket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="s3://bucket/name"):
        objects.fetch("s3:///a", tmp_path)
