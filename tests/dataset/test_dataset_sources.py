"""The dataset stage reads photographs wherever they lie, in each layout, and keeps what they bring."""

import shutil
import tarfile
from pathlib import Path

import pytest
import torch

from infra.services import local_s3
from tedigan.dataset.folder import Dataset
from tedigan.errors import AttributeFileError, DataError
from tedigan.store import pictures
from tedigan.store.files import sha256_tree
from tedigan.store.s3 import S3Bucket, client
from tedigan.vocabulary.attributes import attributes_of, format_attributes
from tedigan.vocabulary.labels import labels_to_colours
from tests.dataset.datasets_made import SHARED, run
from tests.dataset.sources_made import (
    ATTRIBUTES,
    NUM,
    noise,
    put,
    write_celebamask,
    write_masks,
    write_multimodal,
    write_pictures,
)

WRITERS = {
    "CelebAMask-HQ": lambda folder: write_masks(write_celebamask(folder)),
    "MM-CelebA-HQ": write_multimodal,
    "pictures": lambda folder: (
        put(write_pictures(folder, ["a.jpg", "b.png"]) / "t.csv", "file,Smiling\na,1\nb,0\n").parent
    ),
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_celebamask(tmp_path / "source")


def same(a: Dataset, b: Dataset) -> bool:
    return sha256_tree(a.folder) == sha256_tree(b.folder)


# Wherever they lie


@pytest.mark.parametrize("layout", WRITERS)
def test_a_folder_a_tar_and_a_bucket_give_the_same(
    tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = WRITERS[layout](tmp_path / "source")
    with tarfile.open(tmp_path / "all.tar", "w") as tar:
        for path in sorted(source.iterdir()):
            tar.add(path, path.name)
    kinds = {"kinds": ["sketch", "label"]} if layout == "pictures" else {}
    by_folder, _ = run(tmp_path / "a", source=str(source), **kinds)
    by_tar, _ = run(tmp_path / "b", source=str(tmp_path / "all.tar"), **kinds)
    with local_s3(tmp_path / "s3") as s3:
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint_url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret_key)
        client().create_bucket(Bucket="faces")
        bucket = S3Bucket("s3://faces")
        for path in sorted(item for item in source.rglob("*") if item.is_file()):
            bucket.write(f"hq/{path.relative_to(source).as_posix()}", path)
        bucket.write("all.tar", tmp_path / "all.tar")
        by_bucket, _ = run(tmp_path / "c", source="s3://faces/hq", **kinds)
        by_bucket_tar, _ = run(tmp_path / "d", source="s3://faces/all.tar", **kinds)
    assert by_folder.description["source"] == layout
    assert same(by_folder, by_tar)
    assert same(by_folder, by_bucket)
    assert same(by_folder, by_bucket_tar)


def test_a_tar_within_a_folder_gives_the_same(tmp_path: Path, source: Path) -> None:
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    with tarfile.open(mixed / "CelebA-HQ-img.tar", "w") as tar:
        tar.add(source / "CelebA-HQ-img", "CelebA-HQ-img")
    for name in (ATTRIBUTES, "identity.csv"):
        shutil.copy(source / name, mixed)
    first, _ = run(tmp_path / "a", source=str(source))
    assert same(first, run(tmp_path / "b", source=str(mixed))[0])


@pytest.mark.parametrize("missing", [ATTRIBUTES, "CelebA-HQ-img", ""])
def test_a_source_that_lacks_something_says_what(
    tmp_path: Path, source: Path, missing: str
) -> None:
    (source / missing).rename(tmp_path / "elsewhere")
    advice = {ATTRIBUTES: "has no CelebAMask", "": "does not exist"}.get(missing, "no photographs")
    with pytest.raises(DataError, match=advice):
        run(tmp_path / "w", source=str(source))


# CelebAMask-HQ


def test_masks_are_merged_in_painting_order(tmp_path: Path, source: Path) -> None:
    data, _ = run(tmp_path / "w", source=str(write_masks(source)))
    labels = data.labels([0])[0]
    assert labels[:8].unique().tolist() == [2]
    assert labels[8:].unique().tolist() == [1]


def test_merged_maps_are_read_as_indices_or_colours(tmp_path: Path, source: Path) -> None:
    labels = torch.full((1, 32, 32), 13, dtype=torch.uint8)
    for id in range(NUM):
        picture = labels if id % 2 else labels_to_colours(labels)[0]
        put(source / f"CelebAMask-HQ-mask/{id}.png", pictures.encode(picture, "png"))
    data, _ = run(tmp_path / "w", source=str(source))
    assert data.labels(data.ids).unique().tolist() == [13]


def test_attribute_rows_must_be_numbered(tmp_path: Path, source: Path) -> None:
    put(source / ATTRIBUTES, (source / ATTRIBUTES).read_text().replace("0.jpg", "anna.jpg"))
    with pytest.raises(AttributeFileError, match=r"expected a number such as 7\.jpg"):
        run(tmp_path / "w", source=str(source))


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared photographs are not on this machine")
def test_real_merged_masks_are_read_and_cut_out(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    for path in (SHARED / "celebamask-samples").glob("?.*"):
        put(folder / path.name, path.read_bytes())
    put(folder / ATTRIBUTES, format_attributes({f"{i}.jpg": attributes_of([]) for i in range(4)}))
    kinds = ["label", "cutout"]
    data, _ = run(tmp_path / "w", source=str(folder), resolution=64, kinds=kinds)
    assert {0, 1, 2, 13} <= set(data.labels([0]).unique().tolist())
    alpha = data.cutouts([0])[0, 3]
    assert alpha[32, 32] == 255
    assert 0.05 < (alpha == 0).float().mean() < 0.7


# MM-CelebA-HQ


def test_captions_sketches_and_labels_are_kept_as_given(tmp_path: Path) -> None:
    source = write_multimodal(tmp_path / "source")
    data, _ = run(tmp_path / "w", source=str(source), resolution=32, split="published")
    assert data.captions(3) == ["she is number 3", "the woman wears earrings"]
    assert data.labels([3]).unique().tolist() == [3]
    given = pictures.load(source / "sketch/3.jpg").float().mean(0).round().to(torch.uint8)
    assert torch.equal(data.sketches([3])[0, 0], given)
    origin = data.description["origin"]
    assert origin == dict.fromkeys(["image", "label", "sketch", "text"], "source")
    assert data.attribute_names == []


def test_the_published_test_set_stays_whole(tmp_path: Path) -> None:
    source = write_multimodal(tmp_path / "source", num=30)
    data, _ = run(tmp_path / "w", source=str(source), split="published", val_fraction=0.2)
    assert data.split("test") == list(range(20, 30))
    assert data.split("val")
    assert sorted(data.split("train") + data.split("val")) == list(range(20))


def test_attributes_beside_the_release_are_read_and_captions_stay(tmp_path: Path) -> None:
    source = write_celebamask(write_multimodal(tmp_path / "source") / "celebamask").parent
    data, _ = run(tmp_path / "w", source=str(source))
    assert len(data.attribute_names) == 40
    assert data.captions(0)[0] == "she is number 0"


# Anyone's own


def test_pictures_alone_become_a_data_set_without_captions(tmp_path: Path) -> None:
    source = write_pictures(tmp_path / "source", ["a.jpg", "b.png", "c.webp"])
    data, _ = run(tmp_path / "w", source=str(source))
    assert list(data.kinds) == ["image", "sketch"]
    assert data.attributes(data.ids).shape == (3, 0)
    assert data.description["identities"].startswith("unknown")


def test_own_attributes_keep_their_names(tmp_path: Path) -> None:
    source = write_pictures(tmp_path / "source", ["a.jpg", "b.png"])
    put(source / "t.csv", "file,has freckles,Smiling\nb.png,1,0\na.jpg,0,1\n")
    data, _ = run(tmp_path / "w", source=str(source), kinds=["sketch"])
    assert data.attribute_names == ["has freckles", "Smiling"]
    assert data.attributes([0, 1]).tolist() == [[True, False], [False, True]]
    assert data.index.source_names == ["b.png", "a.jpg"]


def test_pictures_of_any_shape_are_cut_to_their_centre(tmp_path: Path) -> None:
    wide = torch.cat([torch.zeros(3, 32, 16, dtype=torch.uint8), noise(0)], dim=2)
    wide = torch.cat([wide, torch.zeros(3, 32, 16, dtype=torch.uint8)], dim=2)
    put(tmp_path / "source/0.png", pictures.encode(wide, "png"))
    data, _ = run(tmp_path / "w", source=str(tmp_path / "source"), resolution=32)
    assert torch.equal(data.pixels([0])[0], noise(0))
