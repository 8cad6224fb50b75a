"""All that the platform on one machine keeps, in a folder elsewhere: `python -m infra backup | restore FOLDER`.

    FOLDER/objects/ab/ab01...     what the bucket holds, each content once, by its sha256
    FOLDER/20261126T203000Z/      a backup: prefect.dump, mlflow.dump, bucket.json; the signing key, if asked for

The databases come first: whatever they speak of is in the bucket by then. Objects whose version is that of the
last backup are not read again. A backup is whole where it has its bucket.json, which is written last.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infra import dumps
from infra.local import BUCKET
from infra.machine import Machine
from infra.retention import read_retention
from tedigan.errors import StoreError
from tedigan.store.addresses import open_bucket
from tedigan.store.at_once import at_once
from tedigan.store.files import sha256_file
from tedigan.store.objects import Bucket, FolderBucket

LIST, KEY, OBJECTS = "bucket.json", "signing-key", "objects"
USERS = ("worker", "prefect", "mlflow")  # of the databases
Objects = dict[str, dict[str, str]]  # name -> version, as its bucket says it, and sha256


def back_up(machine: Machine, folder: Path, *, with_key: bool = False) -> str:
    """The name of a new backup in `folder`; the oldest of more than retention.yaml says goes."""
    _check_up(machine)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target, name = FolderBucket(folder), dumps.new_name()
    with inside(_environment(machine)) as environment:
        dumps.dump(target, name, environment)
        if with_key:
            _copy_key(machine.key, folder / name / KEY)
        known = objects_of(target, wholes[-1]) if (wholes := names_of(target)) else {}
        copied = copy_objects(open_bucket(f"s3://{BUCKET}"), target, known)
        target.write(f"{name}/{LIST}", json.dumps(copied, indent=1, sort_keys=True).encode())
    dumps.forget_older(target, names_of(target)[-read_retention().backups :][0])
    forget_unnamed(target)
    return name


def restore(
    machine: Machine, folder: Path, name: str | None = None, *, with_key: bool = False
) -> str:
    """Put a backup back, the newest without a name; what the bucket got since stays there."""
    _check_up(machine)
    target = FolderBucket(folder)
    names = names_of(target)
    name = name or (names[-1] if names else "")
    if name not in names:
        raise StoreError(
            f"{folder} has no whole backup {name!r}; expected one of: {', '.join(names) or 'none'}. Name one."
        )
    _check_idle(machine)
    if with_key:
        _copy_key(folder / name / KEY, machine.folder / KEY)
    machine.control("stop", *USERS)
    with inside(_environment(machine)) as environment:
        put_back(objects_of(target, name), target, open_bucket(f"s3://{BUCKET}"))
        dumps.restore(target, name, environment)
    machine.up()
    return name


def names_of(target: Bucket) -> list[str]:
    """Of the backups that are whole, the oldest first."""
    return [one for one in target.folders() if target.exists(f"{one}/{LIST}")]


def objects_of(target: Bucket, name: str) -> Objects:
    """What the bucket held."""
    found: Objects = json.loads(target.read(f"{name}/{LIST}"))
    return found


def copy_objects(source: Bucket, target: Bucket, known: Objects) -> Objects:
    """Keep every object of `source` in `target` under its content; those `known` in this version are not read."""

    def copied(item: tuple[str, str]) -> tuple[str, dict[str, str]]:
        name, version = item
        before = known.get(name, {})
        if before.get("version") == version and target.exists(_place(before["sha256"])):
            return name, before
        with tempfile.TemporaryDirectory() as cache:
            file = source.fetch(name, Path(cache))
            digest = sha256_file(file)
            if not target.exists(_place(digest)):
                target.write(_place(digest), file)
        return name, {"version": version, "sha256": digest}

    return dict(at_once(copied, source.versions().items()))


def put_back(objects: Objects, target: Bucket, source: Bucket) -> None:
    """Write what `source` lacks or has in another version; a StoreError where a copy is not what it was."""
    there = source.versions()

    def put(name: str) -> None:
        content = target.read(_place(objects[name]["sha256"]))
        if hashlib.sha256(content).hexdigest() != objects[name]["sha256"]:
            raise StoreError(
                f"the copy of {name} has another sha256 than when it was made; expected "
                f"{objects[name]['sha256'][:12]}. Its disk is damaged: restore from another backup."
            )
        source.write(name, content)

    for _ in at_once(put, [k for k, one in objects.items() if there.get(k) != one["version"]]):
        continue


def forget_unnamed(target: Bucket) -> None:
    """Remove the contents that no backup names any more."""
    named = {
        one["sha256"] for name in names_of(target) for one in objects_of(target, name).values()
    }
    for name in list(target.names(f"{OBJECTS}/")):
        if name.rpartition("/")[2] not in named:
            target.delete(name)


def _place(digest: str) -> str:
    return f"{OBJECTS}/{digest[:2]}/{digest}"


def _copy_key(key: Path, path: Path) -> None:
    """With its public half; readable by nobody else at any moment."""
    if not key.is_file():
        raise StoreError(
            f"there is no {key}; expected the key of a backup `--with-key`. Leave it out."
        )
    for suffix in (key.suffix, ".pub"):
        if (half := key.with_suffix(suffix)).is_file():
            place = path.with_suffix(suffix)
            place.unlink(missing_ok=True)
            with os.fdopen(
                os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
            ) as file:
                file.write(half.read_bytes())


def _environment(machine: Machine) -> dict[str, str]:
    """Of the machine, with its PostgreSQL."""
    socket = str(machine.folder / "postgres")
    return machine.environment | {"PGHOST": socket, "PGUSER": "postgres"}


@contextmanager
def inside(environment: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """This process with another environment: its S3, without the proxies and AWS_* of whoever started it."""
    kept = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield environment
    finally:
        os.environ.clear()
        os.environ.update(kept)


def _check_up(machine: Machine) -> None:
    if not machine.is_up or not machine.answers()["s3"]:
        raise StoreError(
            "the platform does not run; expected its S3 and PostgreSQL to answer. `python -m infra up`."
        )


def _check_idle(machine: Machine) -> None:
    """Refuse to pull the databases from under a flow."""
    if not machine.answers()["prefect"]:
        return
    running = machine.prefect(
        "flow_runs/filter", flow_runs={"state": {"type": {"any_": ["RUNNING"]}}}
    )
    if running:
        names = ", ".join(one["name"] for one in running)
        raise StoreError(
            f"{names} are RUNNING; expected no flow run while the databases change. Let them end, or `prefect "
            "flow-run cancel`."
        )
