from dataclasses import dataclass
from typing import Any

import pytest
import torch
from safetensors.torch import save

from tedigan.__main__ import main
from tedigan.errors import WeightsError
from tedigan.foreign.dialects import OF_TORCH
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.stylegan import Generator
from tedigan.models.imports import read_generator
from tedigan.models.opening import load_generator
from tedigan.store.model_folders import load_tensors, save_model
from tests.foreign.nvidia_snapshot import EasyDict, dump, module
from tests.generator.nets import TINY, tiny_discriminator, tiny_generator
from tests.models.hostile_folders import write_sums
from tests.parity.cases_psp import CASES as PSP
from tests.parity.cases_stylegan1 import CASES as STYLEGAN1
from tests.parity.cases_stylegan2 import CASES as STYLEGAN2


def snapshot(**sections: object) -> bytes:
    """TINY's networks as NVIDIA's training would write them."""
    arguments = EasyDict(
        z_dim=16,
        c_dim=0,
        w_dim=12,
        img_resolution=16,
        img_channels=3,
        mapping_kwargs=EasyDict(num_layers=2),
        synthesis_kwargs=EasyDict(channel_base=128, channel_max=8, conv_clamp=256),
    )
    for_discriminator = EasyDict(epilogue_kwargs=EasyDict(mbstd_group_size=2))
    content = {
        "G": module("Generator", tiny_generator(1).state_dict(), _init_kwargs=arguments),
        "D": module(
            "Discriminator", tiny_discriminator().state_dict(), _init_kwargs=for_discriminator
        ),
        "G_ema": module("Generator", tiny_generator(0).state_dict(), _init_kwargs=arguments),
    }
    return dump(content | sections)


def test_a_snapshot_becomes_networks_that_draw_the_same(tmp_path):
    (tmp_path / "snapshot.pkl").write_bytes(snapshot())
    found = read_generator(tmp_path / "snapshot.pkl")
    config = GeneratorConfig.from_json(found.config)
    assert config.conv_clamp == 256
    assert config.mbstd_group_size == 2
    z = torch.randn(2, 16)
    generator = found.networks["G_ema"]
    assert isinstance(generator, Generator)
    assert torch.allclose(generator(z), tiny_generator(0)(z), atol=1e-5)


def test_the_command_writes_a_model_folder_with_its_origins_sha256(tmp_path, capsys):
    (tmp_path / "snapshot.pkl").write_bytes(snapshot())
    target = tmp_path / "model"
    assert main(["models", "import", str(tmp_path / "snapshot.pkl"), str(target)]) == 0
    assert "G_ema.safetensors" in capsys.readouterr().out
    assert load_generator(target, torch.device("cpu")).num_ws == 6
    assert main(["models", "import", str(tmp_path / "snapshot.pkl"), str(target)]) == 1
    assert "Name another" in capsys.readouterr().err


def test_a_truncated_snapshot_leaves_nothing_behind(tmp_path, capsys):
    (tmp_path / "snapshot.pkl").write_bytes(snapshot()[:-500])
    assert main(["models", "import", str(tmp_path / "snapshot.pkl"), str(tmp_path / "model")]) == 1
    assert "error:" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["snapshot.pkl"]


def test_a_snapshot_with_values_that_are_no_numbers_is_refused(tmp_path, capsys):
    state = tiny_generator(1).state_dict()
    state["mapping.w_avg"][3] = float("nan")
    arguments = EasyDict(z_dim=16, c_dim=0, w_dim=12, img_resolution=16, img_channels=3)
    arguments |= {
        "mapping_kwargs": EasyDict(num_layers=2),
        "synthesis_kwargs": EasyDict(channel_base=128, channel_max=8, conv_clamp=256),
    }
    broken = module("Generator", state, _init_kwargs=arguments)
    (tmp_path / "snapshot.pkl").write_bytes(snapshot(G=broken))
    assert main(["models", "import", str(tmp_path / "snapshot.pkl"), str(tmp_path / "model")]) == 1
    assert "G: mapping.w_avg has values that are no numbers" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


def test_a_snapshot_without_its_average_is_refused(tmp_path):
    (tmp_path / "snapshot.pkl").write_bytes(snapshot(G_ema=None))
    with pytest.raises(WeightsError, match="expected G_ema"):
        read_generator(tmp_path / "snapshot.pkl")


def test_a_file_of_an_unknown_dialect_is_refused_with_what_is_known(tmp_path):
    torch.save({"state": {"fc.weight": torch.zeros(2, 2)}, "epoch": 3}, tmp_path / "theirs.pt")
    with pytest.raises(WeightsError, match=r"begins with state, epoch; expected NVIDIA's"):
        read_generator(tmp_path / "theirs.pt")


@dataclass
class Named:
    """A checkpoint of which only names are looked at."""

    content: dict[str, Any]
    name: str = "theirs.pt"

    def state_dict(self, *sections: str) -> dict[str, torch.Tensor]:
        raise AssertionError("recognising a file must copy nothing")


OFFICIAL = [case for case in [*STYLEGAN1, *STYLEGAN2, *PSP] if "nvidia" not in case.name]


@pytest.mark.parametrize(
    "case", [case for case in OFFICIAL if case.path.exists()], ids=lambda case: case.name
)
def test_each_official_file_is_of_one_dialect(case):
    sections: dict[str, Any] = dict(case.shapes())
    is_flat = case.name.startswith(("tedigan_base", "idinvert"))
    content = sections["state_dict"] if is_flat else sections
    recognising = [one.__name__ for one in OF_TORCH if one.recognises(Named(content))]
    assert len(recognising) == 1


def test_models_are_listed_and_verified(tmp_path, capsys):
    networks = {"G_ema": tiny_generator(0), "D": tiny_discriminator()}
    folder = tmp_path / "mine"
    save_model(folder, networks, TINY.to_json() | {"training": {"licence": "ours"}}, "card")
    assert main(["models", "list", str(tmp_path)]) == 0
    assert "mine: stylegan2; 16 px; num_ws 6; D, G_ema; ours" in capsys.readouterr().out
    assert main(["models", "verify", str(folder)]) == 0
    assert "G_ema, D: whole (the recorded sha256)" in capsys.readouterr().out
    assert main(["models", "list", str(tmp_path / "nowhere")]) == 1


@pytest.mark.parametrize(
    ("broken", "message"),
    [("bytes", "damaged or replaced"), ("names", "missing 1"), ("values", "no numbers")],
)
def test_a_model_that_is_not_whole_fails_its_verification(tmp_path, capsys, broken, message):
    generator = tiny_generator(0)
    save_model(tmp_path, {"G_ema": generator}, TINY.to_json(), "card")
    weights = tmp_path / "G_ema.safetensors"
    tensors = load_tensors(weights)
    if broken == "bytes":
        weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    else:
        if broken == "names":
            del tensors["mapping.w_avg"]
        else:
            tensors["mapping.w_avg"][3] = float("nan")
        weights.write_bytes(save(tensors))
        write_sums(tmp_path)
    assert main(["models", "verify", str(tmp_path)]) == 1
    assert message in capsys.readouterr().err
