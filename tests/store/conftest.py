from collections.abc import Iterator

import pytest

from infra.services import S3, local_s3
from tedigan.store.s3 import client


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with local_s3(tmp_path_factory.mktemp("s3")) as s3:
        yield s3


@pytest.fixture
def s3_uri(server: S3, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket's address, with the environment to reach it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)
    if "faces" not in {item["Name"] for item in client().list_buckets()["Buckets"]}:
        client().create_bucket(Bucket="faces")
    for item in client().list_objects_v2(Bucket="faces").get("Contents", []):
        client().delete_object(Bucket="faces", Key=item["Key"])
    return "s3://faces"
