"""What a source does not say of its photographs: whether there is a face, whose it is, and whose a mask is."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from tedigan.dataset import annotating
from tedigan.dataset.annotating import Annotators, Helpers
from tedigan.dataset.build_settings import BuildSettings
from tedigan.dataset.folder import Dataset
from tedigan.dataset.people import group_faces
from tedigan.dataset.splits import FIRST_GROUP, halves
from tedigan.dataset.validation import Verdict, validate
from tedigan.drawn import draw_face
from tedigan.params import chosen
from tedigan.store import pictures
from tests.dataset.datasets_made import ROOT, run, workspace
from tests.dataset.sources_made import put, write_pictures
from tests.dataset.test_dataset_annotators import write_parser, write_tagger

PARSER = str(ROOT / "assets/parser-drawn-64")
NAMES = [f"{number}.png" for number in range(12)]


def verdict_of(source: Path, folder: Path, helpers: Helpers, **changes: object) -> Verdict:
    settings = chosen(workspace(folder, **changes).params.dataset, BuildSettings)
    return validate(str(source), settings, helpers, num_workers=1)


def quarantine(data: Dataset) -> dict[str, str]:
    with (data.folder / "quarantine.csv").open(newline="", encoding="utf-8") as file:
        return {row["name"]: row["problem"] for row in csv.DictReader(file)}


def noted(data: Dataset) -> set[tuple[str, str]]:
    with (data.folder / "noted.csv").open(newline="", encoding="utf-8") as file:
        return {(row["name"], row["note"]) for row in csv.DictReader(file)}


# Is there a face?


def test_nothing_is_said_of_a_photograph_without_a_face(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dlib finds one on all but the first, and nobody is asked where a person gave the attributes."""
    source = write_pictures(tmp_path / "source", ["0.png", "1.png", "2.png"])
    first = pictures.decode((source / "0.png").read_bytes())
    monkeypatch.setattr(annotating, "can_look", lambda: True)
    monkeypatch.setattr(annotating, "shows_face", lambda pixels: not torch.equal(pixels, first))
    tagger = write_tagger(tmp_path / "tagger", {"Smiling"})
    how = {"faceless": "reject", "kinds": ["text"]}
    data, _ = run(tmp_path / "w", source=str(source), tagger=str(tagger), **how)
    assert quarantine(data) == {"0.png": "no face"}
    verdict = verdict_of(source, tmp_path / "v", Helpers(tagger=tagger), **how)
    assert [(one.name, one.problem) for one in verdict.problems] == [("0.png", "no face")]
    how["faceless"] = "keep"
    data, _ = run(tmp_path / "k", source=str(source), tagger=str(tagger), **how)
    assert ("0.png", "no face is found, and the tagger speaks of one") in noted(data)
    put(source / "t.csv", "file,Smiling\n0,1\n1,0\n2,0\n")
    data, _ = run(tmp_path / "t", source=str(source), faceless="reject", kinds=["text"])
    assert quarantine(data) == {}


def test_without_dlib_the_parser_looks_and_without_both_it_is_noted_that_nobody_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotating, "can_look", lambda: False)
    source = tmp_path / "source"
    for id in range(2):
        face = pictures.rasterise(draw_face(0, id).svg, 64)
        put(source / f"{id}.png", pictures.encode(face, "png"))
    put(source / "2.png", pictures.encode(torch.full((3, 64, 64), 90, dtype=torch.uint8), "png"))
    tagger = write_tagger(tmp_path / "tagger", {"Smiling"})
    how = {"source": str(source), "tagger": str(tagger), "faceless": "reject"}
    data, _ = run(tmp_path / "w", parser=PARSER, **how)
    assert quarantine(data) == {"2.png": "no face"}
    data, _ = run(tmp_path / "x", **how)
    assert quarantine(data) == {}
    assert sum(note.startswith("nobody looked") for _, note in noted(data)) == 3


# Who is who?


def test_like_faces_are_one_group_and_a_chain_of_likenesses_is_not() -> None:
    places = np.array([[0, 0], [0.1, 0], [5, 0], [5, 0.1], [9, 9]], np.float32)
    assert group_faces(places, [-1, -2, -3, -4, -5]) == [-1, -1, -3, -3, -5]
    chain = np.stack([np.arange(12) * 0.4, np.zeros(12)], axis=1).astype(np.float32)
    assert len(set(group_faces(chain, list(range(-1, -13, -1))))) > 3


def test_a_named_person_keeps_the_name_and_two_are_never_one() -> None:
    places = np.array([[0, 0], [0.01, 0], [0.05, 0], [7, 0], [7.1, 0]], np.float32)
    assert group_faces(places, [4, -2, 9, -4, 6]) == [4, 4, 9, 6, 6]
    assert group_faces(places, [4, 9, -3, 5, -5]) == [4, 9, 9, 5, 5]


