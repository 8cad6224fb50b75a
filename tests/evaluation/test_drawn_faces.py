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
    """Finds Smiling where the left half of a picture is not all white, and is not trusted with Young."""

    names = ("Smiling", "Young")

    def __init__(self) -> None:
        object.__setattr__(self, "is_reliable", torch.tensor([True, False]))

    def find(self, images: Tensor) -> Tensor:
        smiles = (images[..., :32] < 1).any(dim=3).any(dim=2).any(dim=1)
        return torch.stack([smiles, smiles], dim=1)


def read(caption: str) -> dict[str, bool]:
    return {"Smiling": "no" not in caption, "Young": True}


def test_faces_are_scored_beside_their_floor_and_their_ceiling() -> None:
    wanted = lines(10, 20)
    pixels = {
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
    assert {n.removeprefix("edge_f1/"): v for n, v in values.items() if "f1" in n} == expected
    assert rows[1]["edge_f1/sketch"] == 0.5
    (one,) = [one for one in metrics if one.name == "edge_f1/sketch"]
    assert (one.floor, one.ceiling) == (0.0, 1.0)
    assert values["text_fidelity/sketch"] == pytest.approx(
        3 / 4
    )  # smiles: both; no smile: one of two
    assert values["text_fidelity/photograph"] == 0.5
    assert values["variety/text"] == 0
    assert values["variety/sketch+text"] == pytest.approx(1)


def test_every_set_of_sources_is_a_way() -> None:
    assert list(ways_of(KINDS)) == [
        "sketch",
        "label",
        "sketch+label",
        "sketch+text",
        "label+text",
        "sketch+label+text",
        "text",
    ]
    assert list(ways_of(["sketch"])) == ["sketch", "sketch+text", "text"]


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
