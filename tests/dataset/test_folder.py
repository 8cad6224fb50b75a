"""The data set folder: what was written is read, and an incomplete one is refused."""

import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tedigan.dataset import folder as datasets
from tedigan.dataset.folder import Dataset, shard_name, write_tables
from tedigan.dataset.index import Row
from tedigan.errors import DataError, ImageError
from tedigan.store import pictures
from tedigan.store.files import sha256_tree, write_json
from tedigan.store.shards import ShardWriter, read_shard
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES, attributes_of

IDS = [3, 5, 8, 9]
SIDE = 16
PER_SHARD = 8
KINDS = {"image": "png", "text": "txt", "sketch": "png", "label": "png", "cutout": "png"}
SPLITS = ["train", "train", "val", "test"]


def noise(id: int, channels: int, side: int = SIDE) -> Tensor:
    generator = torch.Generator().manual_seed(id)
    return torch.randint(0, 19, (channels, side, side), generator=generator).to(torch.uint8)


def files_of(id: int) -> dict[str, bytes]:
    return {
        "image": pictures.encode(noise(id, 3), "png"),
        "text": f"Face {id}.\nA face.\n".encode(),
        "sketch": pictures.encode(noise(id + 100, 1), "png"),
        "label": pictures.encode(noise(id, 1), "png"),
        "cutout": pictures.encode(noise(id + 200, 4), "png"),
    }


