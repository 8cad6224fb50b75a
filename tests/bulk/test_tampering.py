"""What somebody changed, exchanged or forged is found, and is never sealed, proved or called the same."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.toy_jobs import ToyWorker, toy_job, toy_plan
from tedigan.bulk.ledger import APPROVED, PLAN, SEALED, Ledger
from tedigan.bulk.plan import MAX_ATTEMPTS, MAX_THREADS
from tedigan.bulk.replay import committed_picture, image_of, named_in, replay
from tedigan.bulk.seal import prove, prove_picture, seal, verify
from tedigan.bulk.shard_files import LABEL
from tedigan.bulk.status import Watch
from tedigan.errors import DataError, ObjectError, ParamsError, StoreError
from tedigan.store import pictures
from tedigan.store.picture_labels import label
from tedigan.workspace import Workspace
from tests.bulk.jobs import finished, job


@pytest.fixture
def worker(tmp_path: Path) -> ToyWorker:
    """A finished job of four shards."""
    worker = toy_job(tmp_path / "jobs", tmp_path, num_images=12, images_per_shard=3)
    list(worker.work(range(4)))
    return worker


def change(ledger: Ledger, name: str, **values: Any) -> None:
    """Values of a JSON object, as a person with an editor changes them."""
    content = json.loads(ledger.bucket.read(name)) | values
    ledger.bucket.write(name, json.dumps(content, sort_keys=True).encode())


def problems_of(ledger: Ledger, cache: Path) -> str:
    return "\n".join(verify(ledger, cache).problems)


def test_commits_that_were_exchanged_are_neither_verified_nor_sealed(
    worker: ToyWorker, tmp_path: Path
) -> None:
    bucket, names = worker.ledger.bucket, ("commits/000000.json", "commits/000001.json")
    contents = [bucket.read(name) for name in names]
    for name, content in zip(names, reversed(contents), strict=True):
        bucket.write(name, content)
    assert "000000.json is that of shard 1" in problems_of(worker.ledger, tmp_path)
    with pytest.raises(DataError, match="it was exchanged or changed"):
        seal(worker.ledger)


def test_a_commit_of_more_images_than_planned_is_not_sealed(worker: ToyWorker) -> None:
    change(worker.ledger, "commits/000002.json", num_images=9)
    with pytest.raises(DataError, match="with 9 images; expected shard 2 with 3"):
        seal(worker.ledger)


@pytest.mark.parametrize("name", ["commits/000099.json", "commits/1.json"])
def test_a_commit_that_no_shard_of_the_plan_has_is_named(worker: ToyWorker, name: str) -> None:
    worker.ledger.bucket.write(name, worker.ledger.bucket.read("commits/000000.json"))
    for look in (seal, lambda ledger: Watch(ledger).look(), Ledger.remaining):
        with pytest.raises(DataError, match=f"{name} is no commit of this job.*000003"):
            look(worker.ledger)


def test_pictures_that_are_not_those_of_the_root_are_found(
    worker: ToyWorker, tmp_path: Path
) -> None:
    seal(worker.ledger)
    other = json.loads(worker.ledger.bucket.read("commits/000000.json"))
    change(worker.ledger, "commits/000001.json", tar=other["tar"])
    assert "6 of its pictures, such as that of image 0" in problems_of(worker.ledger, tmp_path)


def test_a_commit_that_is_not_the_sealed_one_is_found_though_its_root_is(
    worker: ToyWorker, tmp_path: Path
) -> None:
    seal(worker.ledger)
    change(worker.ledger, "commits/000001.json", num_marked=3)
    assert problems_of(worker.ledger, tmp_path) == (
        "shard 1 was sealed with another commit than it has now"
    )


def test_a_changed_file_of_the_plan_is_found_when_the_job_is_verified(
    worker: ToyWorker, tmp_path: Path
) -> None:
    worker.ledger.bucket.write("prompts.parquet", b"others")
    assert "prompts.parquet has sha256" in problems_of(worker.ledger, tmp_path)


@pytest.mark.parametrize(
    "values", [{"root": "0" * 64}, {"plan": "another"}, {"shards": []}, {"shards": [{}]}]
)
def test_a_seal_that_was_changed_is_found_and_proves_nothing(
    worker: ToyWorker, tmp_path: Path, values: dict[str, Any]
) -> None:
    seal(worker.ledger)
    change(worker.ledger, SEALED, **values)
    assert "from a backup" in problems_of(worker.ledger, tmp_path)
    with pytest.raises(DataError, match=SEALED):
        prove(worker.ledger, 3, tmp_path)


def test_nothing_is_proved_of_a_job_that_is_not_sealed(worker: ToyWorker, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not sealed"):
        prove(worker.ledger, 3, tmp_path)


def test_a_picture_of_another_job_is_no_picture_of_this_one(
    worker: ToyWorker, tmp_path: Path
) -> None:
    seal(worker.ledger)
    other = toy_job(tmp_path / "jobs", tmp_path / "b", num_images=6, images_per_shard=3)
    list(other.work([0, 1]))
    picture = committed_picture(other, 4)
    assert image_of(picture, other.ledger) == 4
    with pytest.raises(DataError, match=f"is of job {other.ledger.name}"):
        prove_picture(worker.ledger, picture, tmp_path)


def test_a_picture_that_borrows_anothers_recipe_is_not_proved(
    worker: ToyWorker, tmp_path: Path
) -> None:
    seal(worker.ledger)
    picture = committed_picture(worker, 4)
    assert prove_picture(worker.ledger, picture, tmp_path) == prove(worker.ledger, 4, tmp_path)
    with pytest.raises(DataError, match="says that it is image 4"):
        prove_picture(worker.ledger, picture + b" ", tmp_path)


@pytest.mark.parametrize(
    "recipe", ["no JSON", "[1]", '{"job": "a"}', '{"job": "a", "image": "x"}', '{"image": null}']
)
def test_a_recipe_that_is_none_is_an_error(recipe: str) -> None:
    picture = pictures.encode(torch.zeros(3, 4, 4, dtype=torch.uint8), "png")
    with pytest.raises(DataError, match="expected a job and a number"):
        named_in(label(picture, LABEL, recipe))


def test_a_picture_that_was_changed_is_not_called_the_committed_one(
    untrained: Workspace, tmp_path: Path
) -> None:
    worker = finished(job(untrained, tmp_path / "jobs", tmp_path))
    picture = committed_picture(worker, 7)
    assert replay(worker, 7, picture).said == replay(worker, 7).said
    pixels = pictures.decode(picture)
    anew = replay(worker, 7, pictures.encode(pixels, "png"))
    assert anew.is_same
    assert "its file was written anew" in anew.said
    pixels[:, 3, 3] += 1
    retouched = replay(worker, 7, pictures.encode(pixels, "png"))
    assert not retouched.is_same
    assert "is not the committed one" in retouched.said
    assert not replay(worker, 7, pictures.encode(pixels[:, :16], "png")).is_same


def test_a_plan_with_a_text_for_a_number_is_no_plan(worker: ToyWorker) -> None:
    change(worker.ledger, PLAN, num_prompts="many")
    with pytest.raises(DataError, match=r"plan\.json is no plan"):
        Ledger(worker.job).plan  # noqa: B018


@pytest.mark.parametrize("hours", ["many", -1, float("nan"), [1]])
def test_an_approval_of_no_number_of_hours_is_named(worker: ToyWorker, hours: Any) -> None:
    change(worker.ledger, APPROVED, worker_hours=hours)
    with pytest.raises(DataError, match=r"approved\.json grants .*Delete it"):
        worker.ledger.budget()


@pytest.mark.parametrize(
    "use", [Ledger.check_runs, Ledger.remaining, seal, lambda ledger: ledger.cancel("me")]
)
def test_an_address_without_a_job_is_said_to_be_none(
    tmp_path: Path, use: Callable[[Ledger], Any]
) -> None:
    with pytest.raises(ObjectError, match=r"is no job, it has no plan\.json; expected the address"):
        use(Ledger(str(tmp_path / "jobs")))
    assert not (tmp_path / "jobs").exists()


def test_a_job_is_found_from_within_its_folder(
    worker: ToyWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(worker.job)
    assert Ledger(".").plan == Ledger(f"{worker.job}/").plan == worker.ledger.plan


@pytest.mark.parametrize(
    "values",
    [
        {"num_threads": MAX_THREADS + 1},
        {"attempts": MAX_ATTEMPTS + 1},
        {"worker_hours": float("inf")},
    ],
)
def test_a_plan_of_numbers_that_no_machine_has_is_refused(
    tmp_path: Path, values: dict[str, Any]
) -> None:
    with pytest.raises(ParamsError, match="Plan the job again"):
        replace(toy_plan(tmp_path)[0], **values)
