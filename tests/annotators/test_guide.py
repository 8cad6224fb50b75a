"""A tagger as a guide: all that it learnt, followed through pictures."""

from pathlib import Path

import pytest
import torch

from tedigan.annotators.identity_axes import IdentityAxes
from tedigan.annotators.random_views import random_views
from tedigan.annotators.tagger import load_guide
from tedigan.annotators.tagger_network import FaceTagger, TaggerConfig
from tedigan.errors import KeysError, WeightsError
from tedigan.models.adopt_annotator import adopt_tagger
from tedigan.models.verification import verify_folder
from tedigan.store.model_folders import load_tensors, save_model, save_tensors
from tedigan.tensors import stream

CPU = torch.device("cpu")
NAMES = ("Bald", "Smiling", "Young")


def tagger_folder(
    folder: Path, f1: tuple[float, float, float], *, knows_people: bool = False
) -> Path:
    torch.manual_seed(0)
    network = FaceTagger(TaggerConfig(32, 4, NAMES)).eval()
    shared = {"precision": 0.5, "recall": 0.5, "positives": 9, "test_f1": None, "floor": 0.4}
    quality = {
        name: {"threshold": 0.25 * i, "f1": f1[i], "is_proposed": f1[i] > 0.5} | shared
        for i, name in enumerate(NAMES)
    }
    training = {"num_photographs": {"train": 1}, "origin": {}, "licence": "toy"}
    about = {"attributes": quality, "num_proposed": 1, "training": training}
    about["mean_f1_of_proposed"] = None
    networks: dict[str, torch.nn.Module] = {"tagger": network}
    if knows_people:
        networks["identity"] = people = IdentityAxes(network.config.num_features, 2)
        people.axes.normal_()
        found = {"num_people": 2, "num_photographs": 4, "num_axes": 2, "val_auroc": None}
        about["identity"] = found
    save_model(folder, networks, network.config.to_json() | about, "card")
    return folder


def pictures(n: int) -> torch.Tensor:
    return torch.rand(n, 3, 32, 32, generator=stream("pictures")) * 2 - 1


def test_a_guide_knows_what_beats_a_constant_answer_proposed_or_not(tmp_path: Path) -> None:
    folder = tagger_folder(tmp_path / "tagger", (0.9, 0.4, 0.45))
    guide = load_guide(folder, CPU)
    assert guide.names == ("Bald", "Young")
    assert guide.thresholds.tolist() == [0.0, 0.5]
    logits = guide.network(pictures(2))
    torch.testing.assert_close(guide.look(pictures(2)), logits[:, [0, 2]] - torch.tensor([0, 0.5]))


def test_one_that_learnt_nothing_is_refused(tmp_path: Path) -> None:
    folder = tagger_folder(tmp_path / "tagger", (0.4, 0.4, 0.4))
    with pytest.raises(WeightsError, match="Train it longer"):
        load_guide(folder, CPU)
    with pytest.raises(WeightsError, match="Train it longer"):
        adopt_tagger(folder, tmp_path / "guide")
    assert not (tmp_path / "guide").exists()


def test_a_guide_is_followed_through_the_picture(tmp_path: Path) -> None:
    guide = load_guide(tagger_folder(tmp_path / "tagger", (0.9, 0.9, 0.9)), CPU)
    images = pictures(2).requires_grad_(True)
    guide.look(images, stream("views")).sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


def test_a_random_view_is_one_for_all_pictures(tmp_path: Path) -> None:
    guide = load_guide(tagger_folder(tmp_path / "tagger", (0.9, 0.9, 0.9)), CPU)
    both, alone = (guide.look(pictures(3)[i:], stream("views")) for i in (0, 2))
    torch.testing.assert_close(both[2:], alone)
    assert not torch.equal(guide.look(pictures(3)), both)
    same = pictures(1).expand(2, -1, -1, -1)
    one, other = random_views(same, None, stream("views"))[0]
    assert not torch.equal(one, other)


def test_an_adopted_tagger_is_the_same(tmp_path: Path) -> None:
    folder = tagger_folder(tmp_path / "tagger", (0.9, 0.9, 0.9))
    adopt_tagger(folder, tmp_path / "guide")
    name = "tagger.safetensors"
    assert (tmp_path / "guide" / name).read_bytes() == (folder / name).read_bytes()
    assert load_guide(tmp_path / "guide", CPU).names == NAMES


def test_a_guide_that_knows_people_says_who_a_picture_shows_in_the_view_of_its_margins(
    tmp_path: Path,
) -> None:
    guide = load_guide(tagger_folder(tmp_path / "tagger", (0.9, 0.9, 0.9), knows_people=True), CPU)
    images = pictures(3).requires_grad_(True)
    margins, who = guide.recognise(images, stream("views"))
    assert torch.equal(margins, guide.look(images, stream("views")))
    torch.testing.assert_close(who.norm(dim=1), torch.ones(3))
    assert not torch.equal(who, guide.recognise(images)[1])
    who[:, 0].sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


def test_people_go_along_when_a_tagger_is_adopted(tmp_path: Path) -> None:
    folder = tagger_folder(tmp_path / "tagger", (0.9, 0.9, 0.9), knows_people=True)
    adopt_tagger(folder, tmp_path / "guide")
    assert verify_folder(tmp_path / "guide") == ["tagger", "identity"]
    assert "identity.safetensors" in (tmp_path / "guide/README.md").read_text()
    for one in (folder, tmp_path / "guide"):
        identity = load_guide(one, CPU).identity
        assert identity is not None
        assert torch.equal(identity.axes, load_tensors(folder / "identity.safetensors")["axes"])


def test_axes_of_another_tagger_are_refused_and_without_any_the_guide_knows_nobody(
    tmp_path: Path,
) -> None:
    folder = tagger_folder(tmp_path / "tagger", (0.9, 0.9, 0.9), knows_people=True)
    save_tensors(folder / "identity.safetensors", IdentityAxes(8, 2).state_dict())
    with pytest.raises(KeysError, match="configuration that of another network"):
        load_guide(folder, CPU)
    assert load_guide(tagger_folder(tmp_path / "other", (0.9, 0.9, 0.9)), CPU).identity is None
