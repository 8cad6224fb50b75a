"""The models that come along are whole, small, and say what they were made of."""

from pathlib import Path

import pytest
import torch

from tedigan.annotators.parser import load_parser
from tedigan.annotators.tagger import load_tagger
from tedigan.models.verification import verify_folder
from tedigan.store.model_folders import read_config
from tedigan.tensors import stream

ASSETS = Path(__file__).parents[2] / "assets"
FOLDERS = sorted(path.parent for path in ASSETS.rglob("config.json"))
TABLES = sorted(path.parent for path in ASSETS.rglob("layers.json"))
CPU = torch.device("cpu")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ASSETS)))
def test_a_model_is_whole_and_says_what_it_is_and_how_it_was_taught(folder: Path) -> None:
    assert verify_folder(folder)
    card = (folder / "README.md").read_text()
    assert "- Licence: " in card
    assert ("non-commercial" in card) == ("celebahq" in str(folder.relative_to(ASSETS)))
    log = folder / "log.csv"  # or else the settings alone
    assert log.read_text().startswith("step,") if log.exists() else read_config(folder)["training"]


@pytest.mark.parametrize("folder", TABLES, ids=lambda folder: str(folder.relative_to(ASSETS)))
def test_a_layer_table_is_whole(folder: Path) -> None:
    assert verify_folder(folder) == ["layers"]


def test_all_of_them_are_small() -> None:
    assert sum(path.stat().st_size for path in ASSETS.rglob("*")) < 20e6


def test_the_tagger_and_the_parser_annotate_a_picture_of_any_size() -> None:
    picture = torch.rand(1, 3, 200, 200, generator=stream("picture")) * 2 - 1
    tagger = load_tagger(ASSETS / "tagger-celebahq", CPU)
    assert {"Male", "Smiling", "Eyeglasses", "Blond_Hair"} <= set(tagger.names)
    assert tagger.propose(picture).shape == (1, len(tagger.names))
    parser = load_parser(str(ASSETS / "parser-celebahq"), CPU)
    assert parser.parse(picture).shape == (1, 200, 200)


def test_the_parser_says_how_far_it_agrees_with_masks_that_people_drew() -> None:
    examined = read_config(ASSETS / "parser-celebahq")["examined"]
    assert examined["origin"] == "source"
    assert min(examined["iou"][name] for name in ("skin", "hair", "nose", "neck")) > 0.6
