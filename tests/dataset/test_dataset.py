"""The dataset stage: what comes out is complete, true to its source, and a function of source and params."""

import json
from pathlib import Path

import pytest
import torch

from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.reader import Reader
from tedigan.code_lock import code_of
from tedigan.dataset import build
from tedigan.dataset.folder import Dataset
from tedigan.dataset.records import DrawnMaker
from tedigan.dataset.sharding import make_shards
from tedigan.dataset.source_records import PhotographMaker
from tedigan.errors import DataError
from tedigan.store.files import sha256_tree
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES, attributes_of
from tedigan.workspace import Outcome
from tests.dataset.datasets_made import SHARED, run
from tests.dataset.sources_made import NUM, noise, put, write_celebamask, write_mapping


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_celebamask(tmp_path / "source")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Outcome]:
    kinds = ["text", "sketch", "label", "cutout"]
    changes = {"num_images": 9, "resolution": 64, "captions_per_image": 10, "kinds": kinds}
    return run(tmp_path_factory.mktemp("w"), source="drawn", **changes)


def test_drawn_faces_become_a_complete_data_set(drawn: tuple[Dataset, Outcome]) -> None:
    data, outcome = drawn
    assert outcome.metrics == {
        "num_images": 9,
        "num_quarantined": 0,
        "num_shards": 3,
        "num_shards_made": 3,
    }
    assert [path.is_file() for path in outcome.pictures] == [True, True]
    assert data.pixels(data.ids).shape == (9, 3, 64, 64)
    assert {0, 1, 13} <= set(data.labels(data.ids).unique().tolist())
    assert sorted(data.split("train") + data.split("val") + data.split("test")) == data.ids
    assert all(data.split(name) for name in ("train", "val", "test"))


def test_cut_outs_show_the_person_and_not_the_background(drawn: tuple[Dataset, Outcome]) -> None:
    data, _ = drawn
    alpha = data.cutouts(data.ids)[:, 3]
    labels = data.labels(data.ids)
    assert alpha[labels == 0].float().mean() < 30
    assert alpha[labels == 1].float().mean() > 240


def test_captions_say_only_what_the_table_says(drawn: tuple[Dataset, Outcome]) -> None:
    data, _ = drawn
    read = Reader(load_grammar()).read
    for id in data.ids:
        truth = dict(zip(data.attribute_names, data.attributes([id])[0].tolist(), strict=True))
        assert len(set(data.captions(id))) == 10
        for caption in data.captions(id):
            assert all(truth[name] == value for name, value in read(caption).items())


def test_a_second_run_elsewhere_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        run(tmp_path / name, source="drawn", num_images=2)
    assert sha256_tree(tmp_path / "a/data") == sha256_tree(tmp_path / "b/data")


def test_worker_processes_change_no_byte(tmp_path: Path, source: Path) -> None:
    run(tmp_path / "a", source=str(source))
    run(tmp_path / "b", source=str(source), num_workers=2)
    assert sha256_tree(tmp_path / "a/data") == sha256_tree(tmp_path / "b/data")


def test_photographs_keep_their_numbers_people_and_attributes(tmp_path: Path, source: Path) -> None:
    data, _ = run(tmp_path / "w", source=str(source), resolution=32)
    assert data.ids == list(range(NUM))
    assert torch.equal(data.pixels([4])[0], noise(4))
    assert data.identities(data.ids).tolist() == [0, 0, 1, 1, 2, 2]
    assert torch.equal(data.attributes([1])[0], attributes_of(ATTRIBUTE_NAMES[1:10]))
    assert not data.has_labels


def test_only_wanted_kinds_are_made(tmp_path: Path, source: Path) -> None:
    data, _ = run(tmp_path / "w", source=str(source), kinds=["sketch"])
    assert list(data.kinds) == ["image", "sketch"]
    assert data.description["origin"] == {
        "attributes": "source",
        "image": "source",
        "sketch": "made from the image",
    }


