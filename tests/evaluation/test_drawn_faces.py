"""Faces of test drawings, and how they are judged."""

import json
import shutil

import pytest
import torch
from torch import Tensor

from tedigan.annotators.referee import Referee
from tedigan.dataset.folder import Dataset
from tedigan.evaluation.drawn_faces import DrawnFaces, ways_of
from tedigan.evaluation.drawn_score import score_faces
from tedigan.evaluation.source_holds import colours_it_keeps, who_it_stays
from tedigan.stages import evaluate_sources
from tests.stages.small import small_workspace, write_models

KINDS = ("sketch", "label")


def lines(*columns: int) -> Tensor:
    """Sketches of one line each, at these columns."""
    sheets = torch.full((len(columns), 1, 64, 64), 255, dtype=torch.uint8)
    for sheet, column in zip(sheets, columns, strict=True):
        sheet[..., column] = 0
    return sheets


def grey(pixels: Tensor) -> Tensor:
    return pixels[:, :1]


def shown(*columns: int) -> Tensor:
    return lines(*columns).expand(-1, 3, -1, -1)


class Finds(Referee):
    """Finds Smiling where the left half of a picture is not all white, and is not trusted with Young.

    It tells people apart by how bright they are.
    """

    names = ("Smiling", "Young")
    knows_people = True

    def __init__(self) -> None:
        object.__setattr__(self, "is_reliable", torch.tensor([True, False]))

    def find(self, images: Tensor) -> Tensor:
        smiles = (images[..., :32] < 1).any(dim=3).any(dim=2).any(dim=1)
        return torch.stack([smiles, smiles], dim=1)

    def look(self, images: Tensor, *, batch_size: int = 64) -> tuple[Tensor, Tensor]:
        angle = images.mean(dim=[1, 2, 3]) * torch.pi
        return torch.zeros(len(images), 2), torch.stack([angle.cos(), angle.sin()], dim=1)


def read(caption: str) -> dict[str, bool]:
    return {"Smiling": "no" not in caption, "Young": True}


def test_faces_are_scored_beside_their_floor_and_their_ceiling() -> None:
    wanted = lines(10, 20)
    pixels = {way: shown(50, 50)[:, None] for way in ways_of(["sketch"])} | {
        "sketch": torch.stack([shown(10, 10), shown(50, 20)]),
        "sketch+text": torch.stack([shown(10, 50), shown(20, 50)]),
        "text": torch.stack([shown(50, 50), shown(50, 50)]),
        "photograph": shown(10, 20)[:, None],
        "inversion": shown(11, 40)[:, None],
        "random": shown(40, 50)[:, None],
        "nearest by sketch": shown(10, 21)[:, None],
    }
    found = DrawnFaces({"sketch": wanted}, {"sketch": True}, ["smiles", "no smile"], pixels)
    metrics, rows = score_faces(found, {"sketch": grey}, Finds(), read, seed=0)
    values = {one.name: one.value for one in metrics}
    expected = {"sketch": 0.75, "sketch+text": 0.5, "text": 0, "photograph": 1, "inversion": 0.5}
    expected |= {"random": 0, "nearest by sketch": 1}
    assert {who: values[f"edge_f1/{who}"] for who in expected} == expected
    assert rows[1]["edge_f1/sketch"] == 0.5
    (one,) = [one for one in metrics if one.name == "edge_f1/sketch"]
    assert (one.floor, one.ceiling) == (0.0, 1.0)
    assert values["text_fidelity/sketch"] == pytest.approx(
        3 / 4
    )  # smiles: both; no smile: one of two
    assert values["text_fidelity/photograph"] == 0.5
    assert values["variety/text"] == 0
    assert values["variety/sketch+text"] == pytest.approx(1)


def test_each_drawing_the_sentence_each_pair_and_all_with_a_sentence_are_ways() -> None:
    pairs = ["sketch+label", "sketch+photograph", "sketch+style", "sketch+text"]
    pairs += ["label+photograph", "label+style", "label+text"]
    pairs += ["photograph+style", "photograph+text", "style+text"]
    assert ways_of(KINDS) == ["sketch", "label", "text", *pairs, "sketch+label+text"]
    assert len(ways_of(["sketch"])) == 2 + 6


def test_a_style_is_held_by_its_colours_and_a_photograph_by_who_it_is() -> None:
    wanted = lines(10, 20)
    sheets = torch.tensor([60, 200], dtype=torch.uint8)[:, None, None, None].expand(2, 3, 64, 64)
    pixels = {way: sheets[:, None] for way in ways_of(["sketch"])}
    pixels |= {"photograph": sheets[:, None], "inversion": sheets[:, None] + 1}
    pixels |= {"random": sheets[:, None] - 30, "sketch+style": sheets.flip(0)[:, None] + 10}
    found = DrawnFaces({"sketch": wanted}, {"sketch": True}, ["smiles", "no smile"], pixels)

    def all_skin(pixels: Tensor) -> Tensor:
        return torch.ones(len(pixels), 64, 64, dtype=torch.uint8)

    metrics = {one.name: one for one in colours_it_keeps(found, all_skin, seed=0)}
    held = metrics["colour_distance/sketch+style"]
    assert (held.value, held.ceiling) == (10.0, 1.0)
    assert metrics["colour_distance/style+text"].value == 140.0
    people = {one.name: one.value for one in who_it_stays(found, Finds(), seed=0)}
    assert people["identity_cosine/photograph+text"] == pytest.approx(1.0)
    assert people["identity_cosine/random"] < 0.9


@pytest.fixture(scope="module")
def judged(tmp_path_factory, toy_referee):
    referee, _ = toy_referee
    workspace = small_workspace(tmp_path_factory.mktemp("sources"))
    write_models(workspace)
    shutil.copytree(referee.model("referee"), workspace.model("referee"))
    return workspace, evaluate_sources.run(workspace)


def test_every_way_and_rival_is_measured_by_both_kinds_of_drawings(judged) -> None:
    workspace, outcome = judged
    metrics = json.loads((workspace.result("sources") / "metrics.json").read_text())
    rivals = ["photograph", "inversion", "random"]
    for kind, name in (("sketch", "edge_f1"), ("label", "label_iou")):
        for who in [*ways_of(KINDS), *rivals, f"nearest by {kind}"]:
            assert metrics[f"{name}/{who}"]["n"] == 2
    assert metrics["variety/sketch"]["value"] is not None
    assert {path.name for path in outcome.pictures} >= {"sketch.png", "sketch_label_text.png"}
    assert all(path.is_file() for path in outcome.pictures)


def test_the_nearest_training_photograph_agrees_more_than_a_random_face(judged) -> None:
    workspace, _ = judged
    metrics = json.loads((workspace.result("sources") / "metrics.json").read_text())
    assert metrics["label_iou/nearest by label"]["value"] > metrics["label_iou/random"]["value"]


def test_only_test_photographs_are_judged(judged) -> None:
    workspace, _ = judged
    assert len(Dataset.open(workspace.dataset).split("test")) > 2
    rows = (workspace.result("sources") / "per_drawing.csv").read_text().splitlines()
    assert len(rows) == 3
