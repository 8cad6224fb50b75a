import pytest
import torch

from tedigan.__main__ import main
from tedigan.errors import WeightsError
from tedigan.generator.stylegan import Generator
from tedigan.stages.imports import read_generator
from tedigan.stages.networks import load_generator
from tedigan.store.models import save_model
from tests.generator.nets import TINY, tiny_discriminator, tiny_generator
from tests.store.nvidia_snapshot import EasyDict, dump, module


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
    assert found.config.conv_clamp == 256
    assert found.config.mbstd_group_size == 2
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


def test_a_snapshot_without_a_discriminator_is_refused(tmp_path):
    (tmp_path / "snapshot.pkl").write_bytes(snapshot(D=None))
    with pytest.raises(WeightsError, match="expected G, D and G_ema"):
        read_generator(tmp_path / "snapshot.pkl")


def test_a_folder_without_the_live_generator_trains_on_from_the_average(tmp_path):
    networks = {"G_ema": tiny_generator(0), "D": tiny_discriminator()}
    save_model(tmp_path, networks, TINY.to_json(), "card")
    found = read_generator(tmp_path)
    assert torch.equal(
        found.networks["G"].state_dict()["mapping.fc0.weight"],
        networks["G_ema"].state_dict()["mapping.fc0.weight"],
    )
