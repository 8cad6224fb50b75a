"""What is wrong with a picture is found, drawn again, kept as a reason, and planned again."""

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

from benchmarks.toy_jobs import toy_job
from tedigan.annotators.face_parts import has_face, shares_of
from tedigan.annotators.parser_network import FaceParser, ParserConfig
from tedigan.bulk.artists import FaceArtist
from tedigan.bulk.checks import NO_FACE, PARSER, TRAINING, Checks, open_checks
from tedigan.bulk.job_export import export
from tedigan.bulk.prompts import Prompt, read_prompts
from tedigan.bulk.redrive import write_redrive
from tedigan.bulk.repeats import REPEATS
from tedigan.bulk.replay import replay, rows_of
from tedigan.bulk.seal import seal, verify
from tedigan.dataset.folder import Dataset
from tedigan.errors import DataError, NumbersError
from tedigan.evaluation.training_photographs import TrainingPhotographs, write_training_photographs
from tedigan.store.model_folders import save_model
from tedigan.tensors import to_pixels
from tedigan.vocabulary.labels import LABEL_NAMES
from tedigan.workspace import Workspace
from tests.bulk.jobs import TEXTS, finished, job, pixels_of
from tests.stages.toy import toy_workspace

CPU = torch.device("cpu")


@dataclass(frozen=True)
class PoisonedArtist(FaceArtist):
    """One whose networks give no numbers for some texts."""

    def batch(self, images, asked, *, seed):
        if any(one.text == TEXTS[1] for one in asked):
            raise NumbersError("the search diverged. Lower its rate.")
        return super().batch(images, asked, seed=seed)


def test_a_poisoned_prompt_costs_its_own_images_and_no_other(
    untrained: Workspace, tmp_path: Path
) -> None:
    healthy = finished(job(untrained, tmp_path / "a", tmp_path / "a"))
    worker = job(untrained, tmp_path / "b", tmp_path / "b", seed=1)
    poisoned = replace(worker.painter, artist=PoisonedArtist(worker.painter.artist.maker))
    vars(worker)["painter"] = poisoned
    finished(worker)
    rows = {row["image"]: row for row in rows_of(worker.ledger, worker.scratch)}
    failed = {image for image, row in rows.items() if row["failed"]}
    assert failed == {5, 6, 7, 8, 9}
    assert "the search diverged" in rows[7]["failed"]
    healthy_pixels = pixels_of(healthy)
    assert {image: rows[image]["pixels_sha256"] for image in rows.keys() - failed} == {
        image: digest for image, digest in healthy_pixels.items() if image not in failed
    }
    manifest = seal(worker.ledger)
    assert (manifest["num_images"], manifest["num_failed"]) == (20, 5)
    assert verify(worker.ledger, tmp_path / "cache").problems == []
    with pytest.raises(DataError, match=r"image 7 cannot be compared.*diverged"):
        replay(worker, 7)


def test_what_failed_is_listed_to_be_planned_again(untrained: Workspace, tmp_path: Path) -> None:
    worker = job(untrained, tmp_path / "jobs", tmp_path)
    vars(worker)["painter"] = replace(
        worker.painter, artist=PoisonedArtist(worker.painter.artist.maker)
    )
    finished(worker)
    assert write_redrive(worker, tmp_path / "again.csv", marked=False) == 5
    rows = read_prompts("again.csv", root=tmp_path, cache=tmp_path)
    assert list(rows) == [Prompt(row, TEXTS[1]) for row in range(1, 6)]
    marked = sum(commit.num_marked for commit in worker.ledger.commits())
    assert write_redrive(worker, tmp_path / "more.csv", marked=True) == 5 + marked > 5
    reasons = {row["reason"] for row in csv.DictReader((tmp_path / "more.csv").open())}
    assert "the search diverged. Lower its rate." in reasons
    assert any(reason.startswith("lacks ") for reason in reasons)


def test_pictures_that_look_the_same_are_named_when_the_job_is_sealed(tmp_path: Path) -> None:
    worker = toy_job(tmp_path / "jobs", tmp_path, num_images=9, images_per_shard=2)
    vars(worker)["painter"] = RepeatingPainter(worker.painter)
    list(worker.work(range(5)))
    assert seal(worker.ledger)["num_repeats"] == 2
    found = pq.read_table(Path(worker.job) / REPEATS).to_pydict()
    assert found == {"image": [5, 7], "repeats": [1, 1]}
    assert write_redrive(worker, tmp_path / "again.csv", marked=False) == 0
    assert write_redrive(worker, tmp_path / "again.csv", marked=True) == 2
    assert "Face 6.,repeats image 1" in (tmp_path / "again.csv").read_text()
    export(worker.ledger, tmp_path / "unmarked", layout="pictures", only_unmarked=True)
    files = {path.stem for path in (tmp_path / "unmarked").rglob("*.png")}
    assert files == {f"{image:06d}" for image in range(9) if image not in (5, 7)}


