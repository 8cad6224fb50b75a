"""The objects below an s3:// prefix.

Who and where comes from the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (of temporary
credentials alone), AWS_ENDPOINT_URL (unset for AWS itself), AWS_DEFAULT_REGION or AWS_REGION. Without the keys,
boto3 looks where it always does: profiles, and the role of the machine.
"""

import hashlib
import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tedigan.errors import ObjectError, StoreError
from tedigan.store.objects import Bucket, check_name, is_name
from tedigan.store.s3_errors import ADVICE, endpoint, explain, explained, status_of

_RETRIES = {"total_max_attempts": 2, "mode": "standard"}
_TIMEOUTS = Config(connect_timeout=3, read_timeout=30, retries=_RETRIES, max_pool_connections=32)
_CHUNK_BYTES = 2**20
# With another writer of the same name, each after twice the wait of the one before.
_NUM_CONFLICTS, _CONFLICT_S = 5, 0.1


@dataclass(frozen=True)
class Version:
    """One version of an object: its size in bytes and its ETag."""

    size: int
    etag: str


class S3Bucket(Bucket):
    """Objects of a bucket of S3. `fetch` believes what the last listing said of one, which saves a question."""

    def __init__(self, uri: str) -> None:
        scheme, _, rest = uri.partition("://")
        self._bucket, _, prefix = rest.rstrip("/").partition("/")
        if scheme != "s3" or not self._bucket:
            raise StoreError(f"{uri!r} is not an object's address; expected s3://bucket/name.")
        self._prefix = f"{prefix}/" if prefix else ""
        self._versions: dict[str, Version] = {}
        self._is_there = False  # the bucket, as far as was asked

    def names(self, prefix: str = "") -> Iterator[str]:
        """Every object's name below the prefix, sorted."""
        return (name for name in self._noted(prefix) if is_name(name))

    def all_names(self) -> Iterator[str]:
        """Every object's name below the prefix, sorted, whatever it is."""
        return iter(self._noted(""))

    def folders(self) -> list[str]:
        """The common prefixes, a thousand a request."""
        pages = self._pages("", Delimiter="/")
        found = [one["Prefix"] for page in pages for one in page.get("CommonPrefixes", [])]
        return sorted(one.removeprefix(self._prefix).rstrip("/") for one in found)

    def ages(self, prefix: str = "") -> dict[str, float]:
        """By the server's clock, in whole seconds."""
        return {
            name: max(0.0, (now - item["LastModified"]).total_seconds())
            for now, name, item in self._listed(prefix)
            if is_name(name)
        }

    def versions(self, prefix: str = "") -> dict[str, str]:
        """Entity tag and size, of one listing."""
        return {
            name: f"{self._versions[name].etag}-{self._versions[name].size}"
            for name in self.names(prefix)
        }

    def exists(self, name: str) -> bool:
        """Whether the object is there; a bucket that is not, or a server that is down, is an error."""
        return self._head(name) is not None

    def read(self, name: str) -> bytes:
        """The bytes of the newest version."""
        with explained(self._uri(name)):
            content: bytes = client().get_object(**self._place(name))["Body"].read()
        return content

    def fetch(self, name: str, cache: Path) -> Path:
        """The object in `cache`; downloaded, whole or not at all, unless this version is there."""
        version = self._versions.get(name) or self._head(name)
        if version is None:
            raise ObjectError(f"{self._uri(name)}: {ADVICE['NoSuchKey']}")
        path = cache / self._bucket / f"{version.etag}-{Path(name).name}"
        if not (path.is_file() and path.stat().st_size == version.size):
            self._download(name, version, path)
        return path

    def write(self, name: str, content: bytes | Path) -> None:
        """Upload it."""
        self._versions.pop(name, None)
        if isinstance(content, bytes):
            self._put(name, content)
            return
        with content.open("rb") as file:
            self._put(name, file)

    def delete(self, name: str) -> None:
        """Remove it."""
        self._versions.pop(name, None)
        with explained(self._uri(name)):
            client().delete_object(**self._place(name))

    def _create(self, name: str, content: bytes) -> bool:
        check_name(name)
        self._check_there()
        _check_memory(client(), self._bucket, self._prefix)
        return _put_new(client(), self._bucket, self._prefix + name, content)

    def _put(self, name: str, body: Any) -> None:
        self._check_there()
        with explained(self._uri(name)):
            client().put_object(**self._place(name), Body=body)

    def _head(self, name: str) -> Version | None:
        try:
            head = client().head_object(**self._place(name))
        except (ClientError, BotoCoreError) as error:
            if status_of(error) in (403, 404):
                self._ask_for_bucket()
            if status_of(error) != 404:
                raise explain(self._uri(name), error) from error
            return None
        return Version(head["ContentLength"], head["ETag"].strip('"'))

    def _check_there(self) -> None:
        """Refuse a missing bucket before the first write: some servers would make it in silence."""
        if not self._is_there:
            self._ask_for_bucket()
            self._is_there = True

    def _ask_for_bucket(self) -> None:
        try:
            client().head_bucket(Bucket=self._bucket)
        except (ClientError, BotoCoreError) as error:
            if status_of(error) == 403:
                next(self._listed(""), None)  # a HEAD is refused by a number, a listing in words
            raise explain(f"s3://{self._bucket}", error, missing="NoSuchBucket") from error

    def _download(self, name: str, version: Version, path: Path) -> None:
        """Into the cache, whole or not at all."""
        uri = self._uri(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fetch.") as folder:
                part = Path(folder) / "part"
                with part.open("wb") as file, explained(uri):
                    md5 = _copy(client().get_object(**self._place(name))["Body"], file)
                _check_whole(uri, part, md5, version)
                part.replace(path)
        except OSError as error:
            raise StoreError(
                f"{uri} could not be kept as {path}: {error}. Free space or rights? Run again."
            ) from error

    def _noted(self, prefix: str) -> list[str]:
        """The names of a listing, sorted; `fetch` will believe it."""
        found = {
            name: Version(item["Size"], item["ETag"].strip('"'))
            for _, name, item in self._listed(prefix)
        }
        self._versions |= found
        return sorted(found)

    def _listed(self, prefix: str) -> Iterator[tuple[datetime, str, dict[str, Any]]]:
        """What lies below a prefix: when the server said so, each object's name, and what it said of it."""
        for page in self._pages(prefix):
            now = parsedate_to_datetime(page["ResponseMetadata"]["HTTPHeaders"]["date"])
            for item in page.get("Contents", []):
                yield now, item["Key"].removeprefix(self._prefix), item

    def _pages(self, prefix: str, **how: str) -> Iterator[dict[str, Any]]:
        """The answers to one listing."""
        place = {"Bucket": self._bucket, "Prefix": self._prefix + prefix}
        with explained(self._uri(prefix)):
            yield from client().get_paginator("list_objects_v2").paginate(**place, **how)

    def _place(self, name: str) -> dict[str, str]:
        check_name(name)
        return {"Bucket": self._bucket, "Key": self._prefix + name}

    def _uri(self, name: str) -> str:
        return f"s3://{self._bucket}/{self._prefix}{name}"


def client() -> Any:
    """The S3 client for the environment's credentials and endpoint, with bounded patience."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL")
    key_id, secret, token, url = (os.environ.get(name) or None for name in names)
    region = os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION") or "us-east-1"
    # A token belongs to its keys: a profile or a role brings its own.
    return _client(key_id, secret, token if key_id else None, url, region)


@lru_cache(maxsize=4)
def _client(
    key_id: str | None, secret: str | None, token: str | None, url: str | None, region: str
) -> Any:
    session = boto3.session.Session(key_id, secret, token, region_name=region)
    return session.client("s3", endpoint_url=url, config=_TIMEOUTS)


def _put_new(server: Any, bucket: str, key: str, content: bytes) -> bool:
    """PUT with If-None-Match: *; False where the key is taken."""
    uri = f"s3://{bucket}/{key}"
    for attempt in range(_NUM_CONFLICTS):
        try:
            server.put_object(Bucket=bucket, Key=key, Body=content, IfNoneMatch="*")
            return True
        except (ClientError, BotoCoreError) as error:
            if status_of(error) == 412:
                return False
            if status_of(error) != 409:  # another write is under way, and may yet fail
                raise explain(uri, error) from error
        time.sleep(_CONFLICT_S * 2**attempt)
    raise StoreError(
        f"{uri}: another writer was in the way {_NUM_CONFLICTS} times (409), expected one of us to get "
        "through. Run again."
    )


@lru_cache(maxsize=64)
def _check_memory(server: Any, bucket: str, prefix: str) -> None:
    """Refuse a server that accepts If-None-Match and overwrites all the same: two writers would both win."""
    key = f"{prefix}.probe-{uuid.uuid4().hex}"
    try:
        is_first, is_second = (_put_new(server, bucket, key, b"") for _ in range(2))
    finally:
        with explained(f"s3://{bucket}/{key}"):
            server.delete_object(Bucket=bucket, Key=key)
    if not is_first or is_second:
        raise StoreError(
            f"s3://{bucket} at {endpoint()} took an object that was there already, where If-None-Match: * asks "
            "for a refusal (412); nothing can be settled once for all on it. Name a server that honours it "
            "(AWS, SeaweedFS, MinIO), or a folder."
        )


def _copy(body: Any, file: BinaryIO) -> str:
    """The md5 of what came."""
    digest = hashlib.md5(usedforsecurity=False)
    for chunk in body.iter_chunks(_CHUNK_BYTES):
        digest.update(chunk)
        file.write(chunk)
    return digest.hexdigest()


def _check_whole(uri: str, path: Path, md5: str, version: Version) -> None:
    """Size, and the md5 where the ETag is one (it is not for multipart uploads)."""
    size = path.stat().st_size
    if size != version.size:
        raise StoreError(
            f"{uri} came with {size} bytes of {version.size}; the transfer broke. Run again."
        )
    if len(version.etag) == 32 and "-" not in version.etag and version.etag != md5:
        raise StoreError(f"{uri} changed or was damaged on its way (md5 {md5}). Run again.")
