import json
import shutil

import pytest
import torch

from tedigan.annotators.referee import load_referee
from tedigan.dataset.folder import Dataset
from tedigan.errors import DataError
from tedigan.evaluation.referee_quality import examine
from tedigan.stages import train_referee
from tedigan.store.files import sha256_file, sha256_tree
from tedigan.tensors import to_images
from tedigan.training.referee_trainer import identity_classes
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES
from tests.dataset import datasets_made
from tests.dataset.sources_made import write_pictures

from .toy import TINY_REFEREE, toy_workspace, write_toy_dataset


def config_of(workspace):
    return json.loads((workspace.model("referee") / "config.json").read_text())


def test_the_folder_holds_weights_config_card_and_log(toy_referee):
    workspace, outcome = toy_referee
    names = {path.name for path in workspace.model("referee").iterdir()}
    assert names == {"referee.safetensors", "config.json", "README.md", "SHA256SUMS", "log.csv"}
    assert outcome.curves == workspace.model("referee") / "log.csv"


def test_visible_attributes_become_reliable_and_constant_ones_do_not(toy_referee):
    workspace, outcome = toy_referee
    config = config_of(workspace)
    seen = set(ATTRIBUTE_NAMES[:8])
    assert len(seen & set(config["reliable"])) >= 6
    assert "Young" not in config["reliable"]
    assert config["attributes"]["Young"]["test_auroc"] is None
    assert outcome.metrics["test_balanced_accuracy_of_reliable"] > 0.75


def test_the_judge_finds_what_the_photographs_show(toy_referee):
    workspace, _ = toy_referee
    referee = load_referee(workspace.model("referee"), torch.device("cpu"))
    data = Dataset.open(workspace.dataset)
    ids = data.split("test")
    found = referee.find(to_images(data.pixels(ids)))
    agreement = (found == data.attributes(ids)).float().mean(dim=0)[referee.is_reliable]
    assert agreement.mean() > 0.75
    reliable = [name for name, good in zip(referee.names, referee.is_reliable, strict=True) if good]
    assert reliable == [n for n in ATTRIBUTE_NAMES if n in config_of(workspace)["reliable"]]


def test_identity_is_measured_on_test_pairs(toy_referee):
    people = config_of(toy_referee[0])["identity"]
    assert people["test_auroc"] > 0.6
    assert people["test_same_pairs"] == 180
    assert "threshold_from" not in people


def test_a_data_set_without_attributes_is_refused(tmp_path):
    write_pictures(tmp_path / "source", ["0.png", "1.png"])
    datasets_made.run(tmp_path / "w", source=str(tmp_path / "source"))
    with pytest.raises(DataError, match="a referee has nothing to learn"):
        train_referee.run(datasets_made.workspace(tmp_path / "w"))


def test_two_runs_give_equal_bytes(tmp_path):
    digests = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        workspace = toy_workspace(
            tmp_path / name, num_images=40, train_referee=TINY_REFEREE | {"num_steps": 3}
        )
        train_referee.run(workspace)
        digests.append(sha256_tree(workspace.model("referee")))
    assert digests[0] == digests[1]


def test_without_a_second_photograph_of_anyone_identity_is_null(tmp_path):
    workspace = toy_workspace(
        tmp_path, num_images=40, faces_per_person=1, train_referee=TINY_REFEREE | {"num_steps": 3}
    )
    outcome = train_referee.run(workspace)
    assert config_of(workspace)["identity"] is None
    assert "test_verification_auroc" not in outcome.metrics
    assert not load_referee(workspace.model("referee"), torch.device("cpu")).knows_people


def test_people_seen_once_are_no_classes():
    classes = identity_classes(torch.tensor([5, 5, 9, 7, 7, -1, -1]))
    assert classes.tolist() == [0, 0, -1, 1, 1, -1, -1]


@pytest.mark.parametrize(
    ("mislabelled", "decides"), [("train", False), ("val", True), ("test", False)]
)
def test_thresholds_are_chosen_on_val_alone(toy_referee, tmp_path, mislabelled, decides):
    """Of the trained referee: another truth of the other splits moves no threshold."""
    config = config_of(toy_referee[0])
    referee = load_referee(toy_referee[0].model("referee"), torch.device("cpu"))
    write_toy_dataset(tmp_path / "dataset", 360, 6, mislabelled=mislabelled)
    data = Dataset.open(tmp_path / "dataset")
    quality = examine(referee, data, has_pairs=True)

    def of_val(found):
        columns = ("threshold", "is_reliable", "val_balanced_accuracy")
        return {n: [one[c] for c in columns] for n, one in found["attributes"].items()}

    def of_test(found):
        return [one["test_balanced_accuracy"] for one in found["attributes"].values()]

    assert (of_val(quality) != of_val(config)) == decides
    assert (quality["reliable"] != config["reliable"]) == decides
    assert (of_test(quality) != of_test(config)) == (mislabelled in ("val", "test"))


def test_training_sees_its_half_alone(tmp_path):
    """Neither val nor test, nor the people from whom the guide learns."""
    digests = {}
    for mislabelled in (None, "referee", "guide", "val", "test"):
        root = tmp_path / str(mislabelled)
        root.mkdir()
        workspace = toy_workspace(
            root, num_images=40, train_referee=TINY_REFEREE | {"num_steps": 3}
        )
        shutil.rmtree(workspace.dataset)
        write_toy_dataset(workspace.dataset, 40, 2, mislabelled=mislabelled)
        train_referee.run(workspace)
        digests[mislabelled] = sha256_file(workspace.model("referee") / "referee.safetensors")
    unseen = {digests[name] for name in (None, "guide", "val", "test")}
    assert len(unseen) == 1
    assert digests["referee"] not in unseen