def test_the_first_of_the_source_are_taken(tmp_path: Path, source: Path) -> None:
    data, _ = run(tmp_path / "w", source=str(source), num_images=4)
    assert data.ids == [0, 1, 2, 3]


# Splits


def test_the_published_partition_is_kept(tmp_path: Path, source: Path) -> None:
    data, _ = run(tmp_path / "w", source=str(source), split="published")
    assert data.split("train") == [0, 1, 4, 5]


def test_the_official_partition_is_celebas_own(tmp_path: Path, source: Path) -> None:
    write_mapping(source, [5, 6, 170_000, 170_001, 190_000, 190_001])
    data, _ = run(tmp_path / "w", source=str(source), split="official")
    splits = [data.split(name) for name in ("train", "val", "test")]
    assert splits == [[0, 1], [2, 3], [4, 5]]


def test_a_split_that_the_source_does_not_name_is_refused(tmp_path: Path, source: Path) -> None:
    with pytest.raises(DataError, match=r"`official` CelebA-HQ-to.*has: published"):
        run(tmp_path / "w", source=str(source), split="official")


def test_a_photograph_without_a_split_is_set_aside(tmp_path: Path, source: Path) -> None:
    write_mapping(source, [5, 6, 170_000, 170_001, 190_000])
    data, _ = run(tmp_path / "w", source=str(source), split="official")
    assert data.ids == [0, 1, 2, 3, 4]
    assert data.description["quarantined"] == {"no split": 1}


def test_one_person_in_two_partitions_is_an_error(tmp_path: Path, source: Path) -> None:
    text = (source / "identity.csv").read_text().replace("3,1,val", "3,1,train")
    put(source / "identity.csv", text)
    with pytest.raises(DataError, match="a person may be in one only"):
        run(tmp_path / "w", source=str(source), split="published")


# Whole or not at all


def test_nothing_valid_is_an_error_and_leaves_no_folder(tmp_path: Path, source: Path) -> None:
    for path in (source / "CelebA-HQ-img").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match=r"no valid record remains of 6.*not a picture"):
        run(tmp_path / "w", source=str(source))
    assert not (tmp_path / "w/data").exists()


def test_a_failed_run_keeps_the_earlier_data_set(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / "w", source=str(source))
    before = sha256_tree(tmp_path / "w/data/dataset")
    monkeypatch.setattr(build, "write_examples", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(tmp_path / "w", source=str(source), seed=5)
    assert sha256_tree(tmp_path / "w/data/dataset") == before


def test_nothing_in_the_data_set_tells_when_or_where(tmp_path: Path, source: Path) -> None:
    data, _ = run(tmp_path / "w", source=str(source))
    files = [path for path in data.folder.rglob("*") if path.is_file()]
    assert all(str(tmp_path).encode() not in path.read_bytes() for path in files)
    description = json.loads((data.folder / "dataset.json").read_text())
    assert sum(description["num_per_split"].values()) == NUM


@pytest.mark.parametrize("maker", [DrawnMaker, PhotographMaker])
def test_the_code_that_makes_records_is_part_of_a_shards_digest(maker: type) -> None:
    """A shard that other code made is not found again; how the page about it looks is no part."""
    code = code_of(maker.__module__, make_shards.__module__).keys()
    assert code >= {
        "tedigan.dataset.kinds.sketches",
        "tedigan.store.shards",
        "captions/grammars/celeba.yaml",
    }
    assert not [name for name in code if name.startswith("tedigan.report")]


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared photographs are not on this machine")
def test_real_photographs_are_read(tmp_path: Path) -> None:
    place = str(SHARED / "celebahq-128")
    data, outcome = run(
        tmp_path / "w", source=place, num_images=40, resolution=64, split="official"
    )
    assert outcome.num_quarantined == 0
    assert len(data.ids) == 40
    assert 60 < data.pixels(data.ids).float().mean() < 180
    assert (data.sketches(data.ids) > 200).float().mean() > 0.5
    assert data.split("train")
