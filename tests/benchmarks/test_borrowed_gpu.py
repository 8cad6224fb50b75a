"""The command for a borrowed GPU: what it leaves when time ends, and what its training starts from."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import gpu, gpu_training
from tedigan.dataset.folder import Dataset
from tedigan.models.opening import load_generator
from tests.generator.nets import TINY, tiny_discriminator, tiny_generator
from tests.stages.small import small_workspace

SIZE = TINY.img_resolution


def of_the_command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu", *map(str, arguments)])
    gpu.main()


def test_a_step_without_time_is_named_and_the_outcomes_are_kept(
    tmp_path: Path, monkeypatch
) -> None:
    of_the_command(monkeypatch, tmp_path / "out", "--hours", 0, "--device", "cpu")
    _, *outcomes = json.loads((tmp_path / "out" / "outcomes.json").read_text())
    assert outcomes == [{name: "no time was left"} for name in gpu.NAMES]


def test_a_step_that_fails_does_not_stop_the_next(tmp_path: Path, monkeypatch) -> None:
    def failing(out: Path, left: float) -> str:
        raise OSError("no such device")

    monkeypatch.setattr(gpu, "_tests", failing)
    of_the_command(
        monkeypatch, tmp_path, "--hours", 1, "--device", "cpu", "--only", "tests", "training"
    )
    _, tests, training = json.loads((tmp_path / "outcomes.json").read_text())
    assert tests["tests"].startswith("failed: no such device")
    assert training["training"].startswith("no --pack, no training")


@pytest.fixture
def photographs(tmp_path: Path) -> tuple[Dataset, Path]:
    data = Dataset.open(small_workspace(tmp_path).dataset)
    gpu_training.pack(data.folder, tmp_path / "pack.npz")
    return data, tmp_path / "pack.npz"


def test_a_pack_holds_the_train_split_and_nothing_of_another(photographs) -> None:
    data, path = photographs
    unpacked, own = gpu_training.unpack(path), data.pixels(data.split("train"))
    assert unpacked.shape == own.shape
    assert (unpacked.int() - own.int()).abs().float().mean() < 6


def test_training_ends_in_a_generator_that_opens_and_went_on(photographs, tmp_path: Path) -> None:
    _, path = photographs
    unpacked = gpu_training.unpack(path)
    trainer = gpu_training.AdversarialTrainer(
        tiny_generator().requires_grad_(True),
        tiny_discriminator(),
        None,
        gpu_training.SETTINGS,
        images_seen_before=100,
    )
    unpacked = unpacked[:, :, :SIZE, :SIZE]
    before = trainer.G.mapping.w_avg.clone()
    run = gpu_training.Run(trainer, None, unpacked, "toy", 2, tmp_path / "out")
    run.train(deadline=0)
    made = load_generator(tmp_path / "out", torch.device("cpu"))
    assert not np.allclose(made.mapping.w_avg, before)
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["training"]["images_seen"] == 102
    assert config["training"]["licence"] == "toy"
    assert (tmp_path / "out" / "log.csv").read_text().splitlines()[1].startswith("102,")