def write(
    folder: Path,
    kinds: dict[str, str] = KINDS,
    *,
    attribute_names: tuple[str, ...] = ATTRIBUTE_NAMES,
    **changed: bytes,
) -> Path:
    """Two shards; `changed` takes the place of files of record 3."""
    shards = {}
    for number in (0, 1):
        with ShardWriter(folder / shard_name(number), kinds) as writer:
            for id in (id for id in IDS if id // PER_SHARD == number):
                files = files_of(id) | (changed if id == 3 else {})
                writer.add(id, {kind: files[kind] for kind in kinds})
        shards[number] = read_shard(folder / shard_name(number))
    attributes = bytes(attributes_of(["Young"]).tolist()) if attribute_names else b""
    write_tables(
        folder,
        [Row(i, s, i // 2, f"x/{i}", "", attributes) for i, s in zip(IDS, SPLITS, strict=True)],
        shards=shards,
        quarantine=[("x/4", "damaged", "no picture")],
        description={
            "attribute_names": list(attribute_names),
            "kinds": kinds,
            "licence": "none",
            "resolution": SIDE,
        },
    )
    return folder


def test_what_was_written_is_read(tmp_path: Path) -> None:
    dataset = Dataset.open(write(tmp_path / "set"))
    assert dataset.ids == IDS
    assert [dataset.split(name) for name in ("train", "val", "test")] == [[3, 5], [8], [9]]
    assert torch.equal(dataset.pixels([8, 3]), torch.stack([noise(8, 3), noise(3, 3)]))
    assert torch.equal(dataset.sketches([5])[0], noise(105, 1))
    assert torch.equal(dataset.labels([9, 9]), noise(9, 1).expand(2, -1, -1))
    assert torch.equal(dataset.cutouts([8])[0], noise(208, 4))
    assert dataset.captions(5) == ["Face 5.", "A face."]
    assert dataset.identities([9, 3]).tolist() == [4, 1]
    assert dataset.attributes(IDS).sum(1).tolist() == [1] * 4
    assert dataset.pixels([]).shape == (0, 3, SIDE, SIDE)


def test_nothing_of_a_record_but_its_own_bytes_is_read(tmp_path: Path) -> None:
    """Random access: the rest of the shard may be anything."""
    folder = write(tmp_path / "set")
    dataset = Dataset.open(folder)
    _, span = dataset.index.place(1, "image")
    path = folder / shard_name(0)
    content = path.read_bytes()
    kept = content[span.offset : span.offset + span.size]
    path.write_bytes(bytes(span.offset) + kept + bytes(len(content) - span.offset - span.size))
    assert torch.equal(dataset.pixels([5])[0], noise(5, 3))


def test_a_set_too_large_to_keep_is_decoded_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "MAX_KEPT_BYTES", 0)
    dataset = Dataset.open(write(tmp_path / "set"))
    ids = IDS * 5
    assert torch.equal(dataset.pixels(ids), torch.stack([noise(id, 3) for id in ids]))


def test_pictures_that_fit_are_decoded_once(tmp_path: Path) -> None:
    dataset = Dataset.open(write(tmp_path / "set"))
    first = dataset.pixels(IDS)
    shutil.rmtree(dataset.folder / "shards")
    assert torch.equal(dataset.pixels(IDS), first)


def test_changing_what_was_returned_does_not_change_the_set(tmp_path: Path) -> None:
    dataset = Dataset.open(write(tmp_path / "set"))
    dataset.pixels(IDS).zero_()
    assert torch.equal(dataset.pixels([3])[0], noise(3, 3))


def test_equal_records_give_equal_bytes(tmp_path: Path) -> None:
    assert sha256_tree(write(tmp_path / "a")) == sha256_tree(write(tmp_path / "b"))


def test_dvc_sees_shards_and_not_records(tmp_path: Path) -> None:
    folder = write(tmp_path / "set")
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    tables = {"dataset.json", "index.parquet", "noted.csv", "quarantine.csv"}
    assert names == tables | {shard_name(0), shard_name(1)}


def test_an_unknown_id_or_split_is_refused(tmp_path: Path) -> None:
    dataset = Dataset.open(write(tmp_path / "set"))
    for ask in (dataset.pixels, dataset.attributes, dataset.identities):
        with pytest.raises(DataError, match="no photograph 4"):
            ask([3, 4])
    with pytest.raises(DataError, match="no photograph 4"):
        dataset.captions(4)
    with pytest.raises(DataError, match="train, val, test"):
        dataset.split("dev")


def test_kinds_that_are_not_there_are_refused(tmp_path: Path) -> None:
    dataset = Dataset.open(write(tmp_path / "set", {"image": "png"}))
    with pytest.raises(DataError, match="no label maps"):
        dataset.labels([])
    with pytest.raises(DataError, match="no captions"):
        dataset.captions(3)
    with pytest.raises(DataError, match="no cutout files"):
        dataset.cutouts([3])


def test_a_set_without_attributes_has_none(tmp_path: Path) -> None:
    dataset = Dataset.open(write(tmp_path / "set", attribute_names=()))
    assert dataset.attributes([3, 8]).shape == (2, 0)


@pytest.mark.parametrize("lost", ["dataset.json", "index.parquet", shard_name(1), "shards"])
def test_an_incomplete_folder_is_refused(tmp_path: Path, lost: str) -> None:
    path = write(tmp_path / "set") / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(DataError, match=r"tedigan dataset|Make the data set again"):
        Dataset.open(tmp_path / "set")


def test_a_cut_shard_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "set") / shard_name(0)
    path.write_bytes(path.read_bytes()[:1800])
    with pytest.raises(DataError, match="incomplete"):
        Dataset.open(tmp_path / "set")


def test_a_damaged_or_foreign_table_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "set")
    write_json(folder / "dataset.json", {"licence": "none"})
    with pytest.raises(DataError, match="not a finished data set"):
        Dataset.open(folder)
    write(tmp_path / "other")
    (tmp_path / "other/index.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="not a finished data set"):
        Dataset.open(tmp_path / "other")


def test_an_absent_folder_says_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="tedigan dataset"):
        Dataset.open(tmp_path / "nothing")


def test_a_record_of_another_size_or_damaged_is_refused(tmp_path: Path) -> None:
    wide = pictures.encode(noise(1, 3, side=20), "png")
    with pytest.raises(DataError, match="replaced"):
        Dataset.open(write(tmp_path / "a", image=wide)).pixels([3])
    with pytest.raises(ImageError, match="image 3"):
        Dataset.open(write(tmp_path / "b", image=b"")).pixels([3])
