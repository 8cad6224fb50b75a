"""The stage that judges edits, on tiny networks and a referee of toy faces."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from tedigan.stages import evaluate_edits
from tedigan.store import pictures
from tedigan.store.files import sha256_tree
from tedigan.store.model_folders import read_config
from tedigan.store.sums import write_sums
from tedigan.workspace import Outcome, Workspace
from tests.stages.small import small_workspace, write_models

NAMES = ("Arched_Eyebrows", "Bangs", "Big_Nose")  # that the toy faces show


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def edited(workspace: Workspace, **changed: object) -> Path:
    """The folder that the stage leaves."""
    section = workspace.params.evaluate_edits.model_copy(update=changed)
    params = workspace.params.model_copy(update={"evaluate_edits": section})
    evaluate_edits.run(Workspace(workspace.root, params))
    return workspace.result("edits")


@pytest.fixture(scope="module")
def workspace(
    toy_referee: tuple[Workspace, Outcome], tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """Untrained networks whose guide knows three attributes, and the toy faces' referee."""
    source = toy_referee[0].model("referee")
    trusted = [name for name in NAMES if name in read_config(source)["reliable"]]
    assert len(trusted) >= 2
    made = small_workspace(
        tmp_path_factory.mktemp("edits"), evaluate_edits={"attributes": trusted[:2]}
    )
    write_models(made, NAMES)
    shutil.copytree(source, made.model("referee"))
    return made


@pytest.fixture(scope="module")
def judged(workspace: Workspace) -> tuple[Workspace, Outcome]:
    return workspace, evaluate_edits.run(workspace)


def test_a_second_run_gives_equal_bytes(judged: tuple[Workspace, Outcome]) -> None:
    """First, while there is what the first run left."""
    before = sha256_tree(judged[0].result("edits"))
    assert sha256_tree(edited(judged[0])) == before


def test_every_edit_has_its_row_of_every_way(judged: tuple[Workspace, Outcome]) -> None:
    rows = rows_of(judged[0].result("edits") / "per_edit.csv")
    assert [row["way"] for row in rows[::6]] == ["ours", "linear", "nothing"]
    assert len(rows) == 2 * 3 * 3
    assert len({row["photograph"] for row in rows}) == 3
    assert {row["edit_reached"] for row in rows if row["way"] == "nothing"} == {"0"}


def test_metrics_are_pooled_and_by_attribute_what_is_drawn_apart(
    judged: tuple[Workspace, Outcome],
) -> None:
    folder = judged[0].result("edits")
    metrics = json.loads((folder / "metrics.json").read_text())
    named = [*metrics["drawn"], *metrics["not_drawn"]]
    assert sorted(named) == sorted(judged[0].params.evaluate_edits.attributes or [])
    assert metrics["pooled"].keys() >= {
        "edit_reached[referee,ours]",
        "edit_kept[referee,linear]",
        "edit_same_person[referee,nothing]",
        "edit_monotone[referee,ours]",
    }
    table = rows_of(folder / "per_attribute.csv")
    assert {row["attribute"] for row in table if row["is_drawn"] == "True"} == set(metrics["drawn"])


def test_the_inversion_table_ends_with_optimisation(
    judged: tuple[Workspace, Outcome],
) -> None:
    rows = rows_of(judged[0].result("edits") / "inversions.csv")
    assert [row["name"] for row in rows] == ["mean face", "encoder", "encoder + optimisation"]
    assert all(row["edit_return_mse"] and row["descriptor_distance"] for row in rows)
    assert float(rows[2]["pixel_mse"]) < float(rows[1]["pixel_mse"])


def test_an_encoder_by_the_published_recipe_stands_in_the_table(workspace: Workspace) -> None:
    folder = edited(workspace, published_encoder=str(workspace.model("encoder")))
    rows = rows_of(folder / "inversions.csv")
    assert [row["name"] for row in rows[1:3]] == ["published recipe", "encoder"]
    assert rows[1]["pixel_mse"] == rows[2]["pixel_mse"]


def test_sheets_show_every_attribute_and_the_strips(judged: tuple[Workspace, Outcome]) -> None:
    workspace, outcome = judged
    names = [path.name for path in outcome.pictures]
    assert names == [
        *(f"{name}.png" for name in workspace.params.evaluate_edits.attributes or []),
        "strips.png",
    ]
    sheet, strips = pictures.load(outcome.pictures[0]), pictures.load(outcome.pictures[-1])
    assert sheet.shape == (3, 3 * 34 - 2, 3 * 34 - 2)  # inversions, ours, linear
    assert strips.shape == (3, 4 * 34 - 2, 3 * 34 - 2)


def test_without_a_descriptor_nobody_says_who_it_is(workspace: Workspace) -> None:
    folder = edited(workspace, descriptor=None)
    pooled = json.loads((folder / "metrics.json").read_text())["pooled"]
    assert pooled["edit_same_person[nobody,ours]"]["value"] is None
    assert not rows_of(folder / "inversions.csv")[0]["descriptor_distance"]


def test_what_the_referee_is_not_trusted_with_is_drawn_and_not_judged(workspace: Workspace) -> None:
    place = workspace.model("referee") / "config.json"
    config = place.read_text()
    place.write_text(json.dumps(json.loads(config) | {"reliable": []}))
    write_sums(place.parent)
    try:
        folder = edited(workspace)
    finally:
        place.write_text(config)
        write_sums(place.parent)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert not metrics["drawn"]
    assert not metrics["not_drawn"]
    assert all(one["value"] is None for one in metrics["pooled"].values())
    assert len(list((folder / "sheets").iterdir())) == 2
