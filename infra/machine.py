"""The whole platform on one machine, by pip alone: S3, PostgreSQL, Prefect, MLflow and a worker under supervisord.

    .work/up/supervisord.conf    what runs, with which environment; written anew by each `up`
    .work/up/ports.json          where each part listens on the loopback, as the first `up` chose
    .work/up/*.log  s3/  postgres/  prefect/

supervisord starts again what dies. The parts see neither the proxies nor the AWS_* of whoever starts them.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.answers import answers_at, opened
from infra.local import CHECKOUT, environment_of
from infra.retention import read_retention
from infra.services import S3, credentials_of, free_ports
from infra.supervision import check_path, write_configuration
from tedigan.errors import StoreError
from tedigan.store.files import read_json, write_json, write_text
from tedigan.store.signing import make_key

PARTS = ("s3", "postgres", "prefect", "mlflow", "worker")
USUAL = {"s3": 8333, "prefect": 4200, "mlflow": 5000}
POOL = "gpu"
READY_WITHIN_S = 180.0
TRIES, TRY_AGAIN_S = 4, 3.0
SOME_STAND_STILL = 3  # supervisorctl's exit status; 4 where no supervisor answers
KEPT = (
    "PATH", "HOME", "USER", "LANG", "TMPDIR", "VIRTUAL_ENV", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES",
    "TEDIGAN_POLICY",
)  # fmt: skip
# In memory they go with the server, and Prefect ends the flow runs that hold one.
LEASES = "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE"
ON_DISK = "prefect.server.concurrency.lease_storage.filesystem"
# Of MLflow's own, which nobody here submits: their runner and its queues are several processes.
NO_JOBS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
DEPLOYED_FROM = "/opt/tedigan"  # what infra/prefect.yaml says, as in the image


@dataclass(frozen=True)
class Machine:
    """root: a checkout. folder: where the platform keeps its state."""

    root: Path = CHECKOUT
    folder: Path = CHECKOUT / ".work/up"

    @property
    def ports(self) -> dict[str, int]:
        """Where S3, Prefect and MLflow listen, as the last `up` chose: the usual ones where these are free."""
        path = self.folder / "ports.json"
        if not path.is_file():
            self._choose_ports(USUAL)
        found: dict[str, int] = read_json(path)
        return found

    def _choose_ports(self, wanted: dict[str, int]) -> None:
        """What is wanted where nobody has it, others for the rest."""
        free = iter(free_ports(len(wanted)))
        chosen = {name: one if _is_free(one) else next(free) for name, one in wanted.items()}
        write_json(self.folder / "ports.json", chosen)

    @property
    def environment(self) -> dict[str, str]:
        """In which every part and every command runs."""
        ports = self.ports
        key, secret = credentials_of(self.folder / "s3")
        s3 = S3(f"http://127.0.0.1:{ports['s3']}", key, secret)
        mine = environment_of(s3, self.folder)
        return (
            {name: os.environ[name] for name in KEPT if name in os.environ}
            | mine
            | {
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
                "PYTHONPATH": str(self.root),
                "PYTHONUNBUFFERED": "1",
                "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{ports['mlflow']}",
                "PREFECT_API_URL": f"http://127.0.0.1:{ports['prefect']}/api",
                "TEDIGAN_SIGNING_KEY": str(self.key),
                "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # by which infra/automations.yaml finds the dead
                "NO_PROXY": "127.0.0.1,localhost",
            }
        )

    @property
    def key(self) -> Path:
        """That signs promotions: TEDIGAN_SIGNING_KEY's, or one of this platform's own."""
        given = os.environ.get("TEDIGAN_SIGNING_KEY")
        return Path(given).resolve() if given else self.folder / "signing-key"

    def commands(self) -> dict[str, list[str]]:
        """How each part is started."""
        ports, python = self.ports, sys.executable
        root = self.environment["MLFLOW_DEFAULT_ARTIFACT_ROOT"]
        mlflow = [self._backend_store, f"--default-artifact-root={root}", "--workers=1"]
        return {
            "s3": [python, "-m", "infra.parts", "s3", str(self.folder / "s3"), f"--port={ports['s3']}"],
            "postgres": [python, "-m", "infra.parts", "postgres", str(self.folder / "postgres")],
            "prefect": ["prefect", "server", "start", "--host=127.0.0.1", f"--port={ports['prefect']}"],
            "mlflow": ["mlflow", "server", "--host=127.0.0.1", f"--port={ports['mlflow']}", *mlflow],
            "worker": ["prefect", "worker", "start", f"--pool={POOL}", "--type=process", "--name=here"],
        }  # fmt: skip

    def up(self) -> None:
        """Start what does not run, wait until it answers, make the pool, deploy."""
        check_path(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.key.exists():
            make_key(self.key)
        if self.is_up:
            self._write_configuration()
            self.control("update")
            self.control("start", "all")
        else:
            self._choose_ports(self.ports)
            self._write_configuration()
            self._run("supervisord", "--configuration", str(self._configuration))
        self._wait_for(lambda: not self._silent())
        self._deploy()
        self._automate()
        self._wait_for(lambda: self.has_worker)

    def down(self) -> None:
        """Stop every part, and wait until it has."""
        if self.is_up:
            supervisor = int(self.control("pid").stdout)
            self.control("shutdown")
            deadline = time.monotonic() + READY_WITHIN_S
            while _is_alive(supervisor) and time.monotonic() < deadline:
                time.sleep(0.2)

    @property
    def is_up(self) -> bool:
        """Whether the supervisor answers."""
        return self._configuration.is_file() and self.control("pid").returncode == 0

    def states(self) -> dict[str, str]:
        """Part -> RUNNING, BACKOFF, STOPPED...; empty where the supervisor does not run."""
        if not self._configuration.is_file():
            return {}
        said = self.control("status")
        lines = said.stdout.splitlines() if said.returncode in (0, SOME_STAND_STILL) else []
        return {words[0]: words[1] for words in (line.split() for line in lines) if len(words) > 1}

    def answers(self) -> dict[str, bool]:
        """Whether each part that has an address does what it is there for."""
        ports = self.ports
        return {
            "s3": answers_at(f"http://127.0.0.1:{ports['s3']}/", refusal=403),
            "prefect": answers_at(f"http://127.0.0.1:{ports['prefect']}/api/health"),
            "mlflow": answers_at(f"http://127.0.0.1:{ports['mlflow']}/health"),
        }

    def _silent(self) -> list[str]:
        """Parts with an address that do not run or do not answer; who answers there may be another."""
        states = self.states()
        return [k for k, does in self.answers().items() if not does or states.get(k) != "RUNNING"]

    def prefect(self, path: str, method: str = "POST", **body: Any) -> Any:
        """What Prefect's own interface answers."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports['prefect']}/api/{path}",
            None if method == "GET" else json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        content = opened(request).read()
        return json.loads(content) if content else None

    def forget_deleted(self, older_than: str) -> None:
        """Remove for good what somebody deleted in MLflow so long ago, such as 30d."""
        self._run("mlflow", "gc", f"--older-than={older_than}", self._backend_store)

    @property
    def _backend_store(self) -> str:
        return f"--backend-store-uri=postgresql://postgres@/mlflow?host={self.folder / 'postgres'}"

    @property
    def has_worker(self) -> bool:
        """Whether a worker of the pool is there."""
        workers = self.prefect(f"work_pools/{POOL}/workers/filter")
        return any(one["status"] == "ONLINE" for one in workers)

    def control(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`supervisorctl`."""
        return self._run(
            "supervisorctl", "--configuration", str(self._configuration), *arguments, check=False
        )

    @property
    def _configuration(self) -> Path:
        return self.folder / "supervisord.conf"

    def _write_configuration(self) -> None:
        environment = self.environment
        database = f"postgresql+asyncpg://postgres@/prefect?host={self.folder / 'postgres'}"
        retention = read_retention(self.root / "infra/retention.yaml").of_prefect
        kept = {"PREFECT_API_DATABASE_CONNECTION_URL": database, LEASES: ON_DISK}
        own = {"prefect": kept | retention, "mlflow": NO_JOBS}
        parts = {
            k: (command, environment | own.get(k, {})) for k, command in self.commands().items()
        }
        write_configuration(self._configuration, self.root, parts)

    def _wait_for(self, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while not is_ready():
            if time.monotonic() > deadline:
                silent = self._silent() or ["worker"]
                raise StoreError(
                    f"{', '.join(silent)} did not answer within {READY_WITHIN_S:.0f} s; expected all parts. Read "
                    f"{self.folder}/{silent[0]}.log, or run `python -m infra doctor`."
                )
            time.sleep(0.5)

    def _deploy(self) -> None:
        """The deployments of infra/prefect.yaml, from this checkout."""
        text = (self.root / "infra/prefect.yaml").read_text(encoding="utf-8")
        content = yaml.safe_load(text.replace(DEPLOYED_FROM, str(self.root)))
        for one in content["deployments"]:
            if "workspace" in one.get("parameters", {}):
                one["parameters"]["workspace"] = str(self.root)
        file = self.root / ".work" / "prefect.yaml"
        write_text(file, yaml.safe_dump(content, sort_keys=False))
        pool = ("prefect", "work-pool", "create", POOL, "--type=process", "--overwrite")
        self._insist(*pool)
        deploy = ("prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file))
        self._insist(*deploy)

    def _automate(self) -> None:
        """infra/automations.yaml, in the place of what was there under the same names."""
        text = (self.root / "infra/automations.yaml").read_text(encoding="utf-8")
        known = {one["name"]: one["id"] for one in self.prefect("automations/filter")}
        for one in yaml.safe_load(text)["automations"]:
            if one["name"] in known:
                self.prefect(f"automations/{known[one['name']]}", "DELETE")
            self.prefect("automations/", **one)

    def _insist(self, *command: str) -> None:
        """Run it, a few times if need be: a server on a busy machine may not take a connection at once."""
        for _ in range(TRIES - 1):
            if self._run(*command, check=False).returncode == 0:
                return
            time.sleep(TRY_AGAIN_S)
        self._run(*command)

    def _run(self, *command: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        beside = Path(sys.executable).parent / command[0]
        done = subprocess.run(  # noqa: S603
            [str(beside) if beside.exists() else command[0], *command[1:]],
            env=self.environment,
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise StoreError(
                f"`{' '.join(command[:3])}` ended with status {done.returncode}: "
                f"{(done.stderr or done.stdout).strip()[-400:]}. Run `python -m infra doctor`."
            )
        return done


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _is_free(port: int) -> bool:
    import socket

    with socket.socket() as one, suppress(OSError):
        one.bind(("127.0.0.1", port))
        return True
    return False
