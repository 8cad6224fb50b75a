"""DVC as the recorder: is a stage's result still true, put one back, commit and push a new one.

The flow and `dvc repro` skip the same stages, because both ask DVC's own comparison with dvc.lock; no
other file decides what is skipped. Writers take turns (`single_writer`).
"""

import hashlib
import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from dvc.exceptions import DvcException
from dvc.lock import LockError
from dvc.repo import Repo, lock_repo
from dvc.stage.cache import RunCacheNotFoundError
from dvc_data.hashfile.status import status
from dvc_data.hashfile.transfer import transfer

from tasks import policy
from tedigan.errors import StoreError
from tedigan.turns import turn
from tedigan.workspace import Workspace

logging.getLogger("dvc").setLevel(logging.ERROR)

WITHOUT_GIT = {"core": {"no_scm": True}}  # an image has none, and dvc.lock is committed by people


@dataclass(frozen=True)
class Recorded:
    """What dvc.lock says of a stage: md5 of each input and output, and its own sha256."""

    inputs: dict[str, str]
    outputs: dict[str, str]
    lock_sha256: str


def why_stale(workspace: Workspace, name: str) -> list[str]:
    """The reasons for which `dvc repro` would run this stage now; an empty list means it would skip."""
    with _opened(workspace, name) as stage:
        status = stage.status().get(stage.addressing, [])
        if status and not any(out.hash_info for out in stage.outs):
            return ["never run here"]
        return [reason for entry in status for reason in _reasons(stage, entry)]


def restore(workspace: Workspace, name: str) -> bool:
    """Put back outputs that an equal run made earlier, from DVC's cache or its remote, if it has them.

    Where it has none, what lies there stays until the stage puts a new one in its place, so that who reads it
    meanwhile, or after a run that was killed, finds the last one whole (`dvc repro` removes it first).
    """
    with single_writer(workspace), _opened(workspace, name) as stage:
        if not stage.changed(allow_missing=True):
            _fetch(stage.repo, _address(workspace, name))
        cache = stage.repo.stage_cache
        if stage.changed_stage() or not stage.deps_cached():
            _look_for_todays(stage)
        try:
            cache.restore(stage, dry=True)
        except RunCacheNotFoundError:
            return False
        stage.remove_outs()
        cache.restore(stage)
        _record(stage)
    return True


def commit(workspace: Workspace, name: str) -> Recorded:
    """Record the outputs that lie there now as this stage's result: `dvc commit -f <stage>`."""
    with single_writer(workspace), _opened(workspace, name) as stage:
        _record(stage)
    return recorded(workspace, name)


def recorded(workspace: Workspace, name: str) -> Recorded:
    """What dvc.lock says of this stage."""
    with _opened(workspace, name) as stage:
        inputs = {dep.def_path: dep.hash_info.value for dep in stage.deps if not _params_of(dep)}
        outputs = {out.def_path: out.hash_info.value for out in stage.outs}
    lock = (workspace.root / "dvc.lock").read_bytes()
    return Recorded(inputs, outputs, hashlib.sha256(lock).hexdigest())


def push(workspace: Workspace, name: str | None = None) -> int:
    """Copy a stage's outputs (or every stage's) to the remote; returns how many objects it lacked.

    The remote is asked for each of them: DVC itself takes a folder for whole where its list of files is there.
    """
    with single_writer(workspace), _repository(workspace) as repo, _locked(repo):
        target = _address(workspace, name) if name else _pipeline(workspace)
        count: int = repo.push(targets=[target])
        return count + _push_what_went(repo, target)


def track(workspace: Workspace, path: Path) -> str:
    """Record a file that no stage makes, copy it to the remote, and give its md5: `dvc add`, `dvc push`."""
    with single_writer(workspace), _repository(workspace) as repo, _locked(repo):
        (stage,) = repo.add(str(path))
        repo.push(targets=[stage.path])
        md5: str = stage.outs[0].hash_info.value
        return md5


def remote_url(workspace: Workspace) -> str:
    """Where DVC's default remote lies."""
    with _repository(workspace) as repo:
        return _url(repo.cloud.get_remote())


def check_remote(workspace: Workspace) -> None:
    """Write, read and remove one small object there, as a push would; a StoreError if that fails."""
    with _repository(workspace) as repo:
        remote = repo.cloud.get_remote()
        probe = remote.fs.join(remote.path, f"probe-{uuid.uuid4().hex}")
        try:
            remote.fs.makedirs(remote.path, exist_ok=True)
            remote.fs.pipe_file(probe, b"tedigan")
            remote.fs.remove(probe)
        except (OSError, BotoCoreError, ClientError) as error:
            raise StoreError(
                f"{_url(remote)} cannot be written: {error}. Name a reachable bucket and its keys with "
                "AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run the command "
                "under `python -m infra.local --`, which brings its own."
            ) from error


