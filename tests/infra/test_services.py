"""The laptop's S3: it starts, keeps, refuses strangers, and never outlives us."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.local import environment_of, local_platform, main
from infra.services import S3, local_s3
from tasks import recording
from tedigan.errors import StoreError
from tedigan.workspace import Workspace
from tests.flows.conftest import make_repository, tiny_params

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.xdist_group("s3")]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory):
    with local_platform(tmp_path_factory.mktemp("platform")) as environment:
        yield environment


def client(s3: S3):
    return boto3.client(
        "s3",
        endpoint_url=s3.endpoint_url,
        aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key,
        region_name="us-east-1",
    )


def is_listening(endpoint_url: str) -> bool:
    place = urlsplit(endpoint_url)
    with socket.socket() as probe:
        return probe.connect_ex((place.hostname, place.port)) == 0


def test_objects_and_keys_outlive_the_server(tmp_path: Path) -> None:
    with local_s3(tmp_path) as first:
        client(first).create_bucket(Bucket="kept")
        client(first).put_object(Bucket="kept", Key="a", Body=b"content")
    assert not is_listening(first.endpoint_url)
    with local_s3(tmp_path) as second:
        assert client(second).get_object(Bucket="kept", Key="a")["Body"].read() == b"content"
    assert (first.access_key, first.secret_key) == (second.access_key, second.secret_key)
    assert (tmp_path / "identities.json").stat().st_mode & 0o077 == 0


def test_a_wrong_secret_is_refused(platform: dict[str, str]) -> None:
    stranger = S3(platform["AWS_ENDPOINT_URL"], platform["AWS_ACCESS_KEY_ID"], "wrong")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        client(stranger).list_buckets()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folder = make_repository(tmp_path / "repo", "stages: {}\n", tiny_params())
    config = folder / ".dvc" / "config"
    config.write_text(config.read_text().replace(str(tmp_path / "repo-remote"), "s3://tedigan/dvc"))
    return Workspace.open(folder)


def enter(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name in environment.keys() - os.environ.keys() | {
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ENDPOINT_URL",
    }:
        monkeypatch.setenv(name, environment[name])


def test_preflight_passes_where_the_bucket_answers(
    platform: dict[str, str], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(monkeypatch, platform)
    recording.check_remote(workspace)


def test_preflight_refuses_a_wrong_secret(
    platform: dict[str, str], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(monkeypatch, platform | {"AWS_SECRET_ACCESS_KEY": "wrong"})
    with pytest.raises(StoreError, match="AWS_SECRET_ACCESS_KEY"):
        recording.check_remote(workspace)


def test_preflight_refuses_a_bucket_that_does_not_answer(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    enter(monkeypatch, environment_of(S3(address, "key", "secret"), tmp_path))
    with pytest.raises(StoreError, match="cannot be written"):
        recording.check_remote(workspace)


def test_the_command_status_is_passed_on(monkeypatch, platform, capfd) -> None:
    from contextlib import nullcontext

    monkeypatch.setattr("infra.local.local_platform", lambda _: nullcontext(platform))
    probe = "import os, sys; print(os.environ['AWS_ENDPOINT_URL']); sys.exit(7)"
    assert main(["--", "python", "-c", probe]) == 7
    assert platform["AWS_ENDPOINT_URL"] in capfd.readouterr().out


def test_a_killed_parent_takes_the_server_with_it(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from infra.services import local_s3\n"
        "with local_s3(Path(sys.argv[1])) as s3: print(s3.endpoint_url, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        address = parent.stdout.readline().strip()
        assert is_listening(address)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while is_listening(address) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_listening(address)
