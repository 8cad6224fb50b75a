"""Parser and tagger are trained on one data set, examined on its val split, and opened by their folders."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from tedigan.__main__ import main
from tedigan.annotators.parser import load_parser
from tedigan.annotators.parser_network import confusion, intersection_over_union
from tedigan.annotators.tagger import Tagger, load_guide, load_tagger
from tedigan.dataset.folder import Dataset
from tedigan.errors import DataError, ParamsError
from tedigan.models.verification import verify_folder
from tedigan.store.files import sha256_tree, write_json
from tedigan.store.sums import write_sums
from tedigan.tensors import to_images
from tedigan.training.learn_people import add_people, auroc_of_pairs
from tedigan.training.parser_and_tagger import Settings, train_parser, train_tagger
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES
from tests.dataset import datasets_made
from tests.dataset.sources_made import write_celebamask, write_masks, write_pictures
from tests.stages import toy

CPU = torch.device("cpu")
PARSER = Settings(base_channels=8, num_steps=100, batch_size=8, learning_rate=0.01)
TAGGER = Settings(base_channels=8, num_steps=60, batch_size=32, learning_rate=0.01)
FEW = Settings(base_channels=4, num_steps=4, batch_size=4, learning_rate=0.01, checkpoint_every=2)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 drawn faces of 32 px with label maps."""
    folder = tmp_path_factory.mktemp("drawn")
    sizes = {"resolution": 32, "num_images": 80, "kinds": ["label"]}
    datasets_made.run(folder, source="drawn", val_fraction=0.2, test_fraction=0.0, **sizes)
    return folder / "data/dataset"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn faces without label maps."""
    folder = tmp_path_factory.mktemp("bare")
    sizes = {"resolution": 32, "num_images": 12, "kinds": ["text"]}
    datasets_made.run(folder, source="drawn", val_fraction=0.2, test_fraction=0.0, **sizes)
    return folder / "data/dataset"


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toys") / "dataset"
    toy.write_toy_dataset(folder, 300, 2)
    return folder


@pytest.fixture(scope="module")
def tagger(toys: Path) -> Tagger:
    train_tagger(toys, toys.parent / "tagger", TAGGER, work=toys.parent / "work", device=CPU)
    return load_tagger(toys.parent / "tagger", CPU)


def about(dataset: Path, settings: Settings) -> dict[str, object]:
    """What a model's config says of its training."""
    data = Dataset.open(dataset)
    return {
        "settings": asdict(settings),
        "licence": data.licence,
        "num_photographs": {name: len(data.split(name)) for name in ("train", "val", "test")},
        "origin": data.description.get("origin", {}),
    }


def test_a_parser_learns_from_drawn_faces_and_states_its_quality(drawn: Path) -> None:
    folder = drawn.parent / "parser"
    config = train_parser(drawn, folder, PARSER, work=drawn.parent / "work", device=CPU)
    assert config == json.loads((folder / "config.json").read_text())
    assert config["training"] == about(drawn, PARSER)
    assert min(config["iou"][name] for name in ("background", "skin", "hair")) > 0.3
    known = [value for value in config["iou"].values() if value is not None]
    assert config["mean_iou"] == pytest.approx(sum(known) / len(known))
    assert "| hair | 0." in (folder / "README.md").read_text()
    data = Dataset.open(drawn)
    found = load_parser(str(folder), CPU).parse(to_images(data.pixels(data.split("val"))))
    assert (found == data.labels(data.split("val"))).float().mean() > 0.5


def test_a_parser_is_examined_on_another_data_set(drawn: Path, tmp_path: Path) -> None:
    datasets_made.run(tmp_path / "other", source="drawn", num_images=3, kinds=["label"], seed=9)
    other = tmp_path / "other/data/dataset"
    config = train_parser(
        drawn, tmp_path / "parser", FEW, work=tmp_path, device=CPU, examined_on=other
    )
    assert config["examined"]["num_photographs"] == 3
    assert config["examined"]["origin"] == "drawn"
    data = Dataset.open(other)
    found = load_parser(str(tmp_path / "parser"), CPU).parse(to_images(data.pixels(data.ids)))
    counts = confusion(found, data.labels(data.ids))
    assert config["examined"]["iou"] == intersection_over_union(counts)
    card = (tmp_path / "parser/README.md").read_text()
    assert (
        "Examined on 3 photographs of another data set, whose label maps come from: drawn" in card
    )