@contextmanager
def single_writer(workspace: Workspace) -> Iterator[None]:
    """One process at a time writes dvc.lock, the cache and the remote of this repository."""
    with _repository(workspace) as repo:
        path = Path(repo.tmp_dir) / "tedigan.lock"
    with turn(path, "a writer of dvc.lock", within_s=policy.RECORDING_LOCK_TIMEOUT_S, say=_quietly):
        yield


def _quietly(line: str) -> None:
    """Records take seconds; who waits for one need not be told."""
    logging.getLogger(__name__).info(line)


@contextmanager
def _opened(workspace: Workspace, name: str) -> Iterator[Any]:
    with _repository(workspace) as repo, _locked(repo):
        yield repo.stage.load_one(_pipeline(workspace), name)


@contextmanager
def _locked(repo: Any) -> Iterator[None]:
    """DVC's lock of a repository, for which DVC itself would wait three seconds."""
    deadline = time.monotonic() + policy.RECORDING_LOCK_TIMEOUT_S
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(lock_repo(repo))
                break
            except LockError:
                if time.monotonic() > deadline:
                    raise
        yield


@contextmanager
def _repository(workspace: Workspace) -> Iterator[Any]:
    """The DVC repository around the workspace; DVC's own complaints become StoreErrors.

    DVC reads and prints paths as seen from the current folder, so that is the workspace meanwhile.
    """
    try:
        with chdir(workspace.root), Repo(str(workspace.root), config=WITHOUT_GIT) as repo:
            yield repo
    except DvcException as error:
        raise StoreError(
            f"DVC refuses {workspace.root}: {error}. `dvc status` in that folder says more."
        ) from error


def _url(remote: Any) -> str:
    return str(remote.fs.unstrip_protocol(remote.path))


def _pipeline(workspace: Workspace) -> str:
    return str(workspace.root / "dvc.yaml")


def _address(workspace: Workspace, name: str) -> str:
    return f"{_pipeline(workspace)}:{name}"


def _record(stage: Any) -> None:
    """Hash, keep in the cache, write dvc.lock; what `dvc commit -f` and `dvc repro` do at their ends."""
    stage.save()
    stage.commit()
    stage.dump(update_pipeline=False)


def _push_what_went(repo: Any, target: str) -> int:
    """Copy again what the remote has lost since it was pushed; how many objects that were."""
    near, far = repo.cache.local, repo.cloud.get_remote_odb()
    wanted = {one for used in repo.used_objs(targets=[target]).values() for one in used}
    lost = status(far, wanted, cache_odb=near, shallow=False).missing
    return len(transfer(near, far, lost, shallow=True).transferred)


def _look_for_todays(stage: Any) -> None:
    """Let DVC look an equal run up by the inputs that lie there, not by those that dvc.lock records."""
    stage.save_deps()
    for out in stage.outs:
        out.clear()


def _fetch(repo: Any, address: str) -> None:
    """Outputs that are only missing may lie in the remote; that it lacks them is no error here."""
    try:
        repo.fetch(targets=[address])
    except DvcException:
        logging.getLogger(__name__).info("%s is not in the remote", address)


def _reasons(stage: Any, entry: Any) -> list[str]:
    """One entry of `dvc status`, in words."""
    if isinstance(entry, str):
        return [entry]
    kinds = {"changed deps": "input", "changed outs": "output"}
    reasons = []
    for kind, changes in entry.items():
        for path, change in changes.items():
            if not isinstance(change, dict):
                reasons.append(f"{kinds.get(kind, kind)} {path} {change}")
            elif Path(path).name == "params.yaml":
                reasons += _changed_values(stage, path)
            else:  # of code.lock, whose digests say nothing to a person
                reasons.append("code modified")
    return reasons


def _changed_values(stage: Any, path: str) -> list[str]:
    """Each value of params.yaml that differs from dvc.lock, as `key old -> new`."""
    changes = []
    for dep in stage.deps:
        if _params_of(dep) and str(dep) == path:
            old, new = flat(dep.hash_info.value or {}), flat(dep.read_params())
            keys = sorted(old.keys() | new.keys())
            changes += [
                f"{key} {old.get(key, '(new)')} -> {new.get(key, '(gone)')}"
                for key in keys
                if old.get(key, ...) != new.get(key, ...)
            ]
    return changes


def _params_of(dep: Any) -> bool:
    return hasattr(dep, "read_params")


def flat(values: Any, prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, with dotted keys."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found
