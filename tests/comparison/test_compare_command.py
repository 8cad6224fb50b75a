"""A protocol is planned, strangers' folders are judged, and each cheat is caught by the figure that should."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tedigan.__main__ import main
from tedigan.comparison import court
from tedigan.comparison.comparison_protocol import ComparisonProtocol
from tedigan.comparison.looking import look
from tedigan.comparison.method_folder import picture_name
from tedigan.dataset.folder import Dataset
from tedigan.evaluation import training_photographs
from tedigan.models.given_nets import INCEPTION_WIDTH, OFFICIAL_INCEPTION, Inception
from tedigan.store import pictures
from tests.models.test_given_nets import tiny_clip
from tests.report.outline import Outline

CPU, OFFICIAL = torch.device("cpu"), OFFICIAL_INCEPTION + "0" * 56


def hand_in(folder: Path, faces: Tensor) -> Path:
    for number, face in enumerate(faces):
        pictures.save(folder / picture_name(number), face)
    return folder


def colours(seen: Tensor) -> Tensor:
    """In pool3's place: a picture's mean colour, in as many numbers as it has."""
    return seen.mean(dim=[2, 3]).repeat(1, 683)[:, :INCEPTION_WIDTH]


@pytest.fixture(scope="module")
def judged(tmp_path_factory, toy_referee) -> tuple[Path, ComparisonProtocol, list[str]]:
    """The folder of results, the protocol, and the arguments that made them again."""
    workspace, _ = toy_referee
    root, place = tmp_path_factory.mktemp("compare"), ["--workspace", str(workspace.root)]
    with pytest.MonkeyPatch.context() as patch:
        for module in (court, training_photographs):
            patch.setattr(module, "MIN_STRANGERS", 40)
        patch.setattr(court, "open_inception", lambda *_: Inception(colours, OFFICIAL, CPU))
        main(["compare", "plan", str(root / "plan"), "--name", "toy", "--prompts", "48", *place])
        protocol = ComparisonProtocol.read(root / "plan/protocol.json")
        data = Dataset.open(workspace.dataset)
        own = data.pixels(protocol.ids)
        faces = {
            "honest": own // 2 + 20,  # darker and paler: what it shows is the same
            "deaf": own.roll(7, dims=0),
            "stuck": own[:1].expand(len(own), -1, -1, -1),
            "copyist": data.pixels(data.split("train")[: len(own)]),
        }
        named = [f"{name}={hand_in(root / name, some)}" for name, some in faces.items()]
        plan = str(root / "plan/protocol.json")
        given = ["--inception", "inception.pth", "--clip", str(tiny_clip(root / "clip"))]
        arguments = ["compare", "judge", plan, *named, "--out", str(root / "out"), *given, *place]
        assert main(arguments) == 0
    return root / "out", protocol, arguments


@pytest.fixture
def values(judged) -> dict[str, dict[str, float]]:
    """Method -> metric's first word -> value."""
    found = json.loads((judged[0] / "comparison.json").read_text())
    return {
        method: {name.partition("[")[0]: one["value"] for name, one in metrics.items()}
        for method, metrics in found.items()
    }


def test_every_figure_names_its_protocol(judged):
    found = json.loads((judged[0] / "comparison.json").read_text())
    assert all(name.endswith(f"@{judged[1].tag}") for one in found.values() for name in one)


def test_who_ignores_the_text_is_caught_by_what_its_faces_show(values):
    for figure in ("text_fidelity", "text_fidelity_macro", "r_precision"):
        assert values["honest"][figure] > values["deaf"][figure] + 0.15


def test_who_repeats_one_face_is_caught_by_recall_and_coverage(values):
    assert values["stuck"]["recall"] < 0.2 < values["copyist"]["recall"]
    assert values["stuck"]["coverage"] < 0.3 < values["copyist"]["coverage"]
    assert values["stuck"]["frechet_distance"] > 2 * values["copyist"]["frechet_distance"]


def test_with_given_networks_the_published_figures_stand_beside_ours(judged):
    every = json.loads((judged[0] / "comparison.json").read_text())
    fid = {
        method: one["value"]
        for method, metrics in every.items()
        for name, one in metrics.items()
        if name.startswith("fid[inception_v3_6726825d")
    }
    assert fid["deaf"] is None  # the prompts' own photographs: nearer than training ones are
    assert max(fid["copyist"], fid["honest"]) < fid["stuck"]
    found = every["copyist"]
    (score,) = (one for name, one in found.items() if name.startswith("clip_score[clip_"))
    assert score["n"] == 48
    assert score["floor"] != score["ceiling"]


def test_who_copies_training_photographs_is_caught_by_both_eyes(judged):
    found = json.loads((judged[0] / "comparison.json").read_text())
    for eye in ("thumbnails_16px", "efficientnet_lite0"):
        shares = {
            method: one["value"]
            for method, metrics in found.items()
            for name, one in metrics.items()
            if name.startswith(f"memorised_share[{eye}")
        }
        assert shares["copyist"] == 1
        assert shares["deaf"] < 0.2


