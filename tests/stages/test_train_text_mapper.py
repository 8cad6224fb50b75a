"""The stage that teaches the text mapper, or adopts its reader."""

from pathlib import Path

import pytest
import torch

from tedigan.captions.grammar_files import load_grammar
from tedigan.errors import WeightsError
from tedigan.models.opening import load_mover, load_text_reader
from tedigan.stages import train_text_mapper
from tedigan.store.model_folders import load_tensors
from tedigan.training.text_mapper_trainer import names_of
from tests.contracts.closure import CHECKOUT
from tests.stages.small import NAMES, small_workspace, write_models

CPU = torch.device("cpu")
SHIPPED = CHECKOUT / "assets/text-reader"


def test_it_teaches_a_reader_of_the_grammar_and_a_mover_of_the_guides_attributes(
    tmp_path: Path,
) -> None:
    workspace = small_workspace(tmp_path)
    write_models(workspace)
    outcome = train_text_mapper.run(workspace)
    folder = workspace.model("text_mapper")
    assert load_text_reader(folder, CPU).config.attribute_names == names_of(load_grammar())
    mover = load_mover(folder, CPU)
    assert mover.config.attribute_names == NAMES
    assert bool(mover.out.weight.any())
    assert set(outcome.metrics) == {
        f"{what}_{of}" for what in ("objective", "reached") for of in ("start", "search", "mover")
    }


def test_a_reader_is_adopted_as_it_is(tmp_path: Path) -> None:
    workspace = small_workspace(tmp_path, train_text_mapper={"reader": str(SHIPPED)})
    write_models(workspace)
    train_text_mapper.run(workspace)
    places = [one / "text_reader.safetensors" for one in (SHIPPED, workspace.model("text_mapper"))]
    shipped, adopted = map(load_tensors, places)
    assert shipped.keys() == adopted.keys()
    assert all(torch.equal(adopted[name], shipped[name].float()) for name in shipped)


def test_another_models_folder_is_refused(tmp_path: Path) -> None:
    workspace = small_workspace(tmp_path, train_text_mapper={"reader": "models/text_encoder"})
    write_models(workspace)
    with pytest.raises(WeightsError, match="the stage train_text_mapper wrote"):
        train_text_mapper.run(workspace)
