"""The data set folder: what was written is read, and an incomplete one is refused."""

import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tedigan.data.attributes import ATTRIBUTE_NAMES, attributes_of, format_attributes
from tedigan.errors import DataError, ImageError
from tedigan.store import datasets, pictures
from tedigan.store.datasets import Dataset, DatasetWriter, Entry
from tedigan.store.files import sha256_tree

IDS = [3, 5, 8, 9]
SIDE = 16
PACKINGS = pytest.mark.parametrize("packing", ["folder", "tar"])


def noise(id: int, channels: int) -> Tensor:
    generator = torch.Generator().manual_seed(id)
    return torch.randint(0, 19, (channels, SIDE, SIDE), generator=generator).to(torch.uint8)


def write(folder: Path, packing: str, *, has_labels: bool = True) -> Path:
    folder.mkdir(parents=True)
    with DatasetWriter(
        folder, packing=packing, image_format="png", has_labels=has_labels
    ) as writer:
        for id in IDS:
            writer.add(
                id,
                image=pictures.encode(noise(id, 3), "png"),
                text=f"Face {id}.\nA face.\n",
                sketch=pictures.encode(noise(id + 100, 1), "png"),
                label=pictures.encode(noise(id, 1), "png") if has_labels else None,
            )
        splits = ["train", "train", "val", "test"]
        writer.finish(
            [Entry(id, split, id // 2, f"x/{id}") for id, split in zip(IDS, splits, strict=True)],
            attributes=format_attributes({f"{id}.png": attributes_of(["Young"]) for id in IDS}),
            quarantine=[("x/4", "no picture")],
            description={
                "attribute_names": list(ATTRIBUTE_NAMES),
                "has_labels": has_labels,
                "image_format": "png",
                "licence": "none",
                "packing": packing,
                "resolution": SIDE,
            },
        )
    return folder


@PACKINGS
def test_what_was_written_is_read(tmp_path: Path, packing: str) -> None:
    dataset = Dataset.open(write(tmp_path / "set", packing))
    assert dataset.ids == IDS
    assert [dataset.split(name) for name in ("train", "val", "test")] == [[3, 5], [8], [9]]
    assert torch.equal(dataset.pixels([8, 3]), torch.stack([noise(8, 3), noise(3, 3)]))
    assert torch.equal(dataset.sketches([5])[0], noise(105, 1))
    assert torch.equal(dataset.labels([9, 9]), noise(9, 1).expand(2, -1, -1))
    assert dataset.captions(5) == ["Face 5.", "A face."]
    assert dataset.identities([9, 3]).tolist() == [4, 1]
    assert dataset.attributes(IDS).sum(1).tolist() == [1] * 4
    assert dataset.pixels([]).shape == (0, 3, SIDE, SIDE)


@PACKINGS
def test_a_set_too_large_to_keep_is_decoded_each_time(
    tmp_path: Path, packing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "MAX_KEPT_BYTES", 0)
    dataset = Dataset.open(write(tmp_path / "set", packing))
    ids = IDS * 5
    assert torch.equal(dataset.pixels(ids), torch.stack([noise(id, 3) for id in ids]))


def test_pictures_that_fit_are_decoded_once(tmp_path: Path) -> None:
    dataset = Dataset.open(write(tmp_path / "set", "folder"))
    first = dataset.pixels(IDS)
    shutil.rmtree(dataset.folder / "image")
    assert torch.equal(dataset.pixels(IDS), first)


def test_changing_what_was_returned_does_not_change_the_set(tmp_path: Path) -> None:
    dataset = Dataset.open(write(tmp_path / "set", "folder"))
    dataset.pixels(IDS).zero_()
    assert torch.equal(dataset.pixels([3])[0], noise(3, 3))


@PACKINGS
def test_equal_records_give_equal_bytes(tmp_path: Path, packing: str) -> None:
    first, second = write(tmp_path / "a", packing), write(tmp_path / "b", packing)
    assert sha256_tree(first) == sha256_tree(second)


def test_an_unknown_id_or_split_is_refused(tmp_path: Path) -> None:
    dataset = Dataset.open(write(tmp_path / "set", "folder"))
    for ask in (dataset.pixels, dataset.attributes, dataset.identities):
        with pytest.raises(DataError, match="no photograph 4"):
            ask([3, 4])
    with pytest.raises(DataError, match="no photograph 4"):
        dataset.captions(4)
    with pytest.raises(DataError, match="train, val, test"):
        dataset.split("dev")


def test_label_maps_that_are_not_there_are_refused(tmp_path: Path) -> None:
    dataset = Dataset.open(write(tmp_path / "set", "tar", has_labels=False))
    with pytest.raises(DataError, match="no label maps"):
        dataset.labels([3])


@pytest.mark.parametrize(
    "lost",
    ["dataset.json", "index.csv", "attributes.txt", "image/5.png", "text/9.txt", "sketch", "label"],
)
def test_an_incomplete_folder_is_refused(tmp_path: Path, lost: str) -> None:
    path = write(tmp_path / "set", "folder") / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(DataError, match=r"tedigan dataset|Make the data set again"):
        Dataset.open(tmp_path / "set")


def test_a_cut_tar_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "set", "tar") / "image.tar"
    path.write_bytes(path.read_bytes()[:1800])
    with pytest.raises(DataError, match="again"):
        Dataset.open(tmp_path / "set").pixels(IDS)


def test_an_absent_folder_says_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="tedigan dataset"):
        Dataset.open(tmp_path / "nothing")


def test_a_replaced_photograph_is_refused(tmp_path: Path) -> None:
    dataset = Dataset.open(write(tmp_path / "set", "folder"))
    pictures.save(dataset.folder / "image/3.png", torch.zeros(3, 20, 20, dtype=torch.uint8))
    with pytest.raises(DataError, match="replaced"):
        dataset.pixels([3])
    (dataset.folder / "image/5.png").write_bytes(b"")
    with pytest.raises(ImageError, match=r"image/5\.png"):
        dataset.pixels([5])
