"""dvc.yaml, params.yaml, the profiles and the stages' modules speak of the same things."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tedigan.code_lock import code_of
from tedigan.params import Params, read_params, write_params
from tedigan.stages import STAGES
from tests.contracts.closure import CHECKOUT

PROFILES = sorted(path.parent for path in (CHECKOUT / "infra/profiles").glob("*/overlay.yaml"))
NOT_A_STAGE = {"paths", "runtime"}
CHECK = "check"  # makes nothing: it ends a `dvc repro` whose code.lock or params.yaml is stale


@pytest.fixture(scope="module")
def pipeline() -> dict[str, Any]:
    """Without `check`."""
    stages = yaml.safe_load((CHECKOUT / "dvc.yaml").read_text())["stages"]
    return {name: stage for name, stage in stages.items() if name != CHECK}


def test_stages_are_the_same_words_everywhere(pipeline: dict[str, Any]) -> None:
    assert list(pipeline) == list(STAGES)
    assert set(STAGES) == set(Params.model_fields) - NOT_A_STAGE


def test_each_stage_runs_its_own_command_and_reads_its_own_section(
    pipeline: dict[str, Any],
) -> None:
    for name, stage in pipeline.items():
        assert stage["cmd"] == f"python -m tedigan {name}"
        assert name in stage["params"]


def test_each_stage_depends_on_the_digest_of_its_own_code(pipeline: dict[str, Any]) -> None:
    for name, stage in pipeline.items():
        assert stage["params"][-1] == {"${paths.code}": [name]}


def test_dvc_checks_what_it_compares_first_and_always() -> None:
    stages = yaml.safe_load((CHECKOUT / "dvc.yaml").read_text())["stages"]
    assert next(iter(stages)) == CHECK
    assert stages[CHECK]["always_changed"]
    assert stages[CHECK]["cmd"] == [
        "python -m tedigan code check ${paths.code}",
        "python -m tedigan params check",
    ]


def test_every_input_of_a_stage_is_made_by_an_earlier_one(pipeline: dict[str, Any]) -> None:
    made: set[str] = set()
    for name, stage in pipeline.items():
        places = ("${paths.data}", "${paths.models}", "${paths.results}")
        inputs = {dep for dep in stage.get("deps", []) if dep.startswith(places)}
        assert inputs <= made, name
        made |= set(stage["outs"])


@pytest.mark.parametrize("folder", PROFILES, ids=lambda folder: folder.name)
def test_a_profile_says_only_what_differs_from_the_root(folder: Path) -> None:
    root = yaml.safe_load((CHECKOUT / "params.yaml").read_text())
    overlay = yaml.safe_load((folder / "overlay.yaml").read_text())
    same = [
        f"{s}.{key}"
        for s, values in overlay.items()
        for key in values
        if values[key] == root[s].get(key)
    ]
    assert not same, f"remove from {folder.name}/overlay.yaml"


@pytest.mark.parametrize("folder", PROFILES, ids=lambda folder: folder.name)
def test_profiles_are_usable_and_run_the_root_pipeline(folder: Path, tmp_path: Path) -> None:
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(CHECKOUT / name, tmp_path)
    profile = tmp_path / "infra" / "profiles" / folder.name
    profile.mkdir(parents=True)
    shutil.copy(folder / "overlay.yaml", profile)
    write_params(profile)
    assert read_params(profile / "params.yaml").paths.code == Path("../../../code.lock")
    assert (profile / "dvc.yaml").readlink() == Path("../../../dvc.yaml")


def test_the_root_params_are_usable() -> None:
    read_params(CHECKOUT / "params.yaml")


# train_generator.check compares its init with the data set's size; the run itself reads the data set.
READ_BY_CHECKS = {"train_generator": {"dataset"}}


@pytest.mark.parametrize("name", STAGES)
def test_declared_params_are_the_sections_that_the_stage_reads(
    pipeline: dict[str, Any], name: str
) -> None:
    files = code_of(f"tedigan.stages.{name}").items()
    texts = [file.read_text() for module, file in files if module.startswith("tedigan.stages.")]
    read = {section for text in texts for section in re.findall(r"workspace\.params\.(\w+)", text)}
    read -= {"paths", "runtime"} | READ_BY_CHECKS.get(name, set())
    assert set(pipeline[name]["params"][:-1]) == read
