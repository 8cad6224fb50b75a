"""A damaged record is named, counted and set aside; it stops nothing and changes nothing else."""

import csv
import shutil
from pathlib import Path

import pytest
import torch

from tedigan.dataset.folder import Dataset
from tedigan.errors import DataError
from tedigan.store import pictures
from tedigan.vocabulary.attributes import attributes_of, format_attributes
from tedigan.workspace import Outcome
from tests.dataset.datasets_made import run
from tests.dataset.sources_made import (
    ATTRIBUTES,
    noise,
    put,
    smooth,
    write_celebamask,
    write_masks,
    write_multimodal,
)
from tests.foreign.damaged_files import damaged, unusual

NUM = 160  # the eight that are damaged are 5 %
PER_SHARD = 20


def mask(width: int, height: int, value: int = 255) -> bytes:
    return pictures.encode(torch.full((1, height, width), value, dtype=torch.uint8), "png")


def damage(source: Path) -> dict[str, str]:
    """Put files that are wrong in place of some; problem -> name of the photograph."""
    problems = {}
    for number, (problem, (suffix, content)) in enumerate(damaged(noise(7)).items()):
        id = 3 + 7 * number
        (source / f"CelebA-HQ-img/{id:05d}.png").unlink()
        put(source / f"CelebA-HQ-img/{id:05d}.{suffix}", content)
        problems[problem] = f"CelebA-HQ-img/{id:05d}.{suffix}"
    for name in ("skin", "nose"):
        put(source / f"CelebAMask-HQ-mask-anno/0/00130_{name}.png", mask(80, 64))
    problems["label map of another shape"] = "CelebA-HQ-img/00130.png"
    return problems


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, str], tuple[Dataset, Outcome], Dataset]:
    """What was damaged, the run over it, and one over the same photographs without the damaged ones."""
    folder = tmp_path_factory.mktemp("damage")
    source = write_masks(write_celebamask(folder / "source", NUM), NUM)
    clean = shutil.copytree(source, folder / "clean")
    problems = damage(source)
    for name in problems.values():
        (clean / name).with_suffix(".png").unlink()
    changes = {"records_per_shard": PER_SHARD, "duplicates": "reject", "kinds": ["text", "label"]}
    found = run(folder / "a", source=str(source), **changes)
    return problems, found, run(folder / "b", source=str(clean), **changes)[0]


def test_every_damaged_file_is_found_named_and_counted(runs) -> None:
    problems, (data, outcome), _ = runs
    with (data.folder / "quarantine.csv").open(newline="") as file:
        rows = {row["problem"]: row for row in csv.DictReader(file)}
    assert {problem: row["name"] for problem, row in rows.items()} == problems
    assert data.description["quarantined"] == dict.fromkeys(sorted(problems), 1)
    assert outcome.num_quarantined == len(problems)
    assert all(len(row["reason"]) > 30 for row in rows.values())


def test_the_rest_is_what_it_is_without_them(runs) -> None:
    _, (data, _), clean = runs
    assert data.ids == clean.ids
    assert [data.index.splits, data.index.source_sha256] == [
        clean.index.splits,
        clean.index.source_sha256,
    ]
    for id in data.ids:
        for kind in data.kinds:
            assert data.read(kind, id) == clean.read(kind, id)
    assert data.description["shards"] == clean.description["shards"]


def test_what_only_looks_wrong_is_kept_and_noted(tmp_path: Path) -> None:
    source, files = tmp_path / "source", unusual(smooth(7))
    for id, (suffix, content) in enumerate(files.values()):
        put(source / f"{id}.{suffix}", content)
    data, outcome = run(tmp_path / "w", source=str(source), resolution=64, duplicates="keep")
    assert outcome.num_quarantined == 0
    noted = data.description["noted"]
    assert {note: noted[note] for note in files} == dict.fromkeys(files, 1)
    turned = torch.rot90(smooth(7), -1, (1, 2))
    for id, pixels in {0: smooth(7), 1: turned}.items():
        assert (data.pixels([id])[0].float() - pixels.float()).abs().mean() < 8


