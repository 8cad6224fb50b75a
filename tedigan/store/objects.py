"""Objects in an S3 bucket: fetched whole into a cache, uploaded, listed.

Who and where comes from the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL
(unset for AWS itself).
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, NoCredentialsError

from tedigan.errors import StoreError
from tedigan.store.shelves import Shelf, TarShelf

_TIMEOUTS = Config(
    connect_timeout=3, read_timeout=30, retries={"total_max_attempts": 2, "mode": "standard"}
)
_CHUNK_BYTES = 2**20
_ADVICE = {
    "SignatureDoesNotMatch": "the secret is wrong. Set AWS_SECRET_ACCESS_KEY.",
    "InvalidAccessKeyId": "the key id is unknown. Set AWS_ACCESS_KEY_ID.",
    "AccessDenied": "these credentials may not do this. Set AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY of an account that may.",
    "NoSuchBucket": "there is no such bucket. Create it, or mend the name after s3://.",
    "NoSuchKey": "there is no such object. Mend its name, or upload it first.",
}
_ALIASES = {"403": "AccessDenied", "Forbidden": "AccessDenied", "404": "NoSuchKey"}


@dataclass(frozen=True)
class Version:
    """One version of an object: its size in bytes and its ETag."""

    size: int
    etag: str


def fetch(uri: str, cache: Path, *, version: Version | None = None) -> Path:
    """The object as a file in `cache`; downloaded, whole or not at all, unless this version is there.

    version: what a listing said of it, which saves a question to the server.
    """
    bucket, key = _split(uri)
    version = version or _head(uri)
    path = cache / bucket / f"{version.etag}-{Path(key).name}"
    if path.is_file() and path.stat().st_size == version.size:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".fetch.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file, _explained(uri):
            body = client().get_object(Bucket=bucket, Key=key)["Body"]
            digest = hashlib.md5(usedforsecurity=False)
            for chunk in body.iter_chunks(_CHUNK_BYTES):
                digest.update(chunk)
                file.write(chunk)
        _check_whole(uri, temporary, digest.hexdigest(), version)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def upload(path: Path, uri: str) -> None:
    """Put a file into the bucket under this name."""
    bucket, key = _split(uri)
    with _explained(uri), path.open("rb") as file:
        client().put_object(Bucket=bucket, Key=key, Body=file)


def exists(uri: str) -> bool:
    """Whether the object is there; a bucket that is not, or a server that is down, is an error."""
    bucket, key = _split(uri)
    try:
        client().head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchKey"}:
            raise _explain(uri, error) from error
        with _explained(f"s3://{bucket}"):
            client().head_bucket(Bucket=bucket)
        return False
    except BotoCoreError as error:
        raise _explain(uri, error) from error
    return True


def list_objects(uri: str) -> dict[str, Version]:
    """Key -> version of every object below a prefix."""
    bucket, prefix = _split(uri)
    versions = {}
    with _explained(uri):
        for page in (
            client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        ):
            for item in page.get("Contents", []):
                versions[item["Key"]] = Version(item["Size"], item["ETag"].strip('"'))
    return versions


class BucketShelf:
    """The objects below an s3:// prefix, fetched one by one as they are read."""

    def __init__(self, uri: str, *, cache: Path) -> None:
        bucket, prefix = _split(uri.rstrip("/") + "/")
        self._cache = cache
        self._base = f"s3://{bucket}/{prefix}"
        self._versions = {
            key.removeprefix(prefix): version for key, version in list_objects(self._base).items()
        }

    def names(self) -> Iterator[str]:
        """Every object's name below the prefix, sorted."""
        return iter(sorted(self._versions))

    def path(self, name: str) -> Path:
        """The object as a file in the cache."""
        if name not in self._versions:
            raise StoreError(f"{self._base}{name}: there was no such object. Upload it first.")
        return fetch(self._base + name, self._cache, version=self._versions[name])

    def read(self, name: str) -> bytes:
        """The bytes of an object."""
        return self.path(name).read_bytes()


def open_bucket(uri: str, *, cache: Path) -> list[Shelf]:
    """The shelf of an s3:// prefix and of each .tar in it, or of one s3:// .tar."""
    if uri.endswith(".tar"):
        return [TarShelf(fetch(uri, cache))]
    shelf = BucketShelf(uri, cache=cache)
    tars = [name for name in shelf.names() if name.endswith(".tar")]
    return [shelf, *(TarShelf(shelf.path(name)) for name in tars)]


def client() -> Any:
    """The S3 client for the environment's credentials and endpoint, with bounded patience."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL")
    return _client(*(os.environ.get(name) for name in names))


@lru_cache(maxsize=4)
def _client(key_id: str | None, secret: str | None, endpoint: str | None) -> Any:
    region = os.environ.get("AWS_DEFAULT_REGION", "us-east-1")
    return boto3.session.Session(key_id, secret, region_name=region).client(
        "s3", endpoint_url=endpoint, config=_TIMEOUTS
    )


def _split(uri: str) -> tuple[str, str]:
    """s3://bucket/key -> (bucket, key)."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise StoreError(f"{uri!r} is not an object's address; expected s3://bucket/name.")
    return bucket, key


def _head(uri: str) -> Version:
    bucket, key = _split(uri)
    if not exists(uri):
        raise StoreError(f"{uri}: {_ADVICE['NoSuchKey']}")
    with _explained(uri):
        head = client().head_object(Bucket=bucket, Key=key)
    return Version(head["ContentLength"], head["ETag"].strip('"'))


def _check_whole(uri: str, path: Path, md5: str, version: Version) -> None:
    """Size, and the md5 where the ETag is one (it is not for multipart uploads)."""
    size = path.stat().st_size
    if size != version.size:
        raise StoreError(
            f"{uri} came with {size} bytes of {version.size}; the transfer broke. Run again."
        )
    if len(version.etag) == 32 and "-" not in version.etag and version.etag != md5:
        raise StoreError(f"{uri} changed or was damaged on its way (md5 {md5}). Run again.")


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    """Turn what the client raises into a StoreError that says what to do."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise _explain(uri, error) from error


def _explain(uri: str, error: ClientError | BotoCoreError) -> StoreError:
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "AWS (AWS_ENDPOINT_URL is not set)")
    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
        name = _ALIASES.get(code, code)
        return StoreError(f"{uri} at {endpoint}: {_ADVICE.get(name, error)} (server says: {code})")
    if isinstance(error, NoCredentialsError):
        return StoreError(f"{uri}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
    if isinstance(error, ConnectionError):
        return StoreError(
            f"{uri}: no answer from {endpoint}: {error}. Start the server, or set AWS_ENDPOINT_URL."
        )
    return StoreError(f"{uri} at {endpoint}: {error}. Run again, or check AWS_ENDPOINT_URL.")