@dataclass(frozen=True)
class RepeatingPainter:
    """Images 5 and 7 are image 1 again."""

    painter: object

    def faces(self, images, asked):
        for faces in self.painter.faces(images, asked):
            for face in faces:
                if face.image in (5, 7):
                    (same,) = next(self.painter.faces(range(1, 2), [face.asked]))
                    face = replace(face, pixels=same.pixels)
                yield [face]


def test_a_face_is_found_where_its_parts_are() -> None:
    names = ("skin", "nose", "mouth", "l_eye")
    labels = torch.zeros(20, 20, dtype=torch.uint8)
    labels[:5] = LABEL_NAMES.index("skin")
    for row, name in enumerate(names[1:], start=6):
        labels[row, :4] = LABEL_NAMES.index(name)
    assert has_face(shares_of(labels))
    for name in names:
        without = torch.where(labels == LABEL_NAMES.index(name), 0, labels)
        assert not has_face(shares_of(without))


def draft_with_parser(draft: Path) -> None:
    network = FaceParser(ParserConfig(input_px=16, base_channels=4))
    config = network.config.to_json()
    save_model(draft / PARSER, {"parser": network}, config, card="A parser.")


def test_pictures_without_a_face_are_marked_by_the_jobs_own_parser(
    untrained: Workspace, tmp_path: Path
) -> None:
    draft_with_parser(tmp_path)
    names = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")]
    checks = open_checks(names, tmp_path.joinpath, CPU)
    worker = job(untrained, tmp_path / "jobs", tmp_path / "scratch")
    vars(worker)["painter"] = replace(worker.painter, checks=checks)
    rows = list(rows_of(finished(worker).ledger, worker.scratch))
    for row in rows:
        assert 0 <= row["face_share"] <= 1
        assert row["faults"] in ([], [NO_FACE])
    assert any(row["faults"] for row in rows)
    plain = job(untrained, tmp_path / "plain", tmp_path / "plain-scratch")
    assert pixels_of(worker) == pixels_of(finished(plain))
    assert all(row["face_share"] is None for row in rows_of(plain.ledger, plain.scratch))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root = tmp_path_factory.mktemp("data")
    workspace = toy_workspace(root, num_images=600)
    return Dataset.open(workspace.dataset)


def test_a_copy_of_a_training_photograph_is_found_and_a_stranger_is_not(
    dataset: Dataset, tmp_path: Path
) -> None:
    write_training_photographs(dataset, tmp_path / TRAINING)
    found = TrainingPhotographs.load(tmp_path / TRAINING)
    train = dataset.split("train")[:40]
    pixels = dataset.pixels(train)
    noise = 6 * torch.randn(pixels.shape, generator=torch.Generator().manual_seed(0))
    noisy = (pixels.float() + noise).clamp(0, 255).to(torch.uint8)
    for copies in (pixels, pixels.flip(3), noisy):
        nearest = found.nearest(copies)
        assert [name for name, _ in nearest] == [str(id) for id in train]
        assert all(similarity > found.limit for _, similarity in nearest)
    strangers = dataset.pixels(dataset.split("val"))
    near = [similarity > found.limit for _, similarity in found.nearest(strangers)]
    assert sum(near) <= 0.02 * len(near)
    checks = Checks(training=found)
    assert checks.look(pixels)[3].faults == (f"near a training photograph ({train[3]})",)
    grey = to_pixels(torch.zeros(1, 3, 16, 16))
    assert checks.look(grey)[0].faults == ()


def test_a_data_set_without_strangers_cannot_say_how_near_is_too_near(
    untrained: Workspace, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="expected at least 100"):
        write_training_photographs(Dataset.open(untrained.dataset), tmp_path / "training")


def test_a_face_that_fails_a_check_is_drawn_again(untrained: Workspace, tmp_path: Path) -> None:
    def drawn(name: str, attempts: int) -> list[dict]:
        worker = job(untrained, tmp_path / name, tmp_path / name, attempts=attempts)
        checks = Checks(training=TrainingPhotographs(["a"], torch.ones(1, 768) / 768**0.5, -1.0))
        vars(worker)["painter"] = replace(worker.painter, guide=None, checks=checks)
        return list(rows_of(finished(worker).ledger, worker.scratch))

    assert all(row["faults"] and row["attempt"] == 0 for row in drawn("once", 1))
    assert all(
        row["faults"] and row["attempt"] == 0 for row in drawn("thrice", 3)
    )  # none is better


def test_a_text_at_less_than_its_strength_is_not_looked_for(
    untrained: Workspace, tmp_path: Path
) -> None:
    painter = job(untrained, tmp_path / "jobs", tmp_path).painter
    reading = painter.read("He is smiling.")
    name = next(iter(reading.wishes))
    assert painter._lacks(reading, 1.0, {name: False}) == (name,)
    assert painter._lacks(reading, 1.0, {name: True}) == ()
    assert painter._lacks(reading, 0.5, {name: False}) == ()
    assert painter._lacks(reading, -1.0, {name: False}) == ()
    assert painter._lacks(reading, -1.0, {name: True}) == (f"not {name}",)
