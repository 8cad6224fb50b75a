"""Edits in bulk: each photograph is inverted once for all its edits, and what is wrong with one costs its own."""

import shutil
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from tedigan.bulk.album import PHOTOGRAPHS, Album, edits_of, find_photographs
from tedigan.bulk.ledger import Ledger
from tedigan.bulk.planning import plan_job
from tedigan.bulk.prompt_table import Asked, write_prompts
from tedigan.bulk.prompts import Prompt, Rejected, read_prompts
from tedigan.bulk.replay import rows_of
from tedigan.bulk.worker import Worker
from tedigan.captions.grammar_files import GRAMMAR
from tedigan.errors import CaptionError, DataError
from tedigan.exactness import sha256_tensor
from tedigan.store import pictures
from tedigan.store.shelves import FolderShelf
from tedigan.tensors import stream
from tedigan.workspace import Workspace
from tests.bulk.jobs import finished, pixels_of

EDITS = [Prompt(1, "He is smiling."), Prompt(2, "She is young.", strength=-1.0)]


def album(folder: Path, count: int) -> Path:
    """Pictures 00.png, 01.png, ... of soft noise."""
    folder.mkdir(parents=True)
    for number in range(count):
        small = torch.rand(1, 3, 4, 4, generator=stream(3, number))
        pixels = torch.nn.functional.interpolate(small, (40, 40), mode="bilinear")[0] * 255
        pictures.save(folder / f"{number:02d}.png", pixels.to(torch.uint8))
    return folder


def edits_job(
    workspace: Workspace, folder: Path, photographs: Path, rows: list[Any], **values: Any
) -> Worker:
    """An approved job in `folder`, and a worker for it."""
    draft = folder / "draft"
    (folder / "cache").mkdir(parents=True)
    found = find_photographs(str(photographs), folder / "cache" / PHOTOGRAPHS, folder / "cache")
    write_prompts(draft, edits_of(rows, found.names))
    (folder / "cache" / PHOTOGRAPHS).rename(draft / PHOTOGRAPHS)
    (draft / GRAMMAR).write_bytes(workspace.grammar.read_bytes())
    params = workspace.params.manipulate.model_dump(mode="json")
    params |= {"num_search_steps": 1, "num_picture_steps": 1, "num_steps": 8, "min_progress": 0.1}
    params |= values.pop("params", {})
    numbers = {"images_per_shard": 3, "batch_size": 4} | values
    plan = plan_job(
        draft,
        workspace.models,
        params,
        faces_per_prompt=1,
        seed=0,
        num_threads=1,
        attempts=1,
        image_format="png",
        photographs=str(photographs),
        **numbers,
    )
    ledger = Ledger.create(str(folder / "jobs"), plan, draft)
    ledger.approve("tests")
    return Worker(ledger.address, workspace.models, folder / "scratch", "cpu")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return album(tmp_path_factory.mktemp("photographs") / "album", 6)


