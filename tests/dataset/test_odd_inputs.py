"""Odd sources: what `validate` says of each is what `make` does with it, and both are right."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from tedigan.dataset.annotating import Helpers
from tedigan.dataset.build_settings import BuildSettings
from tedigan.dataset.folder import Dataset
from tedigan.dataset.validation import validate
from tedigan.errors import DataError
from tedigan.params import chosen
from tests.dataset.datasets_made import run, workspace
from tests.dataset.generated_listings import what_is_wrong
from tests.dataset.generated_masks import outcome
from tests.dataset.odd_inputs import INPUTS, RIGHT

HOW = {"resolution": 32, "kinds": ["text", "sketch", "label", "cutout"], "split": "auto"}


def judged(source: Path, folder: Path) -> tuple[int, list[tuple[str, str]]] | str:
    """How many are fit, and (name, problem) of what is not; or the refusal."""
    settings = chosen(workspace(folder, **HOW).params.dataset, BuildSettings)
    try:
        verdict = validate(str(source), settings, Helpers(), num_workers=1)
    except DataError as error:
        return str(error)
    told = [*verdict.problems, *verdict.not_read]
    return int(str(verdict.facts["fit to use"])), sorted((one.name, one.problem) for one in told)


def made(source: Path, folder: Path) -> tuple[int, list[tuple[str, str]]] | str:
    try:
        data, outcome = run(folder, source=str(source), **HOW)
    except DataError as error:
        return str(error)
    rows = [(row["name"], row["problem"]) for row in table(data, "quarantine.csv")]
    assert outcome.num_quarantined == sum(problem != "not read" for _, problem in rows)
    return len(data.ids), sorted(rows)


def table(data: Dataset, name: str) -> list[dict[str, str]]:
    with (data.folder / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_input_has_its_right_outcome() -> None:
    assert INPUTS.keys() == RIGHT.keys()


@pytest.mark.parametrize("name", INPUTS)
def test_validate_says_what_make_does_and_both_are_right(tmp_path: Path, name: str) -> None:
    source = INPUTS[name](tmp_path / "in")
    said, right = judged(source, tmp_path / "v"), RIGHT[name]
    assert said == made(source, tmp_path / "w")
    if isinstance(said, str) or isinstance(right, str):
        assert re.search(str(right), str(said))
    else:
        assert (said[0], Counter(problem for _, problem in said[1])) == right


def test_masks_show_the_skin_however_they_were_saved(tmp_path: Path) -> None:
    for name in ("masks_of_0_and_1", "masks_of_two_colours", "masks_of_alpha"):
        data, _ = run(tmp_path / name, source=str(INPUTS[name](tmp_path / f"{name}-in")), **HOW)
        labels = data.labels([0])[0]
        assert labels[16, 16] == 1
        assert labels[:9].max() == 0


def test_what_is_unusual_about_a_record_is_named(tmp_path: Path) -> None:
    source = INPUTS["tiny_photograph"](tmp_path / "in")
    data, _ = run(tmp_path / "w", source=str(source), **HOW | {"resolution": 64})
    notes = {row["name"]: row["note"] for row in table(data, "noted.csv")}
    assert notes["e.png"] == "enlarged more than twofold"
    source = INPUTS["masks_that_are_empty"](tmp_path / "empty")
    data, _ = run(tmp_path / "x", source=str(source), **HOW)
    assert ("CelebA-HQ-img/00003.png", "the mask of nose is there and empty") in {
        (row["name"], row["note"]) for row in table(data, "noted.csv")
    }


def test_a_released_list_divides_the_people_and_nobody_claims_to_know_them(tmp_path: Path) -> None:
    source = INPUTS["captions_9"](tmp_path / "in")
    data, _ = run(tmp_path / "w", source=str(source), **HOW | {"val_fraction": 0.0})
    assert (data.description["split"], data.split("test")) == ("published", [6, 7, 8])
    page = data.folder.with_suffix(".html").read_text()
    assert "No person is in two splits" not in page
    assert "Nobody said who is who" in page
    known, _ = run(tmp_path / "k", source=str(INPUTS["upper_case_suffix"](tmp_path / "b")), **HOW)
    assert "No person is in two splits" in known.folder.with_suffix(".html").read_text()


def test_own_cut_outs_are_kept(tmp_path: Path) -> None:
    source = INPUTS["cutout_damaged"](tmp_path / "in")
    data, _ = run(tmp_path / "w", source=str(source), **HOW)
    alpha = data.cutouts([0])[0, 3]
    assert (alpha[:8] == 0).all()
    assert (alpha[8:24] == 255).all()
    assert data.description["origin"]["cutout"] == "source"


@pytest.mark.parametrize("seed", range(0, 100, 2))
def test_every_entry_of_a_listing_is_used_or_named_on_each_shelf(tmp_path: Path, seed: int) -> None:
    for one in (seed, seed + 1):
        place = tmp_path / str(one)
        place.mkdir()
        assert what_is_wrong(one, place) == ""


def test_a_mask_of_any_mode_and_palette_is_read_rightly_or_refused() -> None:
    found = [outcome(seed) for seed in range(152)]
    assert [one for one in found if one[1].startswith("wrong")] == []
    assert {what for _, what in found} == {"right", "refused"}
