"""`tedigan dataset validate, show, card, export`: what a person does with a data set."""

import pickle
import shutil
from pathlib import Path

import pytest
import torch

from tedigan.__main__ import main
from tedigan.dataset.annotating import Helpers
from tedigan.dataset.build_settings import BuildSettings
from tedigan.dataset.export import export
from tedigan.dataset.folder import Dataset, shard_name, write_tables
from tedigan.dataset.index import Row
from tedigan.dataset.validation import Verdict, validate
from tedigan.errors import DataError
from tedigan.params import chosen, read_params
from tedigan.store import pictures
from tedigan.store.files import read_json, sha256_tree, write_json
from tedigan.store.shards import ShardWriter, read_shard
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES
from tests.dataset.datasets_made import ROOT, SHARED, run
from tests.dataset.odd_inputs import release
from tests.dataset.sources_made import (
    noise,
    put,
    write_celebamask,
    write_multimodal,
    write_pictures,
)

KINDS = ["text", "sketch", "label", "cutout"]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("w")
    return run(folder, source="drawn", num_images=9, resolution=32, kinds=KINDS)[0]


@pytest.fixture
def copy(drawn: Dataset, tmp_path: Path) -> Path:
    return shutil.copytree(drawn.folder, tmp_path / "copy")


# validate


def test_a_sound_data_set_passes_with_a_summary(
    drawn: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["dataset", "validate", str(drawn.folder), "--workers", "1"])
    said = capsys.readouterr().out
    assert status == 0
    assert "faces: 9 at 32 px" in said
    assert "wrong: nothing" in said


def verdict_of(folder: Path) -> Verdict:
    section = read_params(ROOT / "params.yaml").dataset
    settings = chosen(section.model_copy(update={"num_images": None}), BuildSettings)
    return validate(str(folder), settings, Helpers(), num_workers=1)


def problems(folder: Path) -> list[tuple[str, str]]:
    return [(found.name, found.problem) for found in verdict_of(folder).problems]


def test_a_changed_byte_is_found(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy / shard_name(1)
    content = bytearray(path.read_bytes())
    content[700] ^= 255  # within the first picture
    path.write_bytes(content)
    assert main(["dataset", "validate", str(copy), "--workers", "1"]) == 1
    said = capsys.readouterr().out
    assert f"{shard_name(1)}: sha256: has the sha256" in said
    assert "image 4: damaged" in said
    assert "wrong: 1 damaged, 1 sha256" in said


def test_shards_of_another_index_are_found(copy: Path) -> None:
    (copy / shard_name(0)).rename(copy / "x")
    (copy / shard_name(1)).rename(copy / shard_name(0))
    (copy / "x").rename(copy / shard_name(1))
    description = read_json(copy / "dataset.json")
    for entry in description["shards"]:
        shard = read_shard(copy / entry["name"])
        entry |= {"sha256": shard.sha256, "num_bytes": shard.num_bytes}
    write_json(copy / "dataset.json", description)
    assert (shard_name(0), "index") in problems(copy)


def test_counts_that_do_not_fit_are_found(copy: Path) -> None:
    description = read_json(copy / "dataset.json")
    description["num_per_split"]["train"] += 1
    write_json(copy / "dataset.json", description)
    assert problems(copy) == [("dataset.json", "counts")]


def write_wrong(folder: Path, **changed: bytes) -> Path:
    """A data set made elsewhere: two records of one person in two splits, files as they come."""
    kinds = {"image": "png", "text": "txt", "label": "png"}
    plain = {
        "image": pictures.encode(noise(0), "png"),
        "text": b"A face.\n",
        "label": pictures.encode(noise(0, channels=1) % 19, "png"),
    }
    with ShardWriter(folder / shard_name(0), kinds) as writer:
        writer.add(0, plain)
        writer.add(1, plain | changed)
    write_tables(
        folder,
        [Row(0, "train", 0, "a", "", b""), Row(1, "test", 0 if not changed else 1, "b", "", b"")],
        shards={0: read_shard(folder / shard_name(0))},
        quarantine=[],
        description={"attribute_names": [], "kinds": kinds, "licence": "", "resolution": 32}
        | {"source": "elsewhere", "origin": dict.fromkeys(kinds, "source"), "quarantined": {}},
    )
    return folder


def test_a_person_in_two_splits_is_found(tmp_path: Path) -> None:
    assert problems(write_wrong(tmp_path)) == [("index.parquet", "splits")]


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"image": pictures.encode(noise(0, 20), "png")}, ("image 1", "size")),
        ({"image": b""}, ("image 1", "empty file")),
        ({"text": b""}, ("text 1", "captions")),
        ({"text": b"A face.\n\nA face.\n"}, ("text 1", "captions")),
        ({"text": b"\xff\n"}, ("text 1", "record")),
        (
            {"label": pictures.encode(noise(0, channels=1) | 128, "png")},
            ("label 1", "label map"),
        ),
    ],
    ids=["size", "empty", "no captions", "empty caption", "no text", "no class"],
)
def test_a_file_that_is_not_what_it_should_be_is_found(
    tmp_path: Path, changed: dict[str, bytes], found: tuple[str, str]
) -> None:
    assert problems(write_wrong(tmp_path, **changed)) == [found]


