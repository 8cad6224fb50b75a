"""No folder or file that somebody gives makes more of itself than one refusal that names what is wrong."""

import os
import resource
import time
from pathlib import Path

import pytest
import torch

from tedigan.__main__ import main
from tedigan.errors import WeightsError
from tedigan.models.adopt_generator import adopt_generator
from tedigan.models.opening import load_discriminator, load_generator
from tedigan.store.model_folders import read_config, save_model
from tests.generator.nets import TINY, tiny_generator
from tests.models.hostile_folders import (
    ALL,
    ESCAPES,
    INTEGRITY,
    Hostile,
    whole_model,
    with_value,
)

CPU = torch.device("cpu")
TAKEN = ("a card with escape sequences", "a licence with escape sequences")
MAX_SECONDS, MAX_KIB = 2.0, 500 * 2**10


@pytest.mark.parametrize(
    "hostile", [one for inputs in ALL.values() for one in inputs], ids=lambda one: one.name
)
def test_a_hostile_input_is_one_short_refusal(
    hostile: Hostile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hostile.make(whole_model(tmp_path / "model"))
    into = [str(tmp_path / "imported")] if hostile.action == "import" else []
    begin, peak = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    status = main(["models", hostile.action, str(path), *into])
    assert time.process_time() - begin < MAX_SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < MAX_KIB
    said = capsys.readouterr()
    assert status == (0 if hostile.name in TAKEN else 1)
    text = said.out + said.err
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert text.count("\n") <= 10
    assert len(text) < 600
    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize("hostile", INTEGRITY, ids=lambda one: one.name)
def test_what_is_not_as_it_was_written_is_neither_loaded_nor_adopted(
    hostile: Hostile, tmp_path: Path
) -> None:
    folder = hostile.make(whole_model(tmp_path / "model"))
    with pytest.raises(WeightsError):
        load_generator(folder, CPU)
    with pytest.raises(WeightsError):
        adopt_generator(folder, tmp_path / "adopted")
    assert not (tmp_path / "adopted").exists()


def test_a_bad_folder_does_not_end_the_list_of_a_tree(tmp_path, capsys):
    whole_model(tmp_path / "good")
    for index, one in enumerate([*ALL["numbers"], *ALL["no files"]][::4]):
        one.make(whole_model(tmp_path / f"{index}\nbad"))
    assert main(["models", "list", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if f"{tmp_path}/good: stylegan2; 16 px; num_ws 6" in line]
    assert all(line.startswith(str(tmp_path)) and len(line) <= 400 for line in lines)


def test_a_message_shows_what_a_terminal_would_obey(tmp_path, capsys):
    assert main(["models", "show", str(tmp_path / f"{ESCAPES}\udcff")]) == 1
    said = capsys.readouterr().err
    assert "\\x1b[2J\\x1b]0;owned\\x07\\x9b31m\\u202egpj\\udcff" in said
    assert "\x1b" not in said


def test_a_config_that_no_network_can_have_is_not_written(tmp_path):
    with pytest.raises(WeightsError, match=r"config\.json: w_dim is 0"):
        save_model(tmp_path, {"G_ema": tiny_generator()}, TINY.to_json() | {"w_dim": 0}, "card")
    assert not list(tmp_path.iterdir())


def test_a_changed_value_of_a_network_that_is_not_asked_for_stops_no_other(tmp_path):
    folder = whole_model(tmp_path / "model")
    data = bytearray((folder / "D.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "D.safetensors").write_bytes(data)
    assert load_generator(folder, CPU).num_ws == 6
    with pytest.raises(WeightsError, match=r"D\.safetensors: sha256 is .* damaged or replaced"):
        load_discriminator(folder, CPU)


def test_a_link_to_a_file_beside_it_is_a_file_and_one_to_elsewhere_is_not(tmp_path):
    folder = whole_model(tmp_path / "model")
    (folder / "G_ema.safetensors").rename(folder / ".blob")
    (folder / "G_ema.safetensors").symlink_to(".blob")
    assert load_generator(folder, CPU).num_ws == 6
    (folder / ".blob").rename(tmp_path / "blob")
    (folder / "G_ema.safetensors").unlink()
    (folder / "G_ema.safetensors").symlink_to(tmp_path / "blob")
    with pytest.raises(WeightsError, match="a link to another place"):
        load_generator(folder, CPU)


def test_a_folder_that_was_changed_by_hand_is_sealed_once_it_is_whole(tmp_path, capsys):
    folder = with_value("training.licence", "another")(whole_model(tmp_path / "model"))
    (folder / "notes.txt").write_text("mine")
    assert main(["models", "verify", str(folder)]) == 1
    assert main(["models", "seal", str(folder)]) == 0
    assert main(["models", "verify", str(folder)]) == 0
    (folder / "SHA256SUMS").unlink()
    assert main(["models", "verify", str(folder)]) == 1
    assert "`tedigan models seal`" in capsys.readouterr().err
    assert main(["models", "seal", str(folder)]) == 0
    before = (folder / "SHA256SUMS").read_bytes()
    os.truncate(folder / "G_ema.safetensors", 5000)
    assert main(["models", "seal", str(folder)]) == 1
    assert (folder / "SHA256SUMS").read_bytes() == before
    capsys.readouterr()


def test_values_are_read_into_a_network_that_took_no_memory_before_they_were(tmp_path):
    folder = whole_model(tmp_path / "model")
    generator = load_generator(folder, CPU)
    z = torch.ones(2, 16)
    assert torch.equal(generator(z), tiny_generator()(z))
    assert read_config(folder)["training"] == {"licence": "ours"}
