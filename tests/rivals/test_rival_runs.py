"""Rivals trained on a drawn data set by the command, opened again, and drawn from in a protocol's form."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tedigan.__main__ import main
from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.reader import Reader
from tedigan.comparison.comparison_protocol import ComparisonProtocol
from tedigan.comparison.drawing import draw_rival, places_of
from tedigan.comparison.method_folder import MethodFolder
from tedigan.dataset.folder import Dataset
from tedigan.errors import DataError, WeightsError
from tedigan.models.verification import verify_folder
from tedigan.rivals.rival_folder import OpenedRival
from tedigan.rivals.rival_trainer import RivalLessons
from tedigan.rivals.training_run import RivalSettings, TrainingRun
from tedigan.store import pictures
from tedigan.store.files import sha256_file, sha256_tree
from tests.stages.toy import toy_workspace

CPU = torch.device("cpu")
SMALL = {"dfgan": {"nf": 2}, "manigan": {"gf": 4, "df": 4, "num_residual": 1}}
SETTINGS = RivalSettings(
    encoder_steps=2, encoder_batch=4, steps=3, batch_size=4, seed=1, checkpoint_every=2, numbers=SMALL
)  # fmt: skip


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return toy_workspace(tmp_path_factory.mktemp("rivals"), num_images=40)


def training(workspace, folder: Path, work: Path) -> TrainingRun:
    reader = Reader(load_grammar(workspace.grammar))
    return TrainingRun(Dataset.open(workspace.dataset), reader, SETTINGS, folder, work, CPU)


@pytest.fixture(scope="module")
def trained(workspace, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    training(workspace, folder / "rivals", folder / "work").run(["dfgan", "manigan"])
    return folder / "rivals"


@pytest.fixture(scope="module")
def protocol(workspace) -> ComparisonProtocol:
    data = Dataset.open(workspace.dataset)
    ids = tuple(data.split("train")[:3])
    return ComparisonProtocol(
        name="toy", split="train", ids=ids, captions=tuple(data.captions(id)[0] for id in ids),
        dataset=sha256_file(data.folder / "index.parquet"), grammar="", referee="", features="", distance="",
        size_px=64, num_reference=2, variety_prompts=1, variety_faces=3, num_distractors=2, num_kept=10, seed=4,
    )  # fmt: skip


def test_a_training_that_was_cut_ends_with_the_same_bytes(
    workspace, trained, tmp_path, monkeypatch
):
    run = training(workspace, tmp_path / "rivals", tmp_path / "work")
    torch.manual_seed(99)  # whatever else drew from torch's own stream before

    step = RivalLessons.step

    def cut(self, index):
        if index == 2:
            raise KeyboardInterrupt
        return step(self, index)

    monkeypatch.setattr(RivalLessons, "step", cut)
    with pytest.raises(KeyboardInterrupt):
        run.run(["dfgan"])
    monkeypatch.setattr(RivalLessons, "step", step)
    run.run(["dfgan"])
    assert sha256_tree(tmp_path / "rivals/dfgan") == sha256_tree(trained / "dfgan")


def test_a_checkpoint_of_other_code_is_not_gone_on_from(workspace, tmp_path):
    run = training(workspace, tmp_path / "rivals", tmp_path / "work")
    runs = [replace(run, code=code) for code in ("one", "other")]
    assert len({one._loop("dfgan", {}, 4).checkpoint.path for one in runs}) == 2


def test_what_is_there_already_is_left_as_it_is(workspace, trained, tmp_path, monkeypatch):
    before = sha256_tree(trained)
    monkeypatch.setattr("tedigan.rivals.training_run.train_rival", None)
    training(workspace, trained, tmp_path / "work").run(["dfgan", "manigan"])
    assert sha256_tree(trained) == before


def test_a_rivals_folder_is_whole_and_says_what_it_was_trained_on(trained):
    assert verify_folder(trained / "manigan") == ["G_ema", "regions", "words"]
    assert verify_folder(trained / "dfgan") == ["G_ema", "words"]
    config = json.loads((trained / "dfgan/config.json").read_text())
    assert config["training"]["images_seen"] == 12
    assert "- Licence: toy\n" in (trained / "dfgan/README.md").read_text()


def test_a_rival_is_drawn_in_the_form_that_the_judges_take(trained, protocol, tmp_path):
    rival = OpenedRival.open(trained / "dfgan", CPU)
    assert draw_rival(tmp_path / "faces", rival, protocol) == 5
    found = MethodFolder.open("dfgan", tmp_path / "faces", num_prompts=3, size_px=64)
    assert sorted(found.places) == sorted(places_of(protocol))
    draw_rival(tmp_path / "again", rival, protocol)
    assert sha256_tree(tmp_path / "again") == sha256_tree(tmp_path / "faces")
    variants = found.variants(1, 3)
    assert variants is not None
    assert not torch.equal(variants[0, 0], variants[0, 1])


def test_an_editor_is_given_the_photograph_of_the_prompt_before(
    workspace, trained, protocol, tmp_path, monkeypatch
):
    data = Dataset.open(workspace.dataset)
    rival = OpenedRival.open(trained / "manigan", CPU)
    monkeypatch.setattr(type(rival.rival), "draw", lambda self, text, z, photographs: photographs)
    draw_rival(tmp_path / "edits", rival, protocol, data)
    for prompt in range(3):
        face = pictures.load(tmp_path / "edits" / f"{prompt:05d}.png")
        assert torch.equal(face, pictures.resize(data.pixels([protocol.ids[prompt - 1]])[0], 64))


def test_an_editor_edits_and_needs_the_protocols_photographs(
    workspace, trained, protocol, tmp_path
):
    rival = OpenedRival.open(trained / "manigan", CPU)
    with pytest.raises(DataError, match="Name the workspace"):
        draw_rival(tmp_path / "edits", rival, protocol)
    assert draw_rival(tmp_path / "edits", rival, protocol, Dataset.open(workspace.dataset)) == 5


def test_another_kind_of_model_is_refused_as_a_rival(trained):
    with pytest.raises(WeightsError, match="encoders_of_rivals, expected rival"):
        OpenedRival.open(trained / "encoders", CPU)


def test_the_command_trains_a_rival_and_draws_by_it(workspace, protocol, tmp_path, capsys):
    place = ["--workspace", str(workspace.root)]
    short = ["--encoder-steps", "1", "--encoder-batch", "2", "--steps", "1", "--batch-size", "2"]
    folder, plan = str(tmp_path / "rivals"), tmp_path / "protocol.json"
    assert main(["compare", "train", folder, "--methods", "dfgan", *short, *place]) == 0
    protocol.write(plan)
    drawn = [str(plan), str(tmp_path / "faces"), "--rival", f"{folder}/dfgan"]
    assert main(["compare", "draw", *drawn, *place]) == 0
    assert len([*(tmp_path / "faces").iterdir()]) == 5
    assert main(["compare", "train", folder, "--methods", "biggan", *short, *place]) == 1
    assert "train_rivals.methods.0: Input should be 'attngan'" in capsys.readouterr().err
