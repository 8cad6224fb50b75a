"""The dataset stage: from drawings and from photographs, with everything that may be wrong."""

import json
import tarfile
from pathlib import Path

import pytest
import torch
from torch import Tensor

from infra.services import local_s3
from tedigan.data.attributes import ATTRIBUTE_NAMES, attributes_of, format_attributes
from tedigan.data.captions import attributes_named
from tedigan.data.labels import labels_to_colours
from tedigan.errors import AttributeFileError, DataError
from tedigan.params import read_params
from tedigan.stages import Outcome, Workspace, dataset
from tedigan.store import objects, pictures
from tedigan.store.datasets import Dataset
from tedigan.store.files import sha256_tree

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared/data"
ATTRIBUTES = "CelebAMask-HQ-attribute-anno.txt"
NUM = 6


def workspace(folder: Path, **changes: object) -> Workspace:
    params = read_params(ROOT / "params.yaml")
    folder.mkdir(exist_ok=True)
    section = params.dataset.model_copy(update={"resolution": 16, "num_images": None} | changes)
    return Workspace(folder, params.model_copy(update={"dataset": section}))


def run(folder: Path, **changes: object) -> tuple[Dataset, Outcome]:
    place = workspace(folder, **changes)
    outcome = dataset.run(place)
    return Dataset.open(place.dataset), outcome


def noise(id: int, side: int = 32) -> Tensor:
    generator = torch.Generator().manual_seed(id)
    return torch.randint(0, 256, (3, side, side), generator=generator).to(torch.uint8)


def write_source(folder: Path) -> Path:
    """Six photographs of noise with attributes, of three people, photographs 2 and 3 being val."""
    for id in range(NUM):
        path = folder / f"CelebA-HQ-img/{id:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pictures.encode(noise(id), "png"))
    rows = {f"{id}.jpg": attributes_of(ATTRIBUTE_NAMES[id : id + 9]) for id in range(NUM)}
    (folder / ATTRIBUTES).write_text(format_attributes(rows))
    people = "".join(f"{i},{i // 2},{'val' if i in (2, 3) else 'train'}\n" for i in range(NUM))
    (folder / "identity.csv").write_text("idx,identity,partition\n" + people)
    return folder


def write_masks(folder: Path) -> Path:
    for id in range(NUM):
        for name, grey in (("skin", 255), ("nose", 0)):
            path = folder / f"CelebAMask-HQ-mask-anno/0/{id:05d}_{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            mask = torch.full((1, 64, 64), grey, dtype=torch.uint8)
            mask[:, :32] = 255
            path.write_bytes(pictures.encode(mask, "png"))
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_source(tmp_path / "source")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Outcome]:
    return run(tmp_path_factory.mktemp("w"), source="drawn", num_images=9, resolution=64)


def test_drawn_faces_become_a_complete_data_set(drawn: tuple[Dataset, Outcome]) -> None:
    data, outcome = drawn
    assert outcome.metrics == {"num_images": 9, "num_quarantined": 0}
    assert [path.is_file() for path in outcome.pictures] == [True]
    assert data.pixels(data.ids).shape == (9, 3, 64, 64)
    assert {0, 1, 13} <= set(data.labels(data.ids).unique().tolist())
    assert sorted(data.split("train") + data.split("val") + data.split("test")) == data.ids
    assert all(data.split(name) for name in ("train", "val", "test"))


def test_captions_say_only_what_the_table_says(drawn: tuple[Dataset, Outcome]) -> None:
    data, _ = drawn
    for id in data.ids:
        truth = dict(zip(data.attribute_names, data.attributes([id])[0].tolist(), strict=True))
        assert len(set(data.captions(id))) == 10
        for caption in data.captions(id):
            assert all(truth[name] == value for name, value in attributes_named(caption).items())


@pytest.mark.parametrize("packing", ["folder", "tar"])
def test_a_second_run_elsewhere_gives_the_same_bytes(tmp_path: Path, packing: str) -> None:
    for name in "ab":
        run(tmp_path / name, source="drawn", num_images=2, packing=packing)
    assert sha256_tree(tmp_path / "a/data") == sha256_tree(tmp_path / "b/data")


