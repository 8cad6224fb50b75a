"""dvc.yaml, params.yaml, the profiles and the stages' modules speak of the same things."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tedigan.code_lock import code_of
from tedigan.params import Params, read_params
from tedigan.stages import STAGES
from tests.contracts.closure import CHECKOUT

PROFILES = sorted((CHECKOUT / "infra" / "profiles").glob("*/params.yaml"))
NOT_A_STAGE = {"paths", "runtime"}
CODE = "code"  # runs nothing: it ends a `dvc repro` whose code.lock is stale


@pytest.fixture(scope="module")
def pipeline() -> dict[str, Any]:
    """Without `code`."""
    stages = yaml.safe_load((CHECKOUT / "dvc.yaml").read_text())["stages"]
    return {name: stage for name, stage in stages.items() if name != CODE}


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


def test_dvc_looks_at_the_code_first_and_always() -> None:
    stages = yaml.safe_load((CHECKOUT / "dvc.yaml").read_text())["stages"]
    assert next(iter(stages)) == CODE
    command = "python -m tedigan code check ${paths.code}"
    assert stages[CODE] == {"cmd": command, "always_changed": True}


def test_every_input_of_a_stage_is_made_by_an_earlier_one(pipeline: dict[str, Any]) -> None:
    made: set[str] = set()
    for name, stage in pipeline.items():
        places = ("${paths.data}", "${paths.models}", "${paths.results}")
        inputs = {dep for dep in stage.get("deps", []) if dep.startswith(places)}
        assert inputs <= made, name
        made |= set(stage["outs"])


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)
def test_profiles_have_the_keys_of_the_root(path: Path) -> None:
    root = yaml.safe_load((CHECKOUT / "params.yaml").read_text())
    profile = yaml.safe_load(path.read_text())
    assert {k: list(v) for k, v in profile.items()} == {k: list(v) for k, v in root.items()}
    assert (path.parent / read_params(path).paths.code).resolve() == CHECKOUT / "code.lock"


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)
def test_profiles_run_the_root_pipeline(path: Path) -> None:
    link = path.parent / "dvc.yaml"
    assert link.is_symlink()
    assert link.resolve() == CHECKOUT / "dvc.yaml"


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
