"""Shards are read as they are, by webdataset and by pandas; and what else reads files gets files."""

import hashlib
import io
import json
from pathlib import Path

import pandas as pd
import pytest
import torch
import webdataset
from PIL import Image

from benchmarks.toy_jobs import ToyWorker, toy_job
from tedigan.__main__ import main
from tedigan.bulk import job_export
from tedigan.bulk.job_export import export
from tedigan.dataset.sources import multimodal
from tedigan.errors import DataError
from tedigan.store import pictures
from tests.bulk.marked import marked_job
from tests.dataset.datasets_made import run


@pytest.fixture
def worker(tmp_path: Path) -> ToyWorker:
    return marked_job(tmp_path / "jobs", tmp_path)


def digests(folder: Path) -> dict[int, str]:
    """Image -> sha256 of its file."""
    return {
        int(path.stem): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*.png")
    }


def tables(worker: ToyWorker) -> pd.DataFrame:
    files = sorted(Path(worker.job, "shards").glob("*.parquet"))
    return pd.concat(map(pd.read_parquet, files)).sort_values("image", ignore_index=True)


def test_webdataset_reads_the_shards_as_they_are(worker: ToyWorker) -> None:
    tars = sorted(map(str, Path(worker.job, "shards").glob("*.tar")))
    rows = tables(worker).set_index("image")
    samples = list(webdataset.WebDataset(tars, shardshuffle=False, empty_check=False))
    assert sorted(int(one["__key__"]) for one in samples) == list(range(10))
    for one in samples:
        row = rows.loc[int(one["__key__"])]
        assert hashlib.sha256(one["image.png"]).hexdigest() == row["file_sha256"]
        assert one["text.txt"].decode() == row["text"]
        assert json.loads(one["recipe.json"])["pixels_sha256"] == row["pixels_sha256"]
        assert Image.open(io.BytesIO(one["image.png"])).size == (16, 16)
    decoded = webdataset.WebDataset(tars, shardshuffle=False, empty_check=False).decode("pil")
    for picture, text in decoded.to_tuple("image.png", "text.txt"):
        assert (picture.mode, picture.size, text[:5]) == ("RGB", (16, 16), "Face ")


def test_pandas_reads_the_tables_as_they_are(worker: ToyWorker) -> None:
    rows = tables(worker)
    assert list(rows["image"]) == list(range(10))
    assert list(rows["text"]) == [f"Face {row}." for row in range(1, 11)]
    assert list(rows.query("lacks != ''")["image"]) == [0, 3, 6, 9]


def test_pictures_are_the_committed_files_and_the_table_names_each(
    worker: ToyWorker, tmp_path: Path
) -> None:
    assert export(worker.ledger, tmp_path / "out", layout="pictures") == 10
    rows = pd.read_parquet(tmp_path / "out/images.parquet")
    assert digests(tmp_path / "out") == dict(zip(rows["image"], rows["file_sha256"], strict=True))
    assert rows["file"][7] == "000/000007.png"
    assert all((tmp_path / "out" / name).is_file() for name in rows["file"])
    assert rows.drop(columns="file").equals(tables(worker))


def test_a_folder_holds_no_more_than_its_share(
    worker: ToyWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_export, "A_FOLDER", 4)
    export(worker.ledger, tmp_path / "out", layout="pictures")
    sizes = {one.name: len(list(one.iterdir())) for one in (tmp_path / "out").glob("*/")}
    assert sizes == {"000": 4, "001": 4, "002": 2}


def test_marked_images_are_left_out_where_that_is_asked(worker: ToyWorker, tmp_path: Path) -> None:
    count = export(worker.ledger, tmp_path / "out", layout="pictures", only_unmarked=True)
    assert count == 6
    assert sorted(digests(tmp_path / "out")) == [1, 2, 4, 5, 7, 8]
    assert list(pd.read_parquet(tmp_path / "out/images.parquet")["image"]) == [1, 2, 4, 5, 7, 8]