def test_groups_of_like_faces_lie_in_one_split_and_nobody_claims_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures 0 to 11, of which each two after another are of one face."""
    source = write_pictures(tmp_path / "source", NAMES)
    shown = {
        pictures.decode((source / name).read_bytes()).numpy().tobytes(): name for name in NAMES
    }

    def describe(self, photograph):
        number = int(shown[photograph.numpy().tobytes()].split(".")[0])
        return np.array([number // 2 * 3, 0.1 * number], np.float32).tobytes()

    monkeypatch.setattr(Annotators, "describe", describe)
    how = {"kinds": [], "val_fraction": 0.1, "test_fraction": 0.1, "people": "faces"}
    data, _ = run(tmp_path / "w", source=str(source), **how)
    people = data.identities(data.ids).tolist()
    assert people == [FIRST_GROUP - id // 2 * 2 for id in data.ids]
    assert set(data.index.splits) == {"train", "val", "test"}
    assert data.index.splits[::2] == data.index.splits[1::2]
    half = data.half("guide")
    assert all((id ^ 1) in half for id in half)
    assert not data.knows_people
    page = data.folder.with_suffix(".html").read_text()
    assert "No person is in two splits" not in page
    assert "it errs" in page
    verdict = verdict_of(source, tmp_path / "v", Helpers(), **how)
    assert "by their faces 6 groups" in str(verdict.facts["people"])
    assert verdict_of(data.folder, tmp_path / "x", Helpers()).problems == []


def test_a_published_list_that_parts_a_group_is_kept_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_pictures(tmp_path / "source", NAMES)
    rows = "".join(f"{id},{'test' if id < 3 else 'train'},1\n" for id in range(12))
    put(source / "t.csv", "file,split,Smiling\n" + rows)
    monkeypatch.setattr(
        Annotators, "describe", lambda self, photograph: np.zeros(2, np.float32).tobytes()
    )
    how = {"kinds": [], "split": "published", "people": "faces", "val_fraction": 0.0}
    verdict = verdict_of(source, tmp_path / "v", Helpers(), **how)
    assert verdict.problems == []
    assert verdict.facts["groups that the source's lists part"] == 1
    data, _ = run(tmp_path / "w", source=str(source), **how)
    assert data.split("test") == [0, 1, 2]


def test_people_of_whom_nothing_is_known_stay_in_the_halves_they_were_in() -> None:
    alone = halves({id: -1 - id for id in range(40)})
    grouped = halves({id: FIRST_GROUP - id // 2 * 2 for id in range(40)})
    for name, ids in grouped.items():
        assert set(ids) == {id for id in range(40) if id // 2 * 2 in alone[name]}


# Whose mask is it?


def drawn_with_maps(folder: Path, swapped: tuple[int, int] | None) -> Path:
    """Faces with their label maps beside, two of which may lie with each other's face."""
    maps = list(range(10))
    if swapped is not None:
        a, b = swapped
        maps[a], maps[b] = b, a
    for id, whose in enumerate(maps):
        face = pictures.rasterise(draw_face(3, id).svg, 64)
        put(folder / f"{id}.jpg", pictures.encode(face, "jpg"))
        colours = pictures.rasterise(draw_face(3, whose).label_svg, 64, is_label=True)
        put(folder / f"{id}.png", pictures.encode(colours, "png"))
    return folder


def test_masks_of_two_people_that_were_swapped_are_named_and_no_others(tmp_path: Path) -> None:
    how = {"kinds": ["label"], "resolution": 64}
    sound = drawn_with_maps(tmp_path / "sound", None)
    assert verdict_of(sound, tmp_path / "a", Helpers(parser=PARSER), **how).problems == []
    wrong = drawn_with_maps(tmp_path / "wrong", (2, 9))
    verdict = verdict_of(wrong, tmp_path / "b", Helpers(parser=PARSER), **how)
    names = {f"{id}.jpg": "swapped masks" for id in (2, 9)}
    assert {one.name: one.problem for one in verdict.problems} == names
    assert "9.jpg" in verdict.problems[0].reason
    data, _ = run(tmp_path / "w", source=str(wrong), parser=PARSER, **how)
    assert quarantine(data) == names


def test_a_parser_that_sees_nothing_right_accuses_nobody(tmp_path: Path) -> None:
    source = drawn_with_maps(tmp_path / "sound", None)
    random = str(write_parser(tmp_path / "parser"))
    how = {"kinds": ["label"], "resolution": 64}
    assert verdict_of(source, tmp_path / "v", Helpers(parser=random), **how).problems == []
