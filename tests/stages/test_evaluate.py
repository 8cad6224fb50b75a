import csv
import json

import pytest
import torch

from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.reader import Reader
from tedigan.evaluation.contestants import Networks, Subjects
from tedigan.evaluation.faces import measure_distances
from tedigan.stages import evaluate
from tedigan.store.files import sha256_tree
from tedigan.vocabulary.attributes import attributes_of
from tedigan.workspace import Workspace

from .toy import toy_attributes, toy_pixels


def faces(captions, seed):
    """Faces that show exactly what their caption names; the tint differs with the seed and place."""
    read = Reader(load_grammar()).read
    named = [[name for name, value in read(one).items() if value] for one in captions]
    return torch.stack(
        [toy_pixels(attributes_of(names), seed + i) for i, names in enumerate(named)]
    )


def random_faces(count, seed):
    return torch.stack([toy_pixels(toy_attributes(-seed - i), -i) for i in range(count)])


def invert(pixels):
    """A blurred photograph."""
    return torch.nn.functional.avg_pool2d(pixels.float(), 3, 1, 1).to(torch.uint8)


NETWORKS = Networks(faces, random_faces, invert, torch.full((1, 3, 32, 32), 90, dtype=torch.uint8))


@pytest.fixture(scope="module")
def evaluated(toy_referee):
    workspace, _ = toy_referee
    outcome = evaluate.evaluate(workspace, NETWORKS)
    return workspace, outcome, json.loads((folder(workspace) / "metrics.json").read_text())


def folder(workspace):
    return workspace.result("evaluation")


def one(metrics, start):
    (name,) = [name for name in metrics if name.startswith(start)]
    return metrics[name]


def test_metric_names_carry_the_net_and_the_number_of_images(evaluated):
    names = set(evaluated[2])
    assert "text_fidelity[referee,n=40]" in names
    assert "frechet_distance[efficientnet_lite0_128px,n=30]" in names
    assert "diversity[stlpips_alex]" in names
    assert not any("fid" in name.replace("fidelity", "").lower() for name in names)


def test_every_metric_says_how_it_was_measured(evaluated):
    for metric in evaluated[2].values():
        assert set(metric) == {
            "value", "n", "better", "protocol", "floor", "ceiling", "ci_low", "ci_high"
        }  # fmt: skip
        assert len(metric["protocol"]) > 20


def test_faces_that_follow_their_captions_lie_between_floor_and_ceiling(evaluated):
    fidelity = one(evaluated[2], "text_fidelity[")
    assert fidelity["floor"] < 0.8 < fidelity["ceiling"]
    assert fidelity["value"] > fidelity["floor"]
    assert fidelity["ci_low"] <= fidelity["value"] <= fidelity["ci_high"]
    assert one(evaluated[2], "text_fidelity_normalised")["value"] > 0.5


def test_inversions_beat_the_mean_face(evaluated):
    metrics = evaluated[2]
    assert (
        metrics["reconstruction_pixel_mse"]["value"] < metrics["reconstruction_pixel_mse"]["floor"]
    )
    assert metrics["reconstruction_psnr_db"]["value"] > metrics["reconstruction_psnr_db"]["floor"]
    perceptual = one(metrics, "reconstruction_perceptual")
    assert perceptual["value"] < perceptual["floor"]


def test_train_photographs_are_the_ceiling_of_the_distance(evaluated):
    distance = one(evaluated[2], "frechet_distance[")
    assert 0 < distance["ceiling"] < distance["value"]


def test_both_sides_of_a_distance_and_its_ceiling_have_equal_numbers(evaluated):
    """The toy data set has 72 test photographs and 216 to train on; 30 are asked for."""
    metric = one(evaluated[2], "frechet_distance[")
    assert metric["n"] == 30
    assert "30 faces against 30 test photographs. Ceiling: 30 train" in metric["protocol"]


def test_a_small_test_split_makes_the_ceiling_as_small(toy_referee):
    tools = evaluate.instruments_of(toy_referee[0])
    pixels = torch.randint(0, 256, (12, 3, 32, 32), dtype=torch.uint8)

    def measured(train):
        few, who = pixels[:7], torch.zeros(7).long()
        rest = (few, few, pixels[None, :2], few, pixels[:1], train, torch.ones(40))
        return measure_distances(Subjects([], few, who, *rest), tools, 30)

    for metric, other in zip(measured(pixels), measured(pixels[:7]), strict=True):
        assert metric.n == other.n == 7
        assert metric.ceiling == pytest.approx(other.ceiling, abs=1e-9)


def test_each_prompt_has_its_row_of_every_way(evaluated):
    with (folder(evaluated[0]) / "per_prompt.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["way"] for row in rows[::40]] == ["ours", "unconditional", "photographs"]
    assert [int(row["prompt"]) for row in rows] == list(range(40)) * 3
    total = [sum(int(row[name]) for row in rows[:40]) for name in ("found_as_said", "mentioned")]
    fidelity = one(evaluated[2], "text_fidelity[")
    assert total[0] / total[1] == pytest.approx(fidelity["value"], rel=1e-5)


def test_each_attribute_has_its_row(evaluated):
    with (folder(evaluated[0]) / "per_attribute.csv").open() as file:
        rows = {row["attribute"]: row for row in csv.DictReader(file)}
    assert len(rows) == 40
    assert int(rows["Bangs"]["mentions"]) > 0
    assert rows["Young"] == {
        "attribute": "Young", "mentions": "0", "value": "", "floor": "", "ceiling": ""
    }  # fmt: skip


def test_outcome_names_are_fit_for_mlflow_and_pictures_exist(evaluated):
    _, outcome, metrics = evaluated
    assert outcome.metrics["text_fidelity/referee/n40"] == pytest.approx(
        one(metrics, "text_fidelity[")["value"], rel=1e-5
    )
    assert all(path.is_file() for path in outcome.pictures)


def test_a_second_run_gives_equal_bytes(toy_referee):
    """Of fewer faces; last, as it writes where the others read."""
    made = toy_referee[0]
    few = made.params.evaluate.model_copy(update={"num_prompts": 6, "num_images": 6})
    workspace = Workspace(made.root, made.params.model_copy(update={"evaluate": few}))
    digests = []
    for _ in range(2):
        evaluate.evaluate(workspace, NETWORKS)
        digests.append(sha256_tree(folder(workspace)))
    assert digests[0] == digests[1]