def test_a_release_is_checked_like_a_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = release(tmp_path)
    assert main(["dataset", "validate", str(source), "--workers", "1"]) == 0
    said = capsys.readouterr().out
    assert "layout: MM-CelebA-HQ" in said
    assert "own kinds: label, sketch, text" in said
    put(source / "image/2.jpg", b"")
    put(source / "text/4.txt", b"")
    assert main(["dataset", "validate", str(source), "--workers", "1"]) == 1
    said = capsys.readouterr().out
    assert "image/2.jpg: empty file" in said
    assert "wrong: 1 empty file, 1 no captions" in said


def test_lists_that_do_not_fit_the_photographs_are_told(tmp_path: Path) -> None:
    source = write_multimodal(tmp_path / "source")
    put(source / "test/filenames.pickle", pickle.dumps(["4", "77"], protocol=2))
    facts = verdict_of(source).facts
    assert (facts["in no split"], facts["in a split, but absent"]) == (1, 1)


def test_validation_leaves_the_source_and_its_folder_as_they_were(tmp_path: Path) -> None:
    source = write_celebamask(tmp_path / "source")
    before = sha256_tree(tmp_path)
    assert problems(source) == []
    assert sha256_tree(tmp_path) == before


def test_an_absent_place_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset", "validate", "/nowhere"]) == 1
    assert "does not exist" in capsys.readouterr().err


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared photographs are not on this machine")
def test_real_masks_are_sound() -> None:
    verdict = verdict_of(SHARED / "celebamask-samples")
    assert verdict.problems == []
    assert verdict.facts["own kinds"] == "label"


# show and card


def test_show_says_what_it_is(drawn: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset", "show", str(drawn.folder)]) == 0
    assert "sketch (made from the image)" in capsys.readouterr().out


def test_the_card_is_one_page_that_loads_nothing(drawn: Dataset, tmp_path: Path) -> None:
    assert main(["dataset", "card", str(drawn.folder), str(tmp_path / "card.html")]) == 0
    page = (tmp_path / "card.html").read_text()
    assert page == drawn.folder.with_suffix(".html").read_text()
    assert "http:" not in page
    assert "https:" not in page
    assert page.count("<img ") == 8 * 4  # the first eight: image, sketch, label, cut-out
    assert all(name in page for name in ATTRIBUTE_NAMES)
    assert drawn.captions(0)[0] in page


def test_the_card_names_what_was_set_aside_and_cannot_be_made_to_run(tmp_path: Path) -> None:
    source = write_pictures(tmp_path / "source", ["a.png", "<script>.png", "c.png"])
    put(source / "<script>.png", b"")
    data, _ = run(tmp_path / "w", source=str(source))
    page = data.folder.with_suffix(".html").read_text()
    assert "empty file" in page
    assert "&lt;script&gt;.png" in page
    assert "<script>" not in page
    assert "Nothing is known of these faces but their pictures" in page


# export


def test_an_export_is_read_as_the_published_release(drawn: Dataset, tmp_path: Path) -> None:
    assert main(["dataset", "export", str(drawn.folder), str(tmp_path / "mm")]) == 0
    changes = {"kinds": KINDS, "resolution": 32, "split": "published", "val_fraction": 0.0}
    again, _ = run(tmp_path / "w", source=str(tmp_path / "mm"), duplicates="keep", **changes)
    assert again.description["source"] == "MM-CelebA-HQ"
    assert again.index.splits == drawn.index.splits
    for id in drawn.ids:
        assert again.captions(id) == drawn.captions(id)
    assert torch.equal(again.labels(again.ids), drawn.labels(drawn.ids))
    assert torch.equal(again.attributes(again.ids), drawn.attributes(drawn.ids))
    differences = again.pixels(again.ids).float() - drawn.pixels(drawn.ids).float()
    assert differences.abs().mean() < 3


def test_an_export_has_the_published_names(drawn: Dataset, tmp_path: Path) -> None:
    export(drawn, tmp_path / "mm")
    names = {path.relative_to(tmp_path / "mm").as_posix() for path in tmp_path.rglob("*.*")}
    assert {"image/0.jpg", "sketch/0.jpg", "label/0.png", "text/0.txt", "cutout/0.png"} <= names
    listed = pickle.loads((tmp_path / "mm/train/filenames.pickle").read_bytes())
    assert listed == [str(id) for id in drawn.split("train")]


def test_an_export_never_writes_over_something(drawn: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="exists"):
        export(drawn, tmp_path)


# The stage keeps its door


def test_without_an_action_the_stage_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "params.yaml").read_text()
    put(tmp_path / "params.yaml", text.replace("num_images: 2000", "num_images: 3"))
    assert main(["dataset", "--workspace", str(tmp_path)]) == 0
    assert "num_images = 3" in capsys.readouterr().out
    assert Dataset.open(tmp_path / "data/dataset").ids == [0, 1, 2]