def test_worker_processes_change_no_byte(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / "a", source=str(source))
    monkeypatch.setattr(dataset, "_FEW", 0)
    run(tmp_path / "b", source=str(source))
    assert sha256_tree(tmp_path / "a/data") == sha256_tree(tmp_path / "b/data")


def test_photographs_keep_their_numbers_people_and_attributes(tmp_path: Path, source: Path) -> None:
    data, _ = run(tmp_path / "w", source=str(source), resolution=32)
    assert data.ids == list(range(NUM))
    assert torch.equal(data.pixels([4])[0], noise(4))
    assert data.identities(data.ids).tolist() == [0, 0, 1, 1, 2, 2]
    assert torch.equal(data.attributes([1])[0], attributes_of(ATTRIBUTE_NAMES[1:10]))
    assert not data.has_labels


def test_the_published_partition_is_kept(tmp_path: Path, source: Path) -> None:
    data, _ = run(tmp_path / "w", source=str(source))
    assert data.split("train") == [0, 1, 4, 5]


def test_a_tar_within_a_folder_and_a_tar_alone_give_the_same(tmp_path: Path, source: Path) -> None:
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    with tarfile.open(mixed / "CelebA-HQ-img.tar", "w") as tar:
        tar.add(source / "CelebA-HQ-img", "CelebA-HQ-img")
    with tarfile.open(tmp_path / "all.tar", "w") as tar:
        tar.add(source, "CelebAMask-HQ")
    for name in (ATTRIBUTES, "identity.csv"):
        (mixed / name).write_bytes((source / name).read_bytes())
    data = [
        run(tmp_path / f"w{number}", source=str(path), resolution=32)[0]
        for number, path in enumerate([source, mixed, tmp_path / "all.tar"])
    ]
    assert all(torch.equal(data[0].pixels(data[0].ids), other.pixels(other.ids)) for other in data)


def test_a_bucket_gives_the_same_as_its_folder(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with local_s3(tmp_path / "s3") as s3:
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint_url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret_key)
        objects.client().create_bucket(Bucket="faces")
        for path in sorted(item for item in source.rglob("*") if item.is_file()):
            objects.upload(path, f"s3://faces/hq/{path.relative_to(source).as_posix()}")
        run(tmp_path / "a", source="s3://faces/hq")
    run(tmp_path / "b", source=str(source))
    assert sha256_tree(tmp_path / "a/data") == sha256_tree(tmp_path / "b/data")


def test_masks_are_merged_in_painting_order(tmp_path: Path, source: Path) -> None:
    data, _ = run(tmp_path / "w", source=str(write_masks(source)))
    labels = data.labels([0])[0]
    assert labels[:8].unique().tolist() == [2]
    assert labels[8:].unique().tolist() == [1]


def test_merged_maps_are_read_as_indices_or_colours(tmp_path: Path, source: Path) -> None:
    (source / "CelebAMask-HQ-mask").mkdir()
    labels = torch.full((1, 32, 32), 13, dtype=torch.uint8)
    for id in range(NUM):
        picture = labels if id % 2 else labels_to_colours(labels)[0]
        (source / f"CelebAMask-HQ-mask/{id}.png").write_bytes(pictures.encode(picture, "png"))
    data, _ = run(tmp_path / "w", source=str(source))
    assert data.labels(data.ids).unique().tolist() == [13]


def spoil(source: Path, what: str) -> None:
    photograph = source / "CelebA-HQ-img/00001.png"
    if what == "damaged":
        photograph.write_bytes(photograph.read_bytes()[:200])
    if what == "not a picture":
        photograph.write_bytes(b"<html>")
    if what == "no row in the attribute file":
        lines = (source / ATTRIBUTES).read_text().splitlines()
        (source / ATTRIBUTES).write_text("\n".join(["5", lines[1], lines[2], *lines[4:]]))
    if what == "no row in identity.csv":
        text = (source / "identity.csv").read_text().replace("1,0,train\n", "")
        (source / "identity.csv").write_text(text)
    mask = write_masks(source) / "CelebAMask-HQ-mask-anno/0/00001_nose.png"
    if what == "another shape":
        for name in ("nose", "skin"):
            wide = torch.full((1, 64, 80), 255, dtype=torch.uint8)
            mask.with_name(f"00001_{name}.png").write_bytes(pictures.encode(wide, "png"))
    if what == "of one size":
        small = torch.full((1, 32, 32), 255, dtype=torch.uint8)
        mask.write_bytes(pictures.encode(small, "png"))
    if what == "no mask":
        mask.unlink()
        mask.with_name("00001_skin.png").unlink()
    if what == "unknown classes":
        mask.rename(mask.with_name("00001_beard.png"))


