"""What is wrong with the platform on this machine, and what to do: a line each."""

import os
import re
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version

from infra.answers import opened
from infra.local import BUCKET
from infra.machine import POOL, Machine
from infra.services import credentials_of
from tedigan.turns import holder_of

MIN_FREE_GB = 5
MAX_SKEW_S = 300  # S3 refuses a signature that is 15 minutes off
FEW = 5  # packages that are named


def examine(machine: Machine) -> list[str]:
    """Each fault with its remedy; what another fault hides is not looked at."""
    findings = [*_disk(machine), *_versions(machine), *_parts(machine), *_turn(machine)]
    answers = machine.answers()
    checks: list[tuple[str, Callable[[Machine], Iterator[str]]]] = [
        ("s3", _clock), ("s3", _bucket), ("prefect", _prefect)
    ]  # fmt: skip
    for part, check in checks:
        if answers[part]:
            findings += check(machine)
    return findings


def _disk(machine: Machine) -> Iterator[str]:
    free = shutil.disk_usage(machine.root).free / 1e9
    if free < MIN_FREE_GB:
        yield (
            f"disk: {free:.1f} GB are free at {machine.root}, expected {MIN_FREE_GB}. `dvc gc --workspace`, or "
            "another disk."
        )


def _versions(machine: Machine) -> Iterator[str]:
    """What is installed, beside the lock."""
    text = (machine.root / "requirements.lock").read_text(encoding="utf-8")
    other = []
    for name, locked in re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE):
        try:
            found = version(name).partition("+")[0]
        except PackageNotFoundError:
            continue  # of another platform
        if found != locked:
            other.append(f"{name} {found}, locked {locked}")
    if other:
        more = f" and {len(other) - FEW} more" if len(other) > FEW else ""
        yield f"versions: {'; '.join(other[:FEW])}{more}. `pip install -r requirements.lock`."


def _parts(machine: Machine) -> Iterator[str]:
    states = machine.states()
    if not states:
        yield "platform: nothing runs. `python -m infra up`."
    for name, state in states.items():
        if state != "RUNNING":
            log = f"{machine.folder / name}.log"
            yield f"{name}: {state}; its log is {log}. `python -m infra up` starts what is missing."
    silent = [name for name, does in machine.answers().items() if states and not does]
    for name in silent:
        port = machine.ports[name]
        log = f"{machine.folder / name}.log"
        yield f"{name}: does not answer at 127.0.0.1:{port}. Read {log}; is the port another's?"


def _turn(machine: Machine) -> Iterator[str]:
    """Who runs a stage in the checkout's workspace, which others wait for."""
    if holder := holder_of(machine.root / ".work/turn"):
        yield f"turn: {holder} has the workspace's turn; others wait for it. Let it end, or end it."


def _clock(machine: Machine) -> Iterator[str]:
    request = urllib.request.Request(f"http://127.0.0.1:{machine.ports['s3']}/")
    said = opened(request).headers["Date"]
    skew = abs((datetime.now(UTC) - parsedate_to_datetime(said)).total_seconds())
    if skew > MAX_SKEW_S:
        yield (
            f"clock: S3's is {skew:.0f} s off this machine's, expected {MAX_SKEW_S} at most. Set it "
            "(`timedatectl set-ntp true`)."
        )


def _bucket(machine: Machine) -> Iterator[str]:
    """Whether the keys open the bucket, and whether a create-only put is one."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    key, secret = credentials_of(machine.folder / "s3")
    with _without_others():
        client = boto3.Session(key, secret, region_name="us-east-1").client(
            "s3", endpoint_url=f"http://127.0.0.1:{machine.ports['s3']}"
        )
    place = {"Bucket": BUCKET, "Key": "doctor-probe"}
    try:
        client.put_object(**place, Body=b"tedigan")
    except (ClientError, BotoCoreError) as error:
        yield f"credentials: {BUCKET} cannot be written: {error}. `python -m infra down`, then `up`."
        return
    try:
        client.put_object(**place, Body=b"another", IfNoneMatch="*")
        yield "S3: a create-only put was taken twice, by which jobs would lose commits. Use another server."
    except ClientError:
        pass
    finally:
        client.delete_object(**place)


@contextmanager
def _without_others() -> Iterator[None]:
    """Proxies, and the profiles and endpoints of another S3, are not for this one."""
    names = [one for one in os.environ if one.startswith("AWS_") or one.lower().endswith("_proxy")]
    kept = {name: os.environ.pop(name) for name in names}
    try:
        yield
    finally:
        os.environ |= kept


def _prefect(machine: Machine) -> Iterator[str]:
    """Flow runs that nobody runs, and schedules that nobody follows."""

    ask, is_followed = machine.prefect, machine.has_worker
    running = ask("flow_runs/filter", flow_runs={"state": {"type": {"any_": ["RUNNING"]}}})
    if running and not is_followed:
        names = ", ".join(one["name"] for one in running[:FEW])
        yield (
            f"zombies: {names} are RUNNING and no worker of the pool {POOL} is. `prefect flow-run cancel`, or "
            "start the worker: `python -m infra up`."
        )
    scheduled = [
        one["name"]
        for one in ask("deployments/filter")
        if any(schedule["active"] for schedule in one["schedules"]) and not one["paused"]
    ]
    if scheduled and not is_followed:
        yield (
            f"schedules: {', '.join(scheduled)} wait for a worker of the pool {POOL}. `python -m infra up` starts "
            "one."
        )
    if not scheduled:
        yield "schedules: no deployment has an active one. `python -m infra up` deploys infra/prefect.yaml."
