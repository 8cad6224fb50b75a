"""A run that was killed, or whose source grew, makes what is missing and ends with the bytes of a quiet run."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tedigan import code_lock
from tedigan.dataset import build, sharding, source_records, survey, workshop
from tedigan.dataset.folder import Dataset, shard_name
from tedigan.store import pictures, shards
from tedigan.store.files import sha256_tree
from tests.dataset.datasets_made import ROOT, SMALL, run
from tests.dataset.sources_made import noise, put, write_celebamask

NUM = 14
MOMENTS = [
    (source_records, "perceptual_hash", 1),
    (source_records, "perceptual_hash", 9),
    (workshop.Workshop, "keep_findings", 3),
    (survey, "find_duplicates", 1),
    (shards.ShardWriter, "add", 1),
    (shards.ShardWriter, "add", 6),
    (sharding, "ShardWriter", 4),
    (build, "link_or_copy", 3),
    (build, "write_examples", 1),
    (build, "write_card", 1),
    (workshop.Workshop, "settle", 1),
]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Who changes it takes a copy."""
    return write_celebamask(tmp_path_factory.mktemp("resume") / "source", NUM)


@pytest.fixture
def own(source: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return shutil.copytree(source, tmp_path / "source")


@pytest.fixture(scope="module")
def quiet(source: Path) -> Dataset:
    """What a run makes that nothing disturbs."""
    return run(source.parent / "quiet", source=str(source))[0]


def killed_run(folder: Path, source: Path, moment: tuple[object, str, int]) -> None:
    """In a process of its own: the run, killed when something is done for the n-th time."""
    place, name, count = moment
    done = getattr(place, name)
    calls = 0

    def counted(*arguments: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return done(*arguments, **named)

    setattr(place, name, counted)
    run(folder, source=str(source))


def kill(folder: Path, source: Path, moment: tuple[object, str, int]) -> None:
    process = multiprocessing.get_context("fork").Process(
        target=killed_run, args=(folder, source, moment)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: f"{moment[1]} {moment[2]}")
def test_a_run_killed_here_ends_with_the_bytes_of_a_quiet_one(
    tmp_path: Path, source: Path, quiet: Dataset, moment: tuple[object, str, int]
) -> None:
    kill(tmp_path / "w", source, moment)
    data, _ = run(tmp_path / "w", source=str(source))
    assert sha256_tree(data.folder) == sha256_tree(quiet.folder)
    left = sorted(path.name for path in (tmp_path / "w/data").iterdir())
    assert left == ["dataset", "dataset.html"]


def test_finished_shards_are_found_again_and_half_ones_are_redone(
    tmp_path: Path, source: Path
) -> None:
    kill(tmp_path / "w", source, (shards.ShardWriter, "add", 11))
    assert len(list((tmp_path / "w/.work/dataset/shards").glob("*.tar"))) == 2
    _, outcome = run(tmp_path / "w", source=str(source))
    assert outcome.metrics["num_shards"] == 4
    assert outcome.metrics["num_shards_made"] == 2
    assert not (tmp_path / "w/.work/dataset/shards").exists()


def test_workers_end_with_a_run_that_was_killed(tmp_path: Path) -> None:
    """And the next run, with another number of them, gives the bytes of a quiet one."""
    settings = {"source": "drawn", "num_images": 24, "resolution": 64}
    for name, num_workers in {"w": 2, "quiet": 1}.items():
        params = yaml.safe_load((ROOT / "params.yaml").read_text())
        params["dataset"] |= SMALL | settings
        params["runtime"]["num_workers"] = num_workers
        put(tmp_path / name / "params.yaml", yaml.safe_dump(params))
    command = [sys.executable, "-m", "tedigan", "dataset", "--workspace"]
    process = subprocess.Popen([*command, str(tmp_path / "w")], stderr=subprocess.DEVNULL, cwd=ROOT)
    made = tmp_path / "w/.work/dataset/shards"
    while not list(made.glob("*.tar")):
        assert process.poll() is None
        time.sleep(0.01)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    process.wait()
    assert children
    for _ in range(100):
        if not any(Path(f"/proc/{child}").exists() for child in children):
            break
        time.sleep(0.1)
    else:
        pytest.fail("workers outlived their parent")
    for name in ("w", "quiet"):
        run(tmp_path / name, num_workers=3 if name == "w" else 1, **settings)
    place = "data/dataset"
    assert sha256_tree(tmp_path / "w" / place) == sha256_tree(tmp_path / "quiet" / place)


def test_added_photographs_make_only_their_shards(
    tmp_path: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = run(tmp_path / "w", source=str(own))
    before = first.description["shards"]
    write_celebamask(own, NUM + 4)
    looked_at = []
    hash_of = source_records.perceptual_hash
    monkeypatch.setattr(
        source_records, "perceptual_hash", lambda pixels: looked_at.append(0) or hash_of(pixels)
    )
    second, outcome = run(tmp_path / "w", source=str(own))
    assert len(looked_at) == 4
    assert outcome.metrics["num_shards_made"] == 2
    assert second.description["shards"][:3] == before[:3]
    quiet, _ = run(tmp_path / "quiet", source=str(own))
    assert sha256_tree(second.folder) == sha256_tree(quiet.folder)


def test_a_changed_photograph_makes_its_shard_again(tmp_path: Path, own: Path) -> None:
    first, _ = run(tmp_path / "w", source=str(own))
    put(own / "CelebA-HQ-img/00005.png", pictures.encode(noise(99), "png"))
    second, outcome = run(tmp_path / "w", source=str(own))
    assert outcome.metrics["num_shards_made"] == 1
    changed = zip(first.description["shards"], second.description["shards"], strict=True)
    assert [a == b for a, b in changed] == [True, False, True, True]


@pytest.mark.parametrize("what", ["seed", "captions_per_image", "resolution", "kinds"])
def test_another_recipe_makes_all_shards_again(
    tmp_path: Path, source: Path, quiet: Dataset, what: str
) -> None:
    shutil.copytree(source.parent / "quiet", tmp_path / "w")
    values = {"seed": 1, "captions_per_image": 3, "resolution": 32, "kinds": ["text"]}
    _, outcome = run(tmp_path / "w", source=str(source), **{what: values[what]})
    assert outcome.metrics["num_shards_made"] == 4


def test_other_code_makes_all_shards_again(
    tmp_path: Path, source: Path, quiet: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(source.parent / "quiet", tmp_path / "w")
    _, outcome = run(tmp_path / "w", source=str(source))
    assert outcome.metrics["num_shards_made"] == 0
    monkeypatch.setattr(build, "LIBRARIES", ("numpy",))
    _, outcome = run(tmp_path / "w", source=str(source))
    assert outcome.metrics["num_shards_made"] == 4
    monkeypatch.setattr(code_lock, "_digest", lambda _: "other")
    _, outcome = run(tmp_path / "w", source=str(source))
    assert outcome.metrics["num_shards_made"] == 4


@pytest.fixture
def again(source: Path, quiet: Dataset, tmp_path: Path) -> Path:
    """The folder of the quiet run, to be spoilt."""
    return shutil.copytree(source.parent / "quiet", tmp_path / "w")


def test_a_shard_that_somebody_changed_is_made_again(
    again: Path, source: Path, quiet: Dataset
) -> None:
    path = again / "data/dataset" / shard_name(1)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    data, outcome = run(again, source=str(source))
    assert outcome.metrics["num_shards_made"] == 1
    assert sha256_tree(data.folder) == sha256_tree(quiet.folder)


def test_a_lost_work_folder_costs_time_alone(again: Path, source: Path, quiet: Dataset) -> None:
    shutil.rmtree(again / ".work")
    data, _ = run(again, source=str(source))
    assert sha256_tree(data.folder) == sha256_tree(quiet.folder)


def test_a_damaged_memory_costs_time_alone(again: Path, source: Path, quiet: Dataset) -> None:
    remembered = list((again / ".work/dataset").rglob("*.json"))
    assert remembered
    for path in remembered:
        path.write_text(path.read_text()[:40])
    data, _ = run(again, source=str(source))
    assert sha256_tree(data.folder) == sha256_tree(quiet.folder)