@pytest.fixture(scope="module")
def quiet(
    untrained: Workspace, photographs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Worker:
    folder = tmp_path_factory.mktemp("quiet")
    return finished(edits_job(untrained, folder, photographs, EDITS))


def test_every_photograph_gets_every_edit_that_names_it(quiet: Worker) -> None:
    rows = list(rows_of(quiet.ledger, quiet.scratch))
    found = [(row["photograph"], row["text"], row["strength"]) for row in rows]
    assert found == [
        (f"{number:02d}.png", text, strength)
        for number in range(6)
        for text, strength in (("He is smiling.", 1.0), ("She is young.", -1.0))
    ]
    assert all(row["failed"] is None and row["inversion_mse"] > 0 for row in rows)
    assert len({row["pixels_sha256"] for row in rows}) == 12


@pytest.mark.parametrize("images_per_shard", [1, 5, 100])
def test_the_size_of_a_shard_changes_no_edited_pixel(
    untrained: Workspace, photographs: Path, tmp_path: Path, quiet: Worker, images_per_shard: int
) -> None:
    worker = edits_job(untrained, tmp_path, photographs, EDITS, images_per_shard=images_per_shard)
    assert pixels_of(finished(worker)) == pixels_of(quiet)


def test_a_photograph_is_inverted_once_for_all_edits_that_follow_each_other(
    quiet: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = replace(quiet)
    inverter = worker.painter.artist.inverter
    inverted = []
    invert = type(inverter).invert
    monkeypatch.setattr(
        type(inverter), "invert", lambda self, x: inverted.append(len(x)) or invert(self, x)
    )
    list(worker.painter.faces(range(12), worker.asked(range(12))))
    assert inverted == [4, 4]


def test_one_edit_alone_is_what_it_is_among_others(quiet: Worker) -> None:
    alone = replace(quiet)
    (asked,) = alone.asked(range(7, 8))

    face = alone.painter.face(7, asked, attempt=0)
    assert sha256_tensor(face.pixels) == pixels_of(quiet)[7]


def test_a_photograph_that_is_gone_changed_or_damaged_costs_its_own_edits(
    untrained: Workspace, tmp_path: Path
) -> None:
    place = album(tmp_path / "album", 9)
    (place / "08.png").write_bytes(b"no picture")
    worker = edits_job(untrained, tmp_path, place, EDITS)
    (place / "01.png").unlink()
    (place / "03.png").write_bytes((place / "02.png").read_bytes())
    rows = list(rows_of(finished(worker).ledger, worker.scratch))
    failed = {row["image"]: row["failed"] for row in rows if row["failed"]}
    assert sorted(failed) == [2, 3, 6, 7, 16, 17]
    assert "which the plan names" in failed[2]
    assert "changed after planning" in failed[6]
    assert "08.png" in failed[16]
    assert all(row["file_sha256"] for row in rows if not row["failed"])
    assert sum(commit.num_failed for commit in worker.ledger.commits()) == 6


def test_where_no_photograph_lies_nothing_is_drawn(
    untrained: Workspace, photographs: Path, tmp_path: Path
) -> None:
    worker = edits_job(untrained, tmp_path, photographs, EDITS)
    (tmp_path / "empty").mkdir()
    elsewhere = replace(worker, photographs=str(tmp_path / "empty"))
    with pytest.raises(DataError, match="has none of the 6 photographs"):
        finished(elsewhere)
    assert worker.ledger.committed() == set()


def test_edits_drawn_by_tuned_generators_are_each_their_photographs(
    untrained: Workspace, photographs: Path, tmp_path: Path, quiet: Worker
) -> None:
    tuned = {"num_tuning_steps": 3, "tuning_blocks": [8], "tuning_mse": 0.0}
    one, other = (
        edits_job(
            untrained, tmp_path / str(n), photographs, EDITS, params=tuned, images_per_shard=n
        )
        for n in (2, 12)
    )
    assert pixels_of(finished(one)) == pixels_of(finished(other)) != pixels_of(quiet)
    before = [row["inversion_mse"] for row in rows_of(quiet.ledger, quiet.scratch)]
    after = [row["inversion_mse"] for row in rows_of(one.ledger, one.scratch)]
    assert sum(after) < sum(before)


def test_a_list_of_edits_names_photographs_and_strengths(tmp_path: Path) -> None:
    (tmp_path / "edits.csv").write_text(
        "photograph,text,strength\n*,Smiling.,\nb,Young.,-0.5\nsub/a.png,Old.,2\nc,Bald.,\nb,Bald.,9\n"
    )
    rows = read_prompts("edits.csv", root=tmp_path, cache=tmp_path, kind="edits")
    found = list(edits_of(rows, ["sub/a.png", "sub/b.jpg"]))
    assert found[:4] == [
        Asked("Smiling.", 0, 1.0),
        Asked("Old.", 0, 2.0),
        Asked("Smiling.", 1, 1.0),
        Asked("Young.", 1, -0.5),
    ]
    name, strength = sorted(found[4:])
    assert isinstance(strength, Rejected)
    assert "-3..3" in strength.reason
    assert isinstance(name, Rejected)
    assert "no photograph is called 'c'" in name.reason


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"photograph": "a.png", "text": "Smiling."}, "photograph"),
        ({"photograph": "*", "text": "Smiling."}, "photograph"),
        ({"photograph": "", "text": "Smiling."}, "photograph"),
        ({"text": "Smiling.", "strength": "-1"}, "strength"),
        ({"photograph": "*", "text": "Smiling.", "strength": ""}, "photograph and strength"),
    ],
)
def test_a_list_of_edits_is_no_list_of_faces(
    tmp_path: Path, columns: dict[str, str], named: str
) -> None:
    (tmp_path / "edits.csv").write_text(f"{','.join(columns)}\n{','.join(columns.values())}\n")
    cells = {name: pa.array([cell or None], pa.string()) for name, cell in columns.items()}
    pq.write_table(pa.table(cells), tmp_path / "edits.parquet")
    for name in ("edits.csv", "edits.parquet"):
        rows = read_prompts(name, root=tmp_path, cache=tmp_path)
        with pytest.raises(CaptionError, match=rf"{name}: .*column {named},.*with --photographs"):
            write_prompts(tmp_path / "draft", rows)
    assert not (tmp_path / "draft").exists()


