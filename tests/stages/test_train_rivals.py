"""The stage of the rivals: none unless they are named, and a kill costs no rival that is finished."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import get_args

import pytest
import torch

from tedigan.__main__ import _parser
from tedigan.commands.compare_command import _section
from tedigan.errors import ParamsError
from tedigan.models.verification import verify_folder
from tedigan.params import told
from tedigan.rivals import training_run
from tedigan.rivals.attngan import AttnGan
from tedigan.rivals.dfgan import DfGan
from tedigan.rivals.methods import METHODS
from tedigan.rivals.rival_folder import OpenedRival
from tedigan.rivals.training_run import RivalSettings
from tedigan.stages import train_rivals
from tedigan.store.files import sha256_tree
from tedigan.training_sections import RivalMethod, TrainRivals
from tedigan.workspace import Workspace
from tests.stages.toy import toy_workspace

TINY = {"encoder_steps": 2, "encoder_batch": 2, "steps": 3, "batch_size": 2, "checkpoint_every": 1}

NETS = {"dfgan": {"nf": 2}, "attngan": {"gf": 4, "df": 4}}


def workspace_of(root: Path, *methods: str) -> Workspace:
    root.mkdir()
    return toy_workspace(root, num_images=40, train_rivals=TINY | {"methods": [*methods]})


@pytest.fixture(autouse=True, scope="module")
def _tiny_nets() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_rivals, "RivalSettings", partial(RivalSettings, numbers=NETS))
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    workspace = workspace_of(tmp_path_factory.mktemp("rivals") / "whole", "dfgan", "attngan")
    return workspace, train_rivals.run(workspace)


def test_those_that_are_named_stand_in_folders_of_their_own(trained):
    workspace, _ = trained
    folder = workspace.model("rivals")
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "attngan", "dfgan"]
    assert verify_folder(folder / "dfgan") == ["G_ema", "words"]
    assert OpenedRival.open(folder / "attngan", torch.device("cpu")).rival.name == "attngan"


def test_each_ones_last_losses_are_told_apart(trained):
    _, outcome = trained
    assert {"dfgan_loss_d", "dfgan_loss_g"} <= {*outcome.metrics}
    assert {name.partition("_")[0] for name in outcome.metrics} == {"dfgan", "attngan"}
    assert outcome.resumed_from_step is None


def test_nothing_is_left_of_what_was_under_way(trained):
    workspace, _ = trained
    assert not (workspace.work / "rivals").exists()
    assert not [*(workspace.work / "checkpoints").rglob("*.pt")]


def test_one_that_was_killed_goes_on_to_the_same_bytes_and_trains_no_finished_rival_again(
    trained, tmp_path, monkeypatch
):
    workspace, step = workspace_of(tmp_path / "cut", "dfgan", "attngan"), AttnGan.step
    calls: list[str] = []

    def cut(self: AttnGan, *given: object) -> dict[str, torch.Tensor]:
        calls.append("step")
        if len(calls) == 3:
            raise KeyboardInterrupt
        return step(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(AttnGan, "step", cut)
        with pytest.raises(KeyboardInterrupt):
            train_rivals.run(workspace)
    shutil.rmtree(workspace.model("rivals"), ignore_errors=True)  # as `dvc repro` does
    monkeypatch.setattr(DfGan, "step", None)
    assert train_rivals.run(workspace).resumed_from_step == 2
    whole, _ = trained
    assert sha256_tree(workspace.model("rivals")) == sha256_tree(whole.model("rivals"))


def test_a_rival_that_other_code_finished_is_trained_again(tmp_path, monkeypatch):
    workspace, step = workspace_of(tmp_path / "code", "dfgan", "attngan"), AttnGan.step
    with monkeypatch.context() as patch:
        patch.setattr(AttnGan, "step", None)  # after DF-GAN is whole
        with pytest.raises(TypeError):
            train_rivals.run(workspace)
    taught = list[int]()
    dfgan = DfGan.step
    monkeypatch.setattr(DfGan, "step", lambda *given: taught.append(1) or dfgan(*given))
    monkeypatch.setattr(train_rivals, "digest_of_stage", lambda _: "f" * 64)
    monkeypatch.setattr(AttnGan, "step", step)
    train_rivals.run(workspace)
    assert len(taught) == TINY["steps"]


def test_without_a_name_nothing_is_trained_and_the_card_says_how_to_ask(tmp_path, monkeypatch):
    monkeypatch.setattr(training_run, "Captioned", None)
    workspace = workspace_of(tmp_path / "none")
    assert train_rivals.run(workspace).metrics == {}
    (card,) = workspace.model("rivals").iterdir()
    assert "`train_rivals.methods` of params.yaml is empty" in card.read_text()


def test_a_method_that_is_no_rival_is_refused_by_name(tmp_path):
    with pytest.raises(
        ParamsError, match=r"train_rivals\.methods\.1: Input should be 'attngan', .*'biggan'"
    ):
        workspace_of(tmp_path / "unknown", "dfgan", "biggan")
    with pytest.raises(ParamsError, match=r"train_rivals\.methods: .* each method once"):
        workspace_of(tmp_path / "twice", "dfgan", "dfgan")


def test_the_section_knows_every_method():
    assert {*get_args(RivalMethod)} == {*METHODS}


def test_what_is_given_to_the_command_stands_over_the_section_and_is_held_to_it(trained):
    section = trained[0].params.train_rivals
    assert told(section, {"steps": 9, "seed": None}, name="train_rivals") == section.model_copy(
        update={"steps": 9}
    )
    with pytest.raises(ParamsError, match=r"train_rivals\.steps: Input should be greater than"):
        told(section, {"steps": 0}, name="train_rivals")


def test_the_command_trains_as_the_section_says_where_it_is_not_told(trained, tmp_path):
    def section_of(workspace: Workspace, *options: str) -> TrainRivals:
        given = ["compare", "train", "FOLDER", "--workspace", str(workspace.root), *options]
        return _section(_parser(given).parse_args(given))

    workspace, _ = trained
    own = workspace.params.train_rivals
    assert section_of(workspace) == own
    assert section_of(workspace, "--methods", "manigan", "--seed", "7") == own.model_copy(
        update={"methods": ["manigan"], "seed": 7}
    )
    assert section_of(workspace_of(tmp_path / "none")).methods == [*METHODS]