def test_the_data_set_builder_reads_an_export_back(tmp_path: Path) -> None:
    worker = marked_job(tmp_path / "jobs", tmp_path, num_images=40)
    assert main(["jobs", "export", worker.job, str(tmp_path / "mm"), "--layout=mm-celeba-hq"]) == 0
    changes = {"kinds": ["text"], "split": "published", "val_fraction": 0.0}
    data, _ = run(tmp_path / "w", source=str(tmp_path / "mm"), duplicates="keep", **changes)
    rows = tables(worker)
    assert data.description["source"] == "MM-CelebA-HQ"
    assert list(data.ids) == list(rows["image"])
    assert [data.captions(id) for id in data.ids] == [[text] for text in rows["text"]]
    assert len(data.split("train")) > len(data.split("test")) > 0
    splits = data.index.splits
    assert all(splits[id] == splits[id + 1] for id in data.ids[::2])  # two faces of one prompt
    export(worker.ledger, tmp_path / "out", layout="pictures")
    kept = torch.stack([pictures.load(tmp_path / f"out/000/{id:06d}.png") for id in data.ids])
    assert (kept.float() - data.pixels(data.ids).float()).abs().mean() < 8  # noise, as JPEG


def test_on_s3_it_is_the_same_export(s3_uri: str, tmp_path: Path) -> None:
    for place, name in ((str(tmp_path / "jobs"), "a"), (f"{s3_uri}/jobs", "b")):
        worker = marked_job(place, tmp_path / name)
        export(worker.ledger, tmp_path / f"{name}-out", layout="pictures")
    assert digests(tmp_path / "a-out") == digests(tmp_path / "b-out")


def test_what_an_unfinished_job_has_is_exported_on_demand_alone(tmp_path: Path) -> None:
    worker = toy_job(tmp_path / "jobs", tmp_path, num_images=10, images_per_shard=4)
    with pytest.raises(DataError, match="0 of 3 shards"):
        export(worker.ledger, tmp_path / "out", layout="pictures", is_partial=True)
    list(worker.work([1]))
    with pytest.raises(DataError, match="1 of 3 shards, expected all"):
        export(worker.ledger, tmp_path / "out", layout="pictures")
    assert main(["jobs", "export", worker.job, str(tmp_path / "out"), "--partial"]) == 0
    assert sorted(digests(tmp_path / "out")) == [4, 5, 6, 7]


@pytest.mark.parametrize("suffix", [".tar", ".parquet"])
@pytest.mark.parametrize("layout", ["pictures", "mm-celeba-hq"])
def test_a_shard_that_is_not_the_committed_one_ends_it_and_nothing_is_written(
    worker: ToyWorker, tmp_path: Path, suffix: str, layout: str
) -> None:
    commit = worker.ledger.commit_of(2)
    piece = commit.tar if suffix == ".tar" else commit.table
    path = Path(worker.job, "shards", f"{piece.sha256}{suffix}")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match="damaged or replaced"):
        export(worker.ledger, tmp_path / "new/out", layout=layout)
    assert list((tmp_path / "new").iterdir()) == []
    assert len(list(Path(worker.job, "shards").iterdir())) == 6


def test_an_export_of_a_job_never_writes_over_something(worker: ToyWorker, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="exists; expected a new folder"):
        export(worker.ledger, tmp_path, layout="pictures")


def test_more_names_than_a_list_may_hold_are_refused_before_any_work(
    worker: ToyWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert multimodal._MAX_NAMES == job_export.MAX_NAMES
    monkeypatch.setattr(job_export, "MAX_NAMES", 6)
    with pytest.raises(DataError, match=r"have 10 images.*up to 6"):
        export(worker.ledger, tmp_path / "out", layout="mm-celeba-hq")
    assert export(worker.ledger, tmp_path / "out", layout="mm-celeba-hq", only_unmarked=True) == 6