def test_a_photograph_that_comes_again_is_set_aside(tmp_path: Path) -> None:
    source = write_celebamask(tmp_path / "source")
    for id, pixels in {0: smooth(1), 3: smooth(1), 5: pictures.resize(smooth(1), 48)}.items():
        put(source / f"CelebA-HQ-img/{id:05d}.png", pictures.encode(pixels, "png"))
    data, _ = run(tmp_path / "a", source=str(source))
    assert data.ids == [0, 1, 2, 4]
    assert data.description["quarantined"] == {"exact duplicate": 1, "near duplicate": 1}
    assert (
        "same photograph as CelebA-HQ-img/00000.png" in (data.folder / "quarantine.csv").read_text()
    )
    kept, _ = run(tmp_path / "b", source=str(source), duplicates="keep")
    assert len(kept.ids) == 6
    assert kept.description["noted"]["shows the same photograph as an earlier record"] == 2


def test_attributes_that_contradict_are_noted_or_set_aside(tmp_path: Path) -> None:
    source = write_celebamask(tmp_path / "source")
    rows = {f"{id}.jpg": attributes_of(["Bald", "Bangs"] if id == 2 else []) for id in range(6)}
    put(source / ATTRIBUTES, format_attributes(rows))
    kept, _ = run(tmp_path / "a", source=str(source), attribute_conflicts="keep")
    assert list(kept.description["noted"].values()) == [1]
    data, _ = run(tmp_path / "b", source=str(source), attribute_conflicts="reject")
    assert data.ids == [0, 1, 3, 4, 5]
    assert "Bangs, Bald" in (data.folder / "quarantine.csv").read_text()


def spoil(source: Path, what: str) -> None:
    photograph = source / "CelebA-HQ-img/00001.png"
    if what == "no row in the attribute file":
        lines = (source / ATTRIBUTES).read_text().splitlines()
        put(source / ATTRIBUTES, "\n".join(["5", lines[1], lines[2], *lines[4:]]))
    if what == "no row in identity.csv":
        text = (source / "identity.csv").read_text().replace("1,0,train\n", "")
        put(source / "identity.csv", text)
    anno = write_masks(source) / "CelebAMask-HQ-mask-anno/0"
    if what == "of one size":
        put(anno / "00001_nose.png", mask(32, 32))
    if what == "no mask":
        for name in ("nose", "skin"):
            (anno / f"00001_{name}.png").unlink()
    if what == "unknown classes":
        (anno / "00001_nose.png").rename(anno / "00001_beard.png")
    if what == "damaged":
        put(anno / "00001_nose.png", mask(64, 64)[:60])
    if what == "cannot be read":
        photograph.unlink()
        photograph.symlink_to(source / "nowhere.png")


@pytest.mark.parametrize(
    "what",
    [
        "no row in the attribute file",
        "no row in identity.csv",
        "of one size",
        "no mask",
        "unknown classes",
        "damaged",
        "cannot be read",
    ],
)
def test_a_record_that_lacks_something_is_set_aside_with_its_reason(
    tmp_path: Path, what: str
) -> None:
    source = write_celebamask(tmp_path / "source")
    spoil(source, what)
    data, outcome = run(tmp_path / "w", source=str(source))
    assert data.ids == [0, 2, 3, 4, 5]
    assert outcome.num_quarantined == (
        3 if what == "cannot be read" else 1
    )  # two masks belong to it
    reason = (data.folder / "quarantine.csv").read_text()
    assert what in reason
    assert "00001.png" in reason


def test_a_map_without_background_is_set_aside_only_for_a_cut_out(tmp_path: Path) -> None:
    source = write_masks(write_celebamask(tmp_path / "source"))
    whole, _ = run(tmp_path / "a", source=str(source), kinds=["label"])
    assert len(whole.ids) == 6
    with pytest.raises(DataError, match=r"no valid record remains of 6.*a person"):
        run(tmp_path / "b", source=str(source), kinds=["label", "cutout"])


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("text/2.txt", b"\n \n", "no captions"),
        ("text/2.txt", b"\xff\xfe\xff", "captions"),
        ("text/2.txt", None, "no captions"),
        ("sketch/2.jpg", b"", "empty file"),
        ("sketch/2.jpg", None, "no sketch"),
        ("label/2.png", mask(16, 40, 1), "label map of another shape"),
        ("label/2.png", mask(32, 32), "label map"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_what_a_release_lacks_is_set_aside(
    tmp_path: Path, name: str, content: bytes | None, problem: str
) -> None:
    source = write_multimodal(tmp_path / "source")
    (source / name).unlink()
    if content is not None:
        put(source / name, content)
    data, _ = run(tmp_path / "w", source=str(source))
    assert data.ids == [0, 1, 3, 4, 5]
    assert data.description["quarantined"] == {problem: 1}
