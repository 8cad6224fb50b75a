"""dvc.yaml, params.yaml, the profiles and the stages' modules speak of the same things."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tedigan.params import Params, read_params
from tedigan.stages import STAGES
from tests.contracts.closure import CHECKOUT, code_of

PROFILES = sorted((CHECKOUT / "infra" / "profiles").glob("*/params.yaml"))
CODE = "${paths.code}/tedigan/"
NOT_A_STAGE = {"paths", "runtime"}


@pytest.fixture(scope="module")
def pipeline() -> dict[str, Any]:
    return yaml.safe_load((CHECKOUT / "dvc.yaml").read_text())["stages"]


def test_stages_are_the_same_words_everywhere(pipeline: dict[str, Any]) -> None:
    assert list(pipeline) == list(STAGES)
    assert set(STAGES) == set(Params.model_fields) - NOT_A_STAGE


def test_each_stage_runs_its_own_command_and_reads_its_own_section(
    pipeline: dict[str, Any],
) -> None:
    for name, stage in pipeline.items():
        assert stage["cmd"] == f"python -m tedigan {name}"
        assert name in stage["params"]


@pytest.mark.parametrize("name", STAGES)
def test_declared_code_covers_what_the_stage_imports(pipeline: dict[str, Any], name: str) -> None:
    if importlib.util.find_spec(f"tedigan.stages.{name}") is None:
        pytest.skip("not written yet")
    declared = {d.removeprefix(CODE) for d in pipeline[name]["deps"] if d.startswith(CODE)}
    imported = code_of(name)
    undeclared = {file for file in imported if not any(_holds(place, file) for place in declared)}
    assert not undeclared, f"add to {name}'s deps in dvc.yaml, with {CODE} before each"
    unused = {place for place in declared if not any(_holds(place, file) for file in imported)}
    assert not unused, f"remove from {name}'s deps in dvc.yaml"


def _holds(place: str, file: str) -> bool:
    return file == place or file.startswith(f"{place}/")


def test_every_input_of_a_stage_is_made_by_an_earlier_one(pipeline: dict[str, Any]) -> None:
    made: set[str] = set()
    for name, stage in pipeline.items():
        places = ("${paths.data}", "${paths.models}", "${paths.results}")
        inputs = {dep for dep in stage["deps"] if dep.startswith(places)}
        assert inputs <= made, name
        made |= set(stage["outs"])


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)
def test_profiles_have_the_keys_of_the_root(path: Path) -> None:
    root = yaml.safe_load((CHECKOUT / "params.yaml").read_text())
    profile = yaml.safe_load(path.read_text())
    assert {k: list(v) for k, v in profile.items()} == {k: list(v) for k, v in root.items()}
    assert read_params(path).paths.code == Path("../../..")


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
    texts = [
        (CHECKOUT / "tedigan" / file).read_text() for file in code_of(name) if "stages/" in file
    ]
    read = {section for text in texts for section in re.findall(r"workspace\.params\.(\w+)", text)}
    read -= {"paths", "runtime"} | READ_BY_CHECKS.get(name, set())
    assert set(pipeline[name]["params"]) == read
