"""What a stranger's folders hold beside what a model needs: named, listed or refused, and no traceback."""

import os
from pathlib import Path

import pytest
import torch

from tedigan.__main__ import main
from tedigan.errors import WeightsError
from tedigan.foreign.dialects import read_foreign
from tedigan.model_configs import check_layers
from tedigan.store.sums import SUMS
from tests.foreign import test_dialect_rosinality as rosinality
from tests.models.hostile_folders import whole_model, write_sums


@pytest.mark.parametrize("name", [b"a\nb", b"\xff\xfe", b"n" * 250, b"SHA256SUMS.more\x7f"])
def test_a_file_that_no_list_can_name_is_refused_by_name(tmp_path, capsys, name):
    folder = whole_model(tmp_path / "model")
    before = (folder / SUMS).read_bytes()
    Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text("mine")
    is_hidden = name.startswith(b"SHA256SUMS")
    assert main(["models", "seal", str(folder)]) == (0 if is_hidden else 1)
    assert is_hidden or "cannot be named in SHA256SUMS" in capsys.readouterr().err
    assert (folder / SUMS).read_bytes() == before


@pytest.mark.parametrize("name", ["..", ".hidden", "SHA256SUMS", "folder"])
def test_a_list_names_files_of_the_folder_and_nothing_else(tmp_path, capsys, name):
    folder = whole_model(tmp_path / "model")
    (folder / ".hidden").write_text("mine")
    (folder / "folder").mkdir()
    with (folder / SUMS).open("a") as file:
        file.write(f"{'0' * 64}  {name}\n")
    assert main(["models", "verify", str(folder)]) == 1
    assert "is no list" in (said := capsys.readouterr().err) or "folder is missing" in said


def test_a_folder_of_thousands_of_files_is_not_sealed(tmp_path, capsys):
    folder = whole_model(tmp_path / "model")
    for index in range(900):
        (folder / f"{index}.txt").touch()
    assert main(["models", "seal", str(folder)]) == 1
    assert "some 800 at most" in capsys.readouterr().err


def test_a_long_card_is_shown_in_part(tmp_path, capsys):
    folder = whole_model(tmp_path / "model")
    (folder / "README.md").write_text("x" * 100_000 + "\n" * 5000)
    write_sums(folder)
    assert main(["models", "show", str(folder)]) == 0
    assert len(said := capsys.readouterr().out) < 2000
    assert "4800 more lines in README.md" in said


def test_a_folder_is_not_imported(tmp_path, capsys):
    folder = whole_model(tmp_path / "model")
    assert main(["models", "import", str(folder), str(tmp_path / "out")]) == 1
    assert "is a folder, expected an official file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([], "holds a list of 0"),
        ({"attributes": {}}, "at least 1 item"),
        (
            {"attributes": {"a": {"gain": [0.1], "layers": [1], "is_drawn": True}}},
            "not among its 1",
        ),
        ({"attributes": {"a": {"gain": [0.1], "layers": [0, 0], "is_drawn": True}}}, "each once"),
        ({"attributes": {"a": {"gain": ["x"], "layers": [], "is_drawn": True}}}, r"gain\.0 is 'x'"),
        (
            {"attributes": {"a": {"gain": [0.1], "leak": [0, 1], "layers": [], "is_drawn": True}}},
            "2 layers",
        ),
        ({"attributes": {"a": {"gain": [0.1], "layers": []}}}, "is_drawn is missing"),
    ],
)
def test_a_layer_table_that_means_nothing_is_one_refusal_that_names_the_key(table, message):
    with pytest.raises(WeightsError, match=message):
        check_layers(table, "layers.json")


@pytest.mark.parametrize("wrap", ["module.module.", ""])
def test_a_live_generator_of_rosinality_behind_any_prefix_is_read(tmp_path, wrap):
    tensors = rosinality.generator_tensors()
    torch.save({"g": {f"{wrap}{name}": one for name, one in tensors.items()}}, tmp_path / "a.pt")
    [found] = read_foreign(tmp_path / "a.pt")
    assert "The file has no g_ema; G_ema is the live generator." in found.notes