def test_who_copies_training_photographs_is_caught_by_their_likeness(values):
    assert values["copyist"]["memorised_share"] > 0.9
    assert values["deaf"]["memorised_share"] < 0.2


def test_a_plan_of_another_seed_has_other_captions(toy_referee, tmp_path):
    place = ["--workspace", str(toy_referee[0].root)]
    found = []
    for seed in ([], ["--seed", "1"], ["--seed", "2"]):
        main(["compare", "plan", str(tmp_path), "--name", "toy", "--prompts", "9", *seed, *place])
        found.append(ComparisonProtocol.read(tmp_path / "protocol.json"))
    assert found[0] == found[1]
    assert found[2].seed == 2
    assert found[2].captions != found[1].captions


def test_a_lead_is_paired_and_turns_its_sign_with_the_sides(judged):
    with (judged[0] / "leads.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["metric"] == "text_fidelity"]
    lead = {(row["method"], row["over"]): row for row in rows}
    one, other = lead["honest", "deaf"], lead["deaf", "honest"]
    assert float(one["lead"]) == pytest.approx(-float(other["lead"]))
    assert float(one["ci_low"]) > 0


def test_every_group_and_prompt_has_its_figures(judged):
    with (judged[0] / "subgroups.csv").open() as file:
        groups = [*csv.DictReader(file)]
    assert {row["method"] for row in groups} == {
        "honest", "deaf", "stuck", "copyist", "photographs"
    }  # fmt: skip
    sizes = {row["group"]: int(row["n"]) for row in groups}
    assert sizes["Male"] + sizes["not Male"] == 48
    assert len((judged[0] / "per_prompt.csv").read_text().splitlines()) == 1 + 5 * 48


def test_the_page_shows_every_method_and_loads_nothing(judged):
    outline = Outline.of((judged[0] / "page.html").read_text(encoding="utf-8"))
    assert {"honest", "deaf", "stuck", "copyist"} <= {*outline.texts}
    assert all(source.startswith("data:") for source in outline.attributes("img", "src"))


def test_what_was_seen_of_the_photographs_is_kept_and_the_same_judgement_comes_again(
    judged, toy_referee, monkeypatch, tmp_path
):
    for module in (court, training_photographs):
        monkeypatch.setattr(module, "MIN_STRANGERS", 40)
    looked: list[str] = []

    def noted(shown, *others):
        looked.append(shown.name)
        return look(shown, *others)

    monkeypatch.setattr(court, "look", noted)
    monkeypatch.setattr(court, "open_inception", lambda *_: Inception(colours, OFFICIAL, CPU))
    arguments = [*judged[2][:4], "--out", str(tmp_path / "out"), *judged[2][-6:]]
    assert main(arguments) == 0
    assert looked == ["honest"]
    before, after = (
        json.loads((one / "comparison.json").read_text())["honest"]
        for one in (judged[0], tmp_path / "out")
    )
    assert after == before


def test_a_data_set_whose_val_is_too_small_to_say_what_a_copy_is_is_judged_all_the_same(
    judged, toy_referee, tmp_path
):
    place = judged[2][-2:]
    main(["compare", "plan", str(tmp_path), "--name", "small", "--prompts", "48", *place])
    plan, out = str(tmp_path / "protocol.json"), str(tmp_path / "out")
    assert main(["compare", "judge", plan, judged[2][3], "--out", out, *place]) == 0
    before, after = (
        {name.partition("@")[0]: one["value"] for name, one in found["honest"].items()}
        for found in (
            json.loads((one / "comparison.json").read_text()) for one in (judged[0], Path(out))
        )
    )
    for eye in ("thumbnails_16px", "efficientnet_lite0_128px"):
        assert after.pop(f"memorised_share[{eye},n=0]") is None
        assert before.pop(f"memorised_share[{eye},n=48]") is not None
    given = ("fid[", "clip_score[")
    assert after == {name: value for name, value in before.items() if not name.startswith(given)}


def test_a_protocol_of_another_referee_is_refused_before_anything_is_judged(
    judged, toy_referee, tmp_path, capsys
):
    content = judged[1].to_json() | {"referee": "0" * 64}
    (tmp_path / "other.json").write_text(json.dumps(content))
    arguments = ["compare", "judge", str(tmp_path / "other.json"), *judged[2][3:]]
    shutil.rmtree(tmp_path / "out", ignore_errors=True)
    arguments[arguments.index("--out") + 1] = str(tmp_path / "out")
    assert main(arguments) == 1
    assert "the referee here is" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("given", ["a", "=x", "photographs=x", "a=x"])
def test_a_method_that_is_no_name_and_folder_is_refused(judged, given, tmp_path, capsys):
    arguments = [*judged[2][:3], given, "--out", str(tmp_path / "out"), *judged[2][-2:]]
    assert main(arguments) == 1
    assert "error: " in capsys.readouterr().err