def test_an_examiner_without_label_maps_is_refused_before_training(
    drawn: Path, bare: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="to compare a parser's with"):
        train_parser(drawn, tmp_path / "p", FEW, work=tmp_path, device=CPU, examined_on=bare)


def test_a_tagger_proposes_what_the_photographs_show_and_nothing_else(
    toys: Path, tagger: Tagger
) -> None:
    data = Dataset.open(toys)
    assert len(set(tagger.names) & set(ATTRIBUTE_NAMES[:8])) >= 6
    assert "Young" not in tagger.names
    ids = data.split("test")
    columns = [ATTRIBUTE_NAMES.index(name) for name in tagger.names]
    said, truth = tagger.propose(to_images(data.pixels(ids))), data.attributes(ids)[:, columns]
    visible = torch.tensor(columns) < 8
    assert (said == truth)[:, visible].float().mean() > 0.8


def test_a_tagger_s_quality_is_stated_with_its_floor_and_on_unused_photographs(
    toys: Path, tagger: Tagger
) -> None:
    config = json.loads((toys.parent / "tagger/config.json").read_text())
    assert config["training"] == about(toys, TAGGER)
    first = config["attributes"][ATTRIBUTE_NAMES[0]]
    assert first["f1"] > first["floor"] > 0.5
    assert first["test_f1"] > 0.7
    assert config["attributes"]["Young"]["test_f1"] is None
    assert config["num_proposed"] == len(tagger.names)
    card = (toys.parent / "tagger/README.md").read_text()
    assert f"Proposed: {config['num_proposed']} of 40" in card


def test_of_exclusive_attributes_one_is_proposed(toys: Path, tagger: Tagger) -> None:
    data = Dataset.open(toys)
    images = to_images(data.pixels(data.split("test")))
    group = ATTRIBUTE_NAMES[:8]
    ours = torch.tensor([name in group for name in tagger.names])
    assert tagger.propose(images)[:, ours].sum(1).max() > 1
    assert tagger.propose(images, exclusive=[group])[:, ours].sum(1).max() == 1


