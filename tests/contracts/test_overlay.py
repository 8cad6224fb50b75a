"""A profile is an overlay: the whole is checked and written, and what is written is compared before it is used."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tedigan.__main__ import main
from tedigan.errors import ParamsError
from tedigan.overlay import read_sections
from tedigan.params import read_params, write_params
from tedigan.workspace import Workspace
from tests.contracts.closure import CHECKOUT

Sections = dict[str, dict[str, Any]]
OVERLAY: Sections = {
    "paths": {"code": "../../code.lock"},
    "dataset": {"kinds": ["text"], "num_images": None},
    "generate": {"captions": "captions.txt"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A profile two folders below a checkout."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(CHECKOUT / name, tmp_path)
    folder = tmp_path / "profiles" / "mine"
    folder.mkdir(parents=True)
    overlay(folder, OVERLAY)
    return folder


def overlay(folder: Path, sections: Sections) -> None:
    (folder / "overlay.yaml").write_text(yaml.safe_dump(sections))


def change_root(folder: Path, old: str, new: str) -> None:
    path = folder / "../../params.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_overlay_takes_the_place_of_values_and_the_rest_is_the_roots(folder: Path) -> None:
    whole = Workspace.open(folder, writes_params=True).params.model_dump(mode="json")
    root = read_params(CHECKOUT / "params.yaml").model_dump(mode="json")
    for section, values in OVERLAY.items():
        root[section] |= values
    assert whole == root


def test_its_paths_are_relative_to_its_own_folder(folder: Path) -> None:
    workspace = Workspace.open(folder, writes_params=True)
    assert workspace.code_lock == (folder / "../../code.lock").resolve()
    assert workspace.at(workspace.params.generate.captions) == folder / "captions.txt"
    assert workspace.dataset == folder / "data" / "dataset"


def test_all_problems_are_named_at_once_and_nothing_is_written(folder: Path) -> None:
    overlay(
        folder, OVERLAY | {"dataset": {"resolutoin": 64, "seed": "x"}, "generates": {"seed": 1}}
    )
    with pytest.raises(ParamsError) as error:
        write_params(folder)
    message = str(error.value)
    assert message.startswith(f"{folder / 'overlay.yaml'} over ../../params.yaml is not usable:")
    assert "dataset.resolutoin: unknown key; did you mean `resolution`?" in message
    assert "generates: unknown key; did you mean `generate`?" in message
    assert "dataset.seed" in message
    assert [path.name for path in folder.iterdir()] == ["overlay.yaml"]


@pytest.mark.parametrize("paths", [{}, {"paths": None}, {"paths": {"data": "x"}}, {"paths": 3}])
def test_an_overlay_of_no_checkout_is_refused(folder: Path, paths: Sections) -> None:
    overlay(folder, {"invert": {"batch_size": 3}, **paths})
    with pytest.raises(ParamsError, match=r"paths\.code is None.*Add it, such as"):
        write_params(folder)


def test_what_was_never_written_is_refused_with_the_command(folder: Path) -> None:
    with pytest.raises(ParamsError, match=rf"Run `python -m tedigan params write {folder}`"):
        Workspace.open(folder)


@pytest.mark.parametrize("changed", ["overlay", "root", "whole", "damaged whole"])
def test_a_change_of_any_of_the_three_is_refused_until_it_is_written_again(
    folder: Path, changed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_params(folder)
    Workspace.open(folder)
    if changed == "overlay":
        overlay(folder, OVERLAY | {"invert": {"batch_size": 3}})
    elif changed == "root":
        change_root(folder, "batch_size: 64", "batch_size: 63")
    elif changed == "whole":
        text = (folder / "params.yaml").read_text()
        (folder / "params.yaml").write_text(text.replace("batch_size: 64", "batch_size: 63"))
    else:
        (folder / "params.yaml").write_text("{")
    assert main(["params", "check", str(folder)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"Run `python -m tedigan params write {folder}`" in line
    with pytest.raises(ParamsError, match="params write"):
        Workspace.open(folder)
    assert main(["params", "write", str(folder)]) == 0
    assert main(["params", "check", str(folder)]) == 0


def test_a_value_of_the_root_that_the_overlay_says_itself_may_change(folder: Path) -> None:
    write_params(folder)
    change_root(folder, "num_images: 2000", "num_images: 1000")
    Workspace.open(folder)


def test_a_comment_makes_nothing_stale_and_an_equal_whole_is_not_written_again(
    folder: Path,
) -> None:
    write_params(folder)
    before = (folder / "params.yaml").stat().st_mtime_ns
    change_root(folder, "# px, a power of two", "# px")
    write_params(folder)
    assert (folder / "params.yaml").stat().st_mtime_ns == before


def test_a_folder_without_an_overlay_is_left_alone(tmp_path: Path) -> None:
    shutil.copy(CHECKOUT / "params.yaml", tmp_path)
    Workspace.open(tmp_path, writes_params=True)
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]
    assert main(["params", "check", str(tmp_path)]) == 0


def test_a_name_that_is_no_profile_is_refused_with_those_that_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["dataset", "--profile", "laptop"]) == 1
    assert "infra/profiles has: celebahq-64, ffhq-1024, ffhq-256." in capsys.readouterr().err


def test_a_folder_without_an_overlay_is_no_profile(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for action in ("write", "check"):
        assert main(["params", action, str(tmp_path / "nowhere")]) == 1
        assert "error: " in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("generate:\n  seed: 1\n  strength: 1.0\n  seed: 2\n")
    with pytest.raises(ParamsError, match=r"'seed' stands twice(.|\n)*line 4"):
        read_sections(path)
