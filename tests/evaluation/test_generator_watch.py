"""A generator that is looked at while it trains: when, what is left, and that nothing of the training changes."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.errors import ParamsError
from tedigan.evaluation.distances import frechet_distance
from tedigan.evaluation.generator_watch import GeneratorWatch, WatchSettings, lookout_of
from tedigan.stages import train_generator
from tedigan.store.files import sha256_tree
from tedigan.tensors import sample_z, to_images, to_pixels
from tedigan.training import ranks
from tedigan.training.adversarial import AdversarialTrainer
from tedigan.training.loop import Lookout, Loop
from tedigan.workspace import Workspace
from tests.generator.nets import tiny_generator
from tests.generator.test_training import trainer_of
from tests.stages.small import small_workspace

WATCHED = {"total_nimg": 32, "watch_every": 12, "watch_faces": 20, "sheet_faces": 8}


class MeanColour:
    """Features that a hand can follow."""

    name = "mean_colour"

    def __call__(self, images: Tensor) -> Tensor:
        return images.mean(dim=[2, 3]).cpu()


@pytest.fixture(scope="module")
def watched(tmp_path_factory) -> Workspace:
    workspace = small_workspace(tmp_path_factory.mktemp("watched"), train_generator=WATCHED)
    train_generator.run(workspace)
    return workspace


def lines(workspace: Workspace) -> list[dict[str, float]]:
    text = (workspace.work / "stats" / "train_generator.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_sheets_and_distances_come_by_the_number_of_images_and_at_the_end(watched) -> None:
    (training,) = (watched.work / "sheets" / "train_generator").iterdir()
    sheets = sorted(training.iterdir())
    assert [one.name for one in sheets] == [f"{n:09d}.webp" for n in (12, 24, 32)]
    assert Image.open(sheets[0]).size == (8 * 32 + 7 * 2, 32)  # two pixels between them
    name = "frechet_distance_efficientnet_lite0_128px_n20"
    seen = {line["step"]: line[name] for line in lines(watched) if name in line}
    assert list(seen) == [2, 5, 7]
    assert all(value > 0 for value in seen.values())


def test_a_training_that_is_looked_at_makes_the_same_bytes(watched, tmp_path) -> None:
    alone = small_workspace(tmp_path, train_generator=WATCHED | {"watch_every": 0})
    train_generator.run(alone)
    assert sha256_tree(alone.model("generator")) == sha256_tree(watched.model("generator"))
    assert not (alone.work / "sheets").exists()


def test_the_distance_is_of_untruncated_faces_and_the_first_photographs(watched, tmp_path) -> None:
    data, generator = Dataset.open(watched.dataset), tiny_generator()
    watch = GeneratorWatch(generator, MeanColour(), data, 10, tmp_path, 4)
    photographs = MeanColour()(to_images(data.pixels(data.split("train")[:10])))
    with torch.no_grad():
        faces = generator(sample_z(1, list(range(10)), generator.config.z_dim))
    expected = frechet_distance(MeanColour()(to_images(to_pixels(faces))), photographs)
    assert watch.look(7) == {"frechet_distance_mean_colour_n10": pytest.approx(expected)}


def test_without_faces_to_measure_there_is_the_sheet_alone(watched, tmp_path: Path) -> None:
    data = Dataset.open(watched.dataset)
    watch = GeneratorWatch(tiny_generator(), None, data, 0, tmp_path, 4)
    assert watch.look(1000) == {}
    assert [one.name for one in tmp_path.iterdir()] == ["000001000.webp"]


def test_it_looks_after_whole_steps_and_counts_what_an_init_had_seen(watched, tmp_path) -> None:
    data = Dataset.open(watched.dataset)
    trainer = trainer_of(images_seen_before=1000)
    lookout = lookout_of(trainer, data, WatchSettings(3, 0, 4, 8), tmp_path)
    assert lookout is not None
    assert lookout.every == 1
    lookout.look(2)
    (sheet,) = tmp_path.iterdir()
    assert sheet.name == "000001016.webp"
    assert lookout_of(trainer, data, WatchSettings(0, 0, 4, 8), tmp_path) is None


def test_what_is_shown_or_not_read_does_not_keep_a_checkpoint_from_being_gone_on_with(
    tmp_path, monkeypatch
) -> None:
    step = AdversarialTrainer.step

    def cut(self, *given, index):
        if index == 5:
            raise KeyboardInterrupt
        return step(self, *given, index=index)

    workspace = small_workspace(tmp_path, train_generator=WATCHED)
    with monkeypatch.context() as patch:
        patch.setattr(AdversarialTrainer, "step", cut)
        with pytest.raises(KeyboardInterrupt):
            train_generator.run(workspace)
    changes = {"watch_every": 4, "watch_faces": 0, "sheet_faces": 4, "num_fp16_res": 1}  # in fp32
    section = workspace.params.train_generator.model_copy(update=changes)
    params = workspace.params.model_copy(update={"train_generator": section})
    assert train_generator.run(Workspace(tmp_path, params)).resumed_from_step == 4


def test_a_look_that_fails_comes_after_a_checkpoint(tmp_path: Path) -> None:
    def look(done: int) -> dict[str, float]:
        raise OSError("the disk is full")

    loop = Loop("toy", work=tmp_path, depends_on={}, inputs=[], every=1000)
    with pytest.raises(OSError, match="full"):
        loop.run({}, lambda _: {"loss": 0.0}, num_steps=9, lookout=Lookout(4, look))
    state = loop.checkpoint.load()
    assert state is not None
    assert state["step"] == 4


def test_the_first_rank_alone_looks_and_nothing_seen_is_nothing_said(tmp_path, monkeypatch) -> None:
    looked = list[int]()

    def look(done: int) -> dict[str, float]:
        looked.append(done)
        return {}

    def loop() -> Loop:
        return Loop("toy", work=tmp_path, depends_on={}, inputs=[], every=1000)

    def step(_: int) -> dict[str, float]:
        return {"loss": 0.0}

    loop().run({}, step, num_steps=9, lookout=Lookout(4, look))
    assert looked == [4, 8, 9]
    lines = (tmp_path / "stats" / "toy.jsonl").read_text().splitlines()
    assert all("loss" in json.loads(line) for line in lines)
    loop().checkpoint.remove()
    monkeypatch.setattr(ranks, "is_first", lambda: False)
    with pytest.raises(SystemExit):
        loop().run({}, step, num_steps=9, lookout=Lookout(4, look))
    assert looked == [4, 8, 9]


def test_one_face_has_no_spread(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"watch_faces: .*at least 2 faces"):
        small_workspace(tmp_path, train_generator=WATCHED | {"watch_faces": 1})