@pytest.mark.parametrize("train", [train_parser, train_tagger])
def test_a_training_that_was_cut_off_ends_with_the_same_bytes(
    train: type, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(drawn, whole, FEW, work=tmp_path / "work", device=CPU)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("tedigan.training.parser_and_tagger.freeze", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train(drawn, cut, FEW, work=tmp_path / "work", device=CPU)
    assert not cut.exists()
    assert list((tmp_path / "work").rglob("*.pt"))
    train(drawn, cut, FEW, work=tmp_path / "work", device=CPU)
    assert sha256_tree(whole) == sha256_tree(cut)
    assert not list((tmp_path / "work").rglob("*.pt"))


def test_a_data_set_without_label_maps_teaches_no_parser(bare: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no label maps"):
        train_parser(bare, tmp_path / "parser", FEW, work=tmp_path, device=CPU)


def test_a_data_set_without_attributes_teaches_no_tagger(tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(12)]
    write_pictures(tmp_path / "source", names)
    splits = {"val_fraction": 0.4, "test_fraction": 0.0}
    data, _ = datasets_made.run(tmp_path / "w", source=str(tmp_path / "source"), **splits)
    with pytest.raises(DataError, match="nothing to train a tagger on"):
        train_tagger(data.folder, tmp_path / "tagger", FEW, work=tmp_path, device=CPU)


def test_a_data_set_without_a_val_split_is_refused(tmp_path: Path) -> None:
    toy.write_toy_dataset(tmp_path / "dataset", 6, 1)
    with pytest.raises(DataError, match="6 photographs for training and 0 for validation"):
        train_tagger(tmp_path / "dataset", tmp_path / "tagger", FEW, work=tmp_path, device=CPU)


def test_the_command_line_trains_and_says_how_well(
    drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--steps", "2", "--channels", "4", "--input-px", "16", "--work", str(tmp_path)]
    folder = tmp_path / "parser"
    assert main(["dataset", "train-parser", str(drawn), str(folder), *options]) == 0
    assert "mean_iou = 0." in capsys.readouterr().out
    config = json.loads((folder / "config.json").read_text())
    assert (config["input_px"], config["training"]["settings"]["num_steps"]) == (16, 2)
    options = [*options, "--seed", "5"]
    assert main(["dataset", "train-tagger", str(drawn), str(tmp_path / "tagger"), *options]) == 0
    assert load_tagger(tmp_path / "tagger", CPU).origin.startswith("predicted by tagger ")


def test_a_tagger_learns_who_is_who_where_people_come_again(toys: Path, tagger: Tagger) -> None:
    folder = toys.parent / "tagger"
    config, data = json.loads((folder / "config.json").read_text()), Dataset.open(toys)
    people = config["identity"]
    assert people["num_photographs"] == len(data.split("train"))
    assert people["num_people"] == people["num_photographs"] // 2
    assert people["val_auroc"] > 0.6
    guide, ids = load_guide(folder, CPU), data.split("val")
    who = guide.recognise(to_images(data.pixels(ids)))[1]
    assert auroc_of_pairs(who, data.identities(ids)) == pytest.approx(people["val_auroc"])
    assert tagger.network.config == guide.network.config


def test_where_nobody_comes_again_a_tagger_knows_nobody(tmp_path: Path) -> None:
    toy.write_toy_dataset(tmp_path / "dataset", 40, 1)
    config = train_tagger(
        tmp_path / "dataset", tmp_path / "tagger", FEW, work=tmp_path, device=CPU, half="guide"
    )
    assert "identity" not in config
    assert not (tmp_path / "tagger/identity.safetensors").exists()
    with pytest.raises(DataError, match="fewer than two people twice"):
        add_people(tmp_path / "dataset", tmp_path / "tagger", half="guide")


def test_people_are_added_to_a_finished_tagger_as_its_training_would_have(
    toys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained, bare = tmp_path / "trained", tmp_path / "bare"
    config = train_tagger(toys, trained, FEW, work=tmp_path, device=CPU, half="guide")
    shutil.copytree(trained, bare)
    (bare / "identity.safetensors").unlink()
    write_json(bare / "config.json", {k: v for k, v in config.items() if k != "identity"})
    write_sums(bare)
    assert main(["dataset", "learn-people", str(toys), str(bare)]) == 0
    assert "val_auroc = 0." in capsys.readouterr().out
    assert verify_folder(bare) == ["tagger", "identity"]
    for name in ("config.json", "identity.safetensors", "tagger.safetensors", "log.csv"):
        assert (bare / name).read_bytes() == (trained / name).read_bytes()


@pytest.mark.parametrize("values", [{"num_steps": 0}, {"input_px": 40}])
def test_settings_that_cannot_be_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ParamsError, match=r"is (0|40);"):
        PARSER.changed(**values)


def test_a_parser_goes_on_from_another_and_is_taught_what_is_worn(
    drawn: Path, tmp_path: Path
) -> None:
    train_parser(drawn, tmp_path / "first", FEW, work=tmp_path / "work", device=CPU)
    words = ["dataset", "train-parser", str(drawn), str(tmp_path / "second"), "--steps", "4"]
    words += ["--channels", "4", "--batch-size", "4", "--learning-rate", "1e-6"]
    words += ["--start", str(tmp_path / "first"), "--wardrobe", str(drawn)]
    assert main([*words, "--work", str(tmp_path / "work")]) == 0
    first, second = (load_parser(str(tmp_path / name), CPU) for name in ("first", "second"))
    images = to_images(Dataset.open(drawn).pixels([0]))
    difference = (first.network(images) - second.network(images)).abs().max()  # type: ignore[union-attr]
    assert 0 < difference < 0.01
    assert "hat is seen in a share of" in (tmp_path / "second" / "README.md").read_text()


def test_a_wardrobe_in_which_nobody_wears_anything_is_refused(drawn: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Name a data set of drawn faces"):
        train_parser(
            drawn,
            tmp_path / "p",
            FEW,
            work=tmp_path / "w",
            device=CPU,
            wardrobe=bare_faces(tmp_path),
        )


def bare_faces(folder: Path) -> Path:
    """Photographs whose maps show nothing that is worn."""
    source = write_masks(write_celebamask(folder / "source"))
    datasets_made.run(folder / "bare", source=str(source), kinds=["label"])
    return folder / "bare/data/dataset"