def test_a_short_name_that_photographs_share_is_ambiguous_and_some_of_them_are_named() -> None:
    names = ["a.png", *(f"{folder}/a.jpg" for folder in "pqrs")]
    rows = [Prompt(1, "Smiling.", "a"), Prompt(2, "Young.", "a.png"), Prompt(3, "Old.", "a.jpg")]
    whole, *wrong = edits_of(rows, names)
    assert whole == Asked("Young.", 0)  # as one is called so, others may not be
    of_stem, of_file = (one.reason for one in wrong)
    assert (
        "'a' is ambiguous, 5 photographs are called so: 'a.png', 'p/a.jpg', 'q/a.jpg' and 2 more;"
        in of_stem
    )
    assert "4 photographs" in of_file
    assert "Write it whole" in of_file


def test_photographs_are_found_in_a_tar_a_data_set_and_s3(
    untrained: Workspace, photographs: Path, tmp_path: Path, s3_uri: str
) -> None:
    from tedigan.store.addresses import open_bucket

    with tarfile.open(tmp_path / "album.tar", "w") as tar:
        for path in sorted(photographs.iterdir()):
            tar.add(path, path.name)
            open_bucket(f"{s3_uri}/album").write(path.name, path)
    here = find_photographs(str(photographs), tmp_path / "a.parquet", tmp_path)
    for place in (str(tmp_path / "album.tar"), f"{s3_uri}/album"):
        there = find_photographs(place, tmp_path / "b.parquet", tmp_path / "cache")
        assert (there.names, there.sha256) == (here.names, here.sha256)
        again = Album.read(tmp_path / "b.parquet", place, tmp_path / "cache")
        assert torch.equal(again.pixels(3, 16), here.pixels(3, 16))
    kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert kept == []  # a million photographs are read, and none stays on the worker's disk
    of_data = find_photographs(str(untrained.dataset), tmp_path / "c.parquet", tmp_path)
    assert of_data.names
    assert all(".image." in name for name in of_data.names)


def test_a_place_without_photographs_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no picture"):
        find_photographs(str(tmp_path), tmp_path / "a.parquet", tmp_path)


def test_a_photograph_that_cannot_be_read_when_it_is_planned_costs_its_own_edits(
    photographs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(photographs, tmp_path / "album")
    (tmp_path / "album" / "link.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "album" / "0.png").touch()
    read = FolderShelf.read

    def without_rights(shelf: FolderShelf, name: str) -> bytes:
        if name == "0.png":
            raise DataError(f"{name} cannot be read: no rights.")
        return read(shelf, name)

    monkeypatch.setattr(FolderShelf, "read", without_rights)
    album = find_photographs(str(tmp_path / "album"), tmp_path / "a.parquet", tmp_path)
    names = list(album.names)
    assert album.sha256[names.index("0.png")] == ""
    assert "link.png" not in names
    assert "not used: link.png is a link" in capsys.readouterr().err
    assert album.pixels(names.index("0.png") - 1, 16).shape == (3, 16, 16)
    with pytest.raises(DataError, match=r"0\.png cannot be read"):
        album.pixels(names.index("0.png"), 16)


def test_of_two_photographs_of_one_name_none_is_lost_in_silence(
    photographs: Path, tmp_path: Path
) -> None:
    shutil.copytree(photographs, tmp_path / "album")
    name = min(path.name for path in photographs.iterdir())
    with tarfile.open(tmp_path / "album" / "more.tar", "w") as tar:
        tar.add(photographs / name, name)
    with pytest.raises(DataError, match=f"1 names twice, such as {name}"):
        find_photographs(str(tmp_path / "album"), tmp_path / "a.parquet", tmp_path)
