"""The command for a borrowed GPU: what it leaves when time ends, and what its training starts from."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import gpu, gpu_training
from benchmarks.convolutions import gflop_per_image
from benchmarks.pairing import Cell
from benchmarks.photo_pack import encoded
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


def cell(name: str, what: str, *options: str) -> Cell:
    """A process of some ms: timeit runs `what`, a line an argument, of which the options are a string."""
    return Cell(name, ["timeit", "-n1", "-r1", what, "'''", *options, "'''"])


def says(**numbers: object) -> str:
    return f"print('RESULT ' + {json.dumps(json.dumps(numbers))})"


def measured(out: Path, monkeypatch: pytest.MonkeyPatch, *cells: Cell) -> dict[str, Any]:
    monkeypatch.setitem(gpu.CELLS, "synthesis", lambda _: cells)
    of_the_command(
        monkeypatch, out, "--hours", 1, "--device", "cpu", "--only", "synthesis", "steps"
    )
    found: dict[str, Any] = json.loads((out / "synthesis.json").read_text())
    return found


@pytest.fixture
def _no_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gpu.CELLS, "steps", lambda _: [])


@pytest.mark.usefixtures("_no_steps")
def test_a_cell_that_fails_or_hangs_is_named_and_the_next_is_measured(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(gpu, "_at_most", lambda left: 3.0)
    cells = [
        cell("wrong", "raise SystemExit('refused by its gate')"),
        cell("hung", "import time; time.sleep(900)"),
        cell("good", says(images=2, wall_s=[0.5])),
    ]
    found = measured(tmp_path, monkeypatch, *cells)
    assert found["table"][2:] == ["| good | 4.0 images/s |"]
    assert "refused by its gate" in found["failed"]["wrong"]
    assert "hung took more than 3 s and was ended" in found["failed"]["hung"]
    (_, synthesis, _) = json.loads((tmp_path / "outcomes.json").read_text())
    assert synthesis["synthesis"].startswith("1 of 3 cells, 2 failed")


@pytest.mark.usefixtures("_no_steps")
def test_what_is_drawn_has_its_share_of_the_peak_in_its_precision(
    tmp_path: Path, monkeypatch
) -> None:
    """8 px of two channels are 0.0000126 GFLOP an image."""
    sizes = ["--resolution", "8", "--channel-base", "16", "--precision", "bf16"]
    cells = [
        cell("convolution peak, bf16", says(images=1, gflops=2.0)),
        cell("8 px, bf16", says(images=1000, wall_s=[0.1]), *sizes),
        cell("8 px, fp32", says(images=1000, wall_s=[0.1]), *sizes[:-1], "fp32"),
    ]
    share = 10_000 * gflop_per_image(8, 16) / 2.0
    assert measured(tmp_path, monkeypatch, *cells)["table"][2:] == [
        "| convolution peak, bf16 | 2 GFLOP/s |",
        f"| 8 px, bf16 | 10000.0 images/s, {share:.0%} of the peak |",
        "| 8 px, fp32 | 10000.0 images/s |",
    ]


def test_one_process_of_several_has_half_of_the_time_or_a_minute() -> None:
    assert [gpu._at_most(left) for left in (1000.0, 100.0, 30.0)] == [500.0, 60.0, 30.0]


def test_what_a_process_said_before_it_was_ended_is_kept(tmp_path: Path) -> None:
    said = "import time; print('so far', flush=True); time.sleep(900)"
    with pytest.raises(subprocess.TimeoutExpired):
        gpu._run(["timeit", "-n1", "-r1", said], tmp_path / "said.txt", 3.0)
    assert (tmp_path / "said.txt").read_text() == "so far\n"
    failing = ["timeit", "-n1", "-r1", "raise ValueError('no GPU')"]
    assert gpu._run(failing, tmp_path / "x.txt", 60.0) == "failed: ValueError: no GPU"


def test_a_pack_that_is_not_there_or_of_another_size_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch
) -> None:
    path = tmp_path / "pack.npz"
    with pytest.raises(SystemExit, match=r"pack\.npz"):
        of_the_command(monkeypatch, tmp_path / "out", "--pack", path, "--device", "cpu")
    np.savez(path, **encoded([torch.zeros(3, 128, 128, dtype=torch.uint8)]))
    with pytest.raises(SystemExit, match="makes 64 px, but the data set has 128 px"):
        of_the_command(monkeypatch, tmp_path / "out", "--pack", path, "--device", "cpu")
    assert not (tmp_path / "out").exists()
    gpu._check(gpu.Settings("cpu", tiny=False, pack=path, init=Path("none")))


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
