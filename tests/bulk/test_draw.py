"""One image of a job is one picture: whatever is drawn beside it, before it, or by whom."""

from pathlib import Path

import pytest

from tedigan.bulk.local_engine import run_local
from tedigan.bulk.prompt_table import Asked
from tedigan.bulk.replay import rows_of
from tedigan.bulk.running import run_job
from tedigan.exactness import sha256_tensor
from tedigan.workspace import Workspace
from tests.bulk.jobs import finished, job, pixels_of


@pytest.fixture(scope="module")
def quiet(untrained: Workspace, tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """The pixels of 20 images, drawn by one worker in shards of 4."""
    place = tmp_path_factory.mktemp("quiet")
    return pixels_of(finished(job(untrained, place / "jobs", place)))


@pytest.mark.parametrize("images_per_shard", [1, 3, 7, 100])
def test_the_size_of_a_shard_changes_no_pixel(
    untrained: Workspace, tmp_path: Path, quiet: dict[int, str], images_per_shard: int
) -> None:
    worker = job(untrained, tmp_path / "jobs", tmp_path, images_per_shard=images_per_shard)
    assert pixels_of(finished(worker)) == quiet
    assert len(quiet) == len(set(quiet.values())) == 20


def test_shards_of_100_and_of_1000_hold_the_same_pixels_after_a_resume_and_alone(
    untrained: Workspace, tmp_path: Path
) -> None:
    hundreds, thousands = (
        job(
            untrained,
            tmp_path / str(n),
            tmp_path / str(n),
            faces_per_prompt=275,
            images_per_shard=n,
        )
        for n in (100, 1000)
    )
    finished(hundreds, [4, 0])
    hundreds.ledger.cancel("tests")
    assert finished(hundreds).ledger.committed() == {0, 4}
    hundreds.ledger.resume()
    pixels = pixels_of(finished(hundreds))
    assert list(pixels) == list(range(1100))
    assert pixels_of(finished(thousands)) == pixels
    for image in (0, 517, 1099):
        (asked,) = thousands.asked(range(image, image + 1))
        face = thousands.painter.face(image, asked, attempt=0)
        assert sha256_tensor(face.pixels) == pixels[image]


def test_four_processes_draw_the_pixels_of_one(
    untrained: Workspace, tmp_path: Path, quiet: dict[int, str]
) -> None:
    worker = job(untrained, tmp_path / "jobs", tmp_path)
    assert run_job(worker, run_local, 4) == 0
    assert pixels_of(worker) == quiet


def test_an_image_alone_is_what_it_is_among_others(
    untrained: Workspace, tmp_path: Path, quiet: dict[int, str]
) -> None:
    worker = finished(job(untrained, tmp_path / "jobs", tmp_path))
    for row in list(rows_of(worker.ledger, worker.scratch))[::3]:
        face = worker.painter.face(row["image"], Asked(row["text"]), attempt=0)
        assert sha256_tensor(face.pixels) == quiet[row["image"]]


def test_shards_in_any_order_give_the_same_commits(untrained: Workspace, tmp_path: Path) -> None:
    one, other = (job(untrained, tmp_path / name, tmp_path / name) for name in ("a", "b"))
    list(one.work([0, 1, 2, 3, 4]))
    list(other.work([4, 2]))
    list(other.work([3, 0, 1]))
    assert list(one.ledger.commits()) == list(other.ledger.commits())


def test_a_face_that_lacks_something_is_drawn_again_and_the_better_one_is_kept(
    untrained: Workspace, tmp_path: Path, quiet: dict[int, str]
) -> None:
    first = finished(job(untrained, tmp_path / "a", tmp_path / "a"))
    again = finished(job(untrained, tmp_path / "b", tmp_path / "b", attempts=4))
    before = {row["image"]: row for row in rows_of(first.ledger, first.scratch)}
    after = {row["image"]: row for row in rows_of(again.ledger, again.scratch)}

    def lacking(row: dict) -> int:
        return len(row["lacks"].split(", ")) if row["lacks"] else 0

    assert any(lacking(row) for row in before.values())
    for image, row in after.items():
        assert lacking(row) <= lacking(before[image])
        if row["attempt"] == 0:
            assert row["pixels_sha256"] == quiet[image]
        else:
            assert lacking(row) < lacking(before[image])
    assert any(row["attempt"] for row in after.values())
    for image, row in after.items():
        face = again.painter.face(image, Asked(row["text"]), attempt=row["attempt"])
        assert list(face.lacks) == [one for one in row["lacks"].split(", ") if one]


def test_redrawn_faces_do_not_depend_on_the_shard_either(
    untrained: Workspace, tmp_path: Path
) -> None:
    few, many = (
        finished(
            job(untrained, tmp_path / str(n), tmp_path / str(n), attempts=3, images_per_shard=n)
        )
        for n in (3, 50)
    )
    assert pixels_of(few) == pixels_of(many)
