"""Legal, seldom forms of official files: read as what they are, with what they cannot tell on the card."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tedigan.__main__ import main
from tedigan.errors import WeightsError
from tedigan.foreign.dialects import Told
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator, minibatch_std
from tedigan.generator.fast_synthesis import FastSynthesis
from tedigan.generator.stylegan import Generator
from tedigan.models.imports import FoundModel, read_models
from tests.foreign import test_dialect_genforce2 as genforce
from tests.foreign import test_dialect_rosinality as rosinality
from tests.foreign.nvidia_snapshot import EasyDict, dump, module
from tests.generator.nets import tiny_discriminator, tiny_generator

SIZES = (16, 0, 12, 16, 3)  # z_dim, c_dim, w_dim, img_resolution, img_channels
MAPPING = EasyDict(num_layers=2)
SYNTHESIS = EasyDict(channel_base=128, channel_max=8, conv_clamp=256)
NAMED = EasyDict(
    zip(("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels"), SIZES, strict=True)
)
WHOLE = EasyDict(NAMED, mapping_kwargs=MAPPING, synthesis_kwargs=SYNTHESIS)


def g(seed: int = 0, **state: Any) -> Any:
    return module("Generator", tiny_generator(seed).state_dict(), **{"_init_kwargs": WHOLE} | state)


def d(**kwargs: Any) -> Any:
    return module("Discriminator", tiny_discriminator().state_dict(), _init_kwargs=EasyDict(kwargs))


def read(folder: Path, content: Any, name: str = "theirs.pt", **how: Any) -> FoundModel:
    if isinstance(content, bytes):
        (folder / name).write_bytes(content)
    else:
        torch.save(content, folder / name)
    return read_models(folder / name, **how)[0]


def config_of(found: FoundModel) -> GeneratorConfig:
    return GeneratorConfig.from_json(found.config)


# What a file says


@pytest.mark.parametrize(("clamp", "expected"), [(None, None), (0.5, 0.5), (256, 256.0)])
def test_a_discriminator_has_its_own_clamp_and_not_the_generators(tmp_path, clamp, expected):
    found = read(tmp_path, dump({"G_ema": g(), "D": d(conv_clamp=clamp)}), "theirs.pkl")
    config = config_of(found)
    assert (config.conv_clamp, config.clamp_of_d) == (256, expected)
    network = found.networks["D"]
    assert isinstance(network, Discriminator)
    images = torch.ones(2, 3, 16, 16) * 40
    assert (network(images) - tiny_discriminator()(images)).abs().max() < 1e-4 or clamp == 0.5
    assert network.get_submodule("b16.conv0").conv_clamp == expected


def test_no_group_size_is_the_whole_batch(tmp_path):
    epilogue = EasyDict(mbstd_group_size=None)
    found = read(tmp_path, dump({"G_ema": g(), "D": d(epilogue_kwargs=epilogue)}), "theirs.pkl")
    assert config_of(found).mbstd_group_size is None
    x = torch.randn(6, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(minibatch_std(x, None), minibatch_std(x, 6))


def test_arguments_by_place_are_those_by_name(tmp_path):
    rest = {"_init_args": (*SIZES, MAPPING), "_init_kwargs": EasyDict(synthesis_kwargs=SYNTHESIS)}
    found = read(tmp_path, dump({"G_ema": g(**rest)}), "placed.pkl")
    assert found.config == read(tmp_path, dump({"G_ema": g()}), "named.pkl").config
    with pytest.raises(WeightsError, match="positional arguments"):
        read(tmp_path, dump({"G_ema": g(_init_args=(16,))}), "twice.pkl")


def test_without_w_avg_it_is_sampled_and_said(tmp_path):
    tensors = {k: v for k, v in tiny_generator().state_dict().items() if k != "mapping.w_avg"}
    kwargs = EasyDict(WHOLE, mapping_kwargs=EasyDict(num_layers=2, w_avg_beta=None))
    found = read(
        tmp_path, dump({"G_ema": module("Generator", tensors, _init_kwargs=kwargs)}), "theirs.pkl"
    )
    assert "w_avg is the mean" in found.history["notes"][0]
    network = found.networks["G_ema"]
    assert isinstance(network, Generator)
    w = network.mapping(torch.randn(4000, 16, generator=torch.Generator().manual_seed(1)))
    assert torch.allclose(network.mapping.w_avg, w.mean(0), atol=0.1)


def test_one_object_as_g_and_g_ema_becomes_two_networks_of_equal_values(tmp_path):
    same = g()
    found = read(tmp_path, dump({"G": same, "G_ema": same}), "theirs.pkl")
    one, other = (found.networks[name].state_dict() for name in ("G", "G_ema"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert not {t.data_ptr() for t in one.values()} & {t.data_ptr() for t in other.values()}


def test_another_low_pass_filter_is_called_that(tmp_path):
    kwargs = EasyDict(WHOLE, synthesis_kwargs=EasyDict(SYNTHESIS, resample_filter=[1, 2, 1]))
    with pytest.raises(WeightsError, match=r"another low-pass filter.*\[1, 2, 1\]"):
        read(tmp_path, dump({"G_ema": g(_init_kwargs=kwargs)}), "theirs.pkl")


def test_a_torch_file_is_one_whatever_its_name_ends_in(tmp_path):
    found = read(tmp_path, rosinality.whole(), "theirs.pkl")
    assert found.history["source"] == "rosinality stylegan2"


@pytest.mark.parametrize("section", ["g_ema", None])
def test_the_prefix_of_data_parallel_is_left_out(tmp_path, section):
    state = {f"module.{name}": one for name, one in rosinality.generator_tensors().items()}
    found = read(tmp_path, {section: state} if section else state)
    plain = read(tmp_path, rosinality.generator_tensors(), "plain.pt")
    ours, theirs = (one.networks["G_ema"].state_dict() for one in (found, plain))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("is_bare", [True, False])
def test_a_live_generator_alone_is_taken_as_the_average_and_said(tmp_path, is_bare):
    state = genforce.generator_tensors()
    found = read(tmp_path, state if is_bare else {"generator": state})
    assert "G_ema is the live generator" in " ".join(found.history["notes"])
    one, other = (found.networks[name].state_dict() for name in ("G", "G_ema"))
    assert not {t.data_ptr() for t in one.values()} & {t.data_ptr() for t in other.values()}


def test_a_discriminator_that_cannot_be_read_can_be_left_out(tmp_path, capsys):
    broken = rosinality.discriminator_tensors() | {"more": torch.ones(1)}
    torch.save(rosinality.whole() | {"d": broken}, tmp_path / "theirs.pt")
    command = ["models", "import", str(tmp_path / "theirs.pt"), str(tmp_path / "model")]
    assert main(command) == 1
    assert "--only G_ema" in capsys.readouterr().err
    assert main([*command, "--only", "G_ema"]) == 0
    assert not (tmp_path / "model" / "D.safetensors").exists()


# What a file cannot say


@pytest.mark.parametrize(
    ("option", "told", "note"),
    [
        (["--final-tanh"], {"final_tanh": True}, "final tanh yes"),
        (["--no-demodulate"], {"demodulate": False}, "demodulate no"),
        (["--mapping-multiplier", "1"], {"mapping_lr_multiplier": 1.0}, "mapping multiplier 1"),
    ],
)
def test_what_is_told_is_drawn_shown_and_written(tmp_path, capsys, option, told, note):
    torch.save(genforce.whole(), tmp_path / "theirs.pth")
    for name, more in (("told", option), ("assumed", [])):
        arguments = ["models", "import", str(tmp_path / "theirs.pth"), str(tmp_path / name), *more]
        assert main(arguments) == 0
        said = capsys.readouterr().out
        assert ("Told by who imported it" in said) == bool(more)
        assert (note in said) == bool(more)
        assert "Assumed, since the file does not say: " in said
    one, other = (read_models(tmp_path / name)[0] for name in ("told", "assumed"))
    assert {key: getattr(config_of(one), key) for key in told} == told
    networks = [found.networks["G_ema"] for found in (one, other)]
    z = torch.ones(1, genforce.Z_DIM)
    assert (networks[0](z) - networks[1](z)).abs().max() > 1e-3


def test_a_told_multiplier_is_that_of_a_sampled_w_avg(tmp_path):
    told = Told(mapping_multiplier=1.0)
    found = read(tmp_path, rosinality.generator_tensors(), told=told)
    network = found.networks["G_ema"]
    assert isinstance(network, Generator)
    w = network.mapping(torch.randn(4000, rosinality.W_DIM))
    assert (network.mapping.w_avg - w.mean(0)).abs().max() < 0.2 * w.std()


def test_what_a_file_says_itself_is_not_told(tmp_path):
    with pytest.raises(WeightsError, match=r"--final-tanh was given.*says it itself"):
        read(tmp_path, dump({"G_ema": g()}), "theirs.pkl", told=Told(final_tanh=True))


def test_the_fast_path_knows_networks_without_demodulation_and_with_a_tanh(tmp_path):
    told = Told(final_tanh=True, demodulate=False)
    found = read(tmp_path, genforce.whole(), told=told)
    network = found.networks["G_ema"].eval().requires_grad_(False)
    assert isinstance(network, Generator)
    ws = network.ws_of(torch.ones(2, genforce.Z_DIM))
    slow = network.synthesis(ws)
    assert torch.allclose(FastSynthesis(network.synthesis)(ws), slow, atol=1e-5)  # type: ignore[arg-type]
    assert float(slow.abs().max()) <= 1
