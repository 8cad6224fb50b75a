"""Faces of several sources in bulk: each row's are made by themselves; what is wrong with one costs its own."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tedigan.__main__ import main
from tedigan.bulk.prompts import read_prompts
from tedigan.bulk.redrive import write_redrive
from tedigan.bulk.replay import rows_of
from tedigan.bulk.source_artist import sources_of
from tedigan.bulk.worker import Worker
from tedigan.errors import CaptionError
from tedigan.exactness import sha256_tensor
from tedigan.vocabulary.labels import LABEL_PALETTE
from tests.bulk.jobs import finished, pixels_of
from tests.bulk.test_bulk_edits import album

LIST = """text,sketch,label,photograph,style,strength
,s.png,,,,
She is smiling.,s.png,,,01,0.5
,,l.png,00.png,,
A man.,,,,,
He is young.,broken.png,,,,
,nobody.png,,,,
"""


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Path:
    """A list of sources, and the folder of its pictures: drawings, photographs, and one file that is none."""
    root = tmp_path_factory.mktemp("sources")
    folder = album(root / "pictures", 2)
    sketch = Image.new("L", (64, 64), 255)
    ImageDraw.Draw(sketch).ellipse([12, 6, 50, 58], outline=0, width=2)
    label = Image.new("RGB", (64, 64))
    ImageDraw.Draw(label).ellipse([12, 6, 50, 58], fill=LABEL_PALETTE["skin"])
    sketch.save(folder / "s.png")
    label.save(folder / "l.png")
    (folder / "broken.png").write_bytes(b"no picture")
    (root / "sources.csv").write_text(LIST)
    return root


def job(workspace, given: Path, place: Path, *, images_per_shard: int = 3) -> Worker:
    """Planned and approved on the command line, and a worker for it."""
    numbers = [
        "--faces-per-prompt",
        "2",
        "--images-per-shard",
        str(images_per_shard),
        "--sample",
        "1",
    ]
    main(
        [
            "jobs",
            "plan",
            str(given / "sources.csv"),
            str(place / "jobs"),
            "--yes",
            *numbers,
            "--pictures",
            str(given / "pictures"),
            "--workspace",
            str(workspace.root),
        ]
    )
    (address,) = (place / "jobs").iterdir()
    return Worker(str(address), workspace.models, place / "scratch", "cpu")


@pytest.fixture(scope="module")
def quiet(untrained, given, tmp_path_factory) -> Worker:
    return finished(job(untrained, given, tmp_path_factory.mktemp("quiet")))


def test_each_row_has_its_faces_with_their_sources_and_how_they_came_about(quiet):
    rows = list(rows_of(quiet.ledger, quiet.scratch))
    assert [row["sources"] for row in rows[::2]] == [
        "sketch=s.png", "sketch=s.png style=01.png", "label=l.png photograph=00.png", "", None
    ]  # fmt: skip
    assert "the sketch (1)" in rows[0]["report"]
    assert "the sentence: Smiling" in rows[2]["report"]
    assert rows[2]["strength"] == 0.5
    drawn = [row["pixels_sha256"] for row in rows if not row["failed"]]
    assert len(drawn) == 8
    assert len({*drawn}) == 6  # where every layer is given, nothing is left to chance


def test_a_picture_that_is_none_costs_its_own_row_and_a_name_of_nobody_is_set_aside(quiet):
    failed = [row["failed"] for row in rows_of(quiet.ledger, quiet.scratch) if row["failed"]]
    assert len(failed) == 2
    assert all("broken.png" in reason for reason in failed)
    assert quiet.ledger.plan.num_prompts == 5


def test_one_face_alone_and_other_shards_give_the_same_pixels(quiet, untrained, given, tmp_path):
    alone = replace(quiet)
    (asked,) = alone.asked(range(5, 6))
    face = alone.painter.face(5, asked, attempt=0)
    assert sha256_tensor(face.pixels) == pixels_of(quiet)[5]
    other = finished(job(untrained, given, tmp_path, images_per_shard=100))
    assert pixels_of(other) == pixels_of(quiet)


def test_what_failed_is_listed_with_its_sources_and_can_be_planned_again(quiet, given, tmp_path):
    assert write_redrive(quiet, tmp_path / "again.csv", marked=False) == 2
    with (tmp_path / "again.csv").open() as file:
        rows = [*csv.DictReader(file)]
    assert {(row["text"], row["sketch"], row["style"]) for row in rows} == {
        ("He is young.", "broken.png", "")
    }
    names = [path.name for path in sorted((given / "pictures").iterdir())]
    text = (tmp_path / "again.csv").read_text().replace(",reason", ",why")
    (tmp_path / "mended.csv").write_text(text.replace("broken.png", "s.png"))
    read = read_prompts("mended.csv", root=tmp_path, cache=tmp_path, kind="sources")
    assert [one.given for one in sources_of(read, names)] == [f"sketch={names.index('s.png')}"] * 2


def test_a_list_of_sources_is_no_list_of_faces(given):
    rows = read_prompts("sources.csv", root=given, cache=given)
    with pytest.raises(CaptionError, match=r"as lists of sources have.*with --pictures"):
        list(rows)


def test_photographs_and_pictures_together_are_refused(given, untrained, capsys):
    pictures_at = str(given / "pictures")
    arguments = ["jobs", "plan", str(given / "sources.csv"), str(given / "jobs")]
    both = ["--photographs", pictures_at, "--pictures", pictures_at]
    assert main([*arguments, *both, "--workspace", str(untrained.root)]) == 1
    assert "either edits photographs or makes faces of sources" in capsys.readouterr().err