@pytest.mark.parametrize(
    "what",
    [
        "damaged",
        "not a picture",
        "no row in the attribute file",
        "no row in identity.csv",
        "another shape",
        "of one size",
        "no mask",
        "unknown classes",
    ],
)
def test_a_bad_record_is_set_aside_with_its_reason(tmp_path: Path, source: Path, what: str) -> None:
    spoil(source, what)
    data, outcome = run(tmp_path / "w", source=str(source), num_images=4)
    assert data.ids == [0, 2, 3, 4]
    assert outcome.num_quarantined == 1
    reason = (data.folder / "quarantine.csv").read_text()
    assert what in reason
    assert "00001.png" in reason


def test_nothing_valid_is_an_error_and_leaves_no_folder(tmp_path: Path, source: Path) -> None:
    for path in (source / "CelebA-HQ-img").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match=r"no valid record remains of 6.*not a picture"):
        run(tmp_path / "w", source=str(source))
    assert list((tmp_path / "w/data").iterdir()) == []


def test_a_failed_run_keeps_the_earlier_data_set(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / "w", source=str(source))
    before = sha256_tree(tmp_path / "w/data")
    monkeypatch.setattr(dataset, "_write_examples", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(tmp_path / "w", source=str(source), seed=5)
    assert sha256_tree(tmp_path / "w/data") == before


@pytest.mark.parametrize("missing", [ATTRIBUTES, "CelebA-HQ-img", ""])
def test_a_source_that_lacks_something_says_what(
    tmp_path: Path, source: Path, missing: str
) -> None:
    (source / missing).rename(tmp_path / "elsewhere")
    advice = {ATTRIBUTES: "has no CelebAMask", "": "does not exist"}.get(missing, "no photographs")
    with pytest.raises(DataError, match=advice):
        run(tmp_path / "w", source=str(source))


def test_attribute_rows_must_be_numbered(tmp_path: Path, source: Path) -> None:
    text = (source / ATTRIBUTES).read_text().replace("0.jpg", "anna.jpg")
    (source / ATTRIBUTES).write_text(text)
    with pytest.raises(AttributeFileError, match=r"expected a number such as 7\.jpg"):
        run(tmp_path / "w", source=str(source))


def test_one_person_in_two_partitions_is_an_error(tmp_path: Path, source: Path) -> None:
    text = (source / "identity.csv").read_text().replace("3,1,val", "3,1,train")
    (source / "identity.csv").write_text(text)
    with pytest.raises(DataError, match="a person may be in one only"):
        run(tmp_path / "w", source=str(source))


def test_nothing_in_the_data_set_tells_when_or_where(tmp_path: Path, source: Path) -> None:
    data, _ = run(tmp_path / "w", source=str(source))
    description = (data.folder / "dataset.json").read_text()
    assert str(tmp_path) not in description + (data.folder / "index.csv").read_text()
    assert json.loads(description)["num_per_split"]["train"] == 4


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared photographs are not on this machine")
def test_real_photographs_are_read(tmp_path: Path) -> None:
    data, outcome = run(
        tmp_path / "w", source=str(SHARED / "celebahq-128"), num_images=40, resolution=64
    )
    assert outcome.num_quarantined == 0
    assert len(data.ids) == 40
    assert 60 < data.pixels(data.ids).float().mean() < 180
    assert (data.sketches(data.ids) > 200).float().mean() > 0.5
    assert data.split("train")


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared photographs are not on this machine")
def test_real_merged_masks_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    for path in (SHARED / "celebamask-samples").glob("?.*"):
        (folder / path.name).write_bytes(path.read_bytes())
    rows = {f"{id}.jpg": attributes_of(["Young"]) for id in range(4)}
    (folder / ATTRIBUTES).write_text(format_attributes(rows))
    data, _ = run(tmp_path / "w", source=str(folder), resolution=64)
    assert {0, 1, 2, 13} <= set(data.labels([0]).unique().tolist())
