"""genforce's StyleGAN2 files, narrow but whole, become our generators; what does not fit is refused by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tedigan.errors import KeysError, WeightsError
from tedigan.foreign.dialects import genforce_stylegan1, genforce_stylegan2
from tedigan.foreign.dialects.foreign import ForeignModel
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.store.model_folders import fill
from tedigan.tensors import sample_z
from tests.parity.filling import fill_shapes
from tests.parity.foreign_file import foreign_file

W_DIM, Z_DIM, NUM_WS = 6, 5, 6
WIDTHS = {4: 8, 8: 8, 16: 4}

Tensors = dict[str, Tensor]


def generator_tensors(*, num_rows: int = 1) -> Tensors:
    """Their generator's state_dict at 16 px; num_rows: w that its mapping network gives."""
    given = num_rows * W_DIM
    shapes: dict[str, list[int]] = {
        "mapping.dense0.weight": [W_DIM, Z_DIM],
        "mapping.dense0.bias": [W_DIM],
        "mapping.dense1.weight": [given, W_DIM],
        "mapping.dense1.bias": [given],
        "truncation.w_avg": [given],
        "synthesis.early_layer.const": [1, 8, 4, 4],
        "synthesis.upsample.kernel": [1, 1, 4, 4],
    }
    for row in range(NUM_WS - 1):
        resolution = 4 * 2 ** ((row + 1) // 2)
        below, wide = WIDTHS[4 * 2 ** (row // 2)], WIDTHS[resolution]
        shapes |= layer(f"layer{row}", below, wide, size=3)
        shapes[f"synthesis.layer{row}.noise_strength"] = []
        shapes[f"synthesis.layer{row}.noise"] = [1, 1, resolution, resolution]
        if row % 2:
            shapes[f"synthesis.layer{row}.filter.kernel"] = [1, 1, 4, 4]
        else:
            shapes |= layer(f"output{row // 2}", wide, 3, size=1)
    return fill_shapes(shapes)


def layer(place: str, below: int, wide: int, *, size: int) -> dict[str, list[int]]:
    return {
        f"synthesis.{place}.weight": [wide, below, size, size],
        f"synthesis.{place}.bias": [wide],
        f"synthesis.{place}.style.weight": [below, W_DIM],
        f"synthesis.{place}.style.bias": [below],
    }


def discriminator_tensors() -> Tensors:
    """Their discriminator's state_dict, of WIDTHS."""
    shapes: dict[str, list[int]] = {"input0.weight": [4, 3, 1, 1], "input0.bias": [4]}
    for block, (wide, below) in enumerate([(4, 8), (8, 8)]):
        shapes |= {
            f"layer{2 * block}.weight": [wide, wide, 3, 3],
            f"layer{2 * block}.bias": [wide],
            f"layer{2 * block + 1}.weight": [below, wide, 3, 3],
            f"layer{2 * block + 1}.bias": [below],
            f"layer{2 * block + 1}.filter.kernel": [1, 1, 4, 4],
            f"skip_layer{block}.weight": [below, wide, 1, 1],
            f"skip_layer{block}.filter.kernel": [1, 1, 4, 4],
        }
    shapes |= {"layer4.weight": [8, 9, 3, 3], "layer4.bias": [8]}
    shapes |= {"layer5.weight": [8, 128], "layer5.bias": [8]}
    return fill_shapes(shapes | {"layer6.weight": [1, 8], "layer6.bias": [1]})


def whole() -> dict[str, Any]:
    """What their converter writes."""
    return {
        "generator": generator_tensors(),
        "discriminator": discriminator_tensors(),
        "generator_smooth": generator_tensors(),
    }


def translated(folder: Path, content: dict[str, Any]) -> ForeignModel:
    file = foreign_file(folder, content, "theirs.pth")
    assert genforce_stylegan2.recognises(file)
    [model] = genforce_stylegan2.translate(file)
    config = GeneratorConfig.from_json(model.config)
    for name, tensors in model.networks.items():
        fill(Discriminator(config) if name == "D" else Generator(config), tensors, name)
    return model


def test_sizes_come_from_the_shapes(tmp_path: Path) -> None:
    config = GeneratorConfig.from_json(translated(tmp_path, whole()).config)
    assert (config.img_resolution, config.z_dim, config.w_dim) == (16, Z_DIM, W_DIM)
    assert (config.num_mapping_layers, config.repeat_w) == (2, True)
    assert {resolution: config.channels(resolution) for resolution in WIDTHS} == WIDTHS


def test_all_three_networks_are_read(tmp_path: Path) -> None:
    assert set(translated(tmp_path, whole()).networks) == {"G_ema", "G", "D"}


def test_the_smoothed_generator_alone_is_enough(tmp_path: Path) -> None:
    content = {"generator_smooth": generator_tensors()}
    assert set(translated(tmp_path, content).networks) == {"G_ema"}


def test_training_files_keep_the_networks_one_level_down(tmp_path: Path) -> None:
    model = translated(tmp_path, {"models": whole(), "running_metadata": {"iter": 3}})
    assert set(model.networks) == {"G_ema", "G", "D"}


def test_only_the_kernels_of_up_convolutions_are_turned(tmp_path: Path) -> None:
    theirs = generator_tensors()
    ours = translated(tmp_path, {"generator_smooth": theirs}).networks["G_ema"]
    up, other = theirs["synthesis.layer1.weight"], theirs["synthesis.layer2.weight"]
    assert torch.equal(ours["synthesis.b8.conv0.weight"], up.flip(2, 3))
    assert torch.equal(ours["synthesis.b8.conv1.weight"], other)


def test_a_w_for_each_layer_is_kept(tmp_path: Path) -> None:
    theirs = generator_tensors(num_rows=NUM_WS)
    model = translated(tmp_path, {"generator_smooth": theirs})
    network = Generator(GeneratorConfig.from_json(model.config))
    fill(network, model.networks["G_ema"], "G_ema")
    means = theirs["truncation.w_avg"].reshape(NUM_WS, W_DIM)
    ws = network.ws_of(sample_z(0, [0], Z_DIM), truncation_psi=0.0)
    assert torch.equal(ws[0], means)


def tampered(name: str, value: Tensor | None) -> Callable[[Tensors], None]:
    def tamper(tensors: Tensors) -> None:
        tensors.pop(name, None)
        if value is not None:
            tensors[name] = value

    return tamper


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        (
            tampered("synthesis.layer3.style.bias", None),
            "layer3.style.bias is missing; .* Download",
        ),
        (tampered("synthesis.layer4.weight", None), "layer4.weight is missing"),
        (tampered("synthesis.layer3.noise", None), "layer3.noise is missing"),
        (tampered("truncation.w_avg", None), "truncation.w_avg is missing"),
        (tampered("synthesis.output2.weight", None), "no place in our network .*another variant"),
        (tampered("synthesis.skip_layer0.weight", torch.ones(8, 8)), "1 tensors have no place"),
        (
            tampered("synthesis.layer3.bias", torch.ones(5)),
            r"layer3.bias is \[5\], expected \[4\] up to axes of length 1; .* export it",
        ),
        (tampered("truncation.w_avg", torch.ones(7)), r"truncation.w_avg is \[7\], expected .*36"),
        (tampered("synthesis.layer0.weight", torch.ones(8)), "layer0.weight is .* expected 4 axes"),
    ],
)
def test_tensors_that_do_not_fit_are_named(
    tmp_path: Path, tamper: Callable[[Tensors], None], message: str
) -> None:
    content = whole()
    tamper(content["generator_smooth"])
    with pytest.raises(KeysError, match=r"theirs\.pt: generator_smooth: .*" + message):
        genforce_stylegan2.translate(foreign_file(tmp_path, content))


def test_another_low_pass_filter_is_refused(tmp_path: Path) -> None:
    content = whole()
    content["discriminator"]["layer1.filter.kernel"] = torch.arange(16.0).reshape(1, 1, 4, 4)
    with pytest.raises(
        WeightsError, match=r"discriminator: layer1.filter.kernel is another low-pass"
    ):
        genforce_stylegan2.translate(foreign_file(tmp_path, content))


def test_widths_that_do_not_halve_are_refused(tmp_path: Path) -> None:
    content = whole()
    content["generator_smooth"]["synthesis.layer2.weight"] = torch.ones(7, 8, 3, 3)
    with pytest.raises(WeightsError, match="the layer at 8 px has 7 channels"):
        genforce_stylegan2.translate(foreign_file(tmp_path, content))


def test_stylegan1_and_other_files_are_not_recognised(tmp_path: Path) -> None:
    older = {"generator_smooth": fill_shapes({"synthesis.output0.weight": [3, 4, 1, 1]})}
    for content in (older, {"generator_smooth": 1}, {"models": 1}, {"g_ema": {}}):
        assert not genforce_stylegan2.recognises(foreign_file(tmp_path, content))


def test_stylegan1s_module_does_not_claim_these_files(tmp_path: Path) -> None:
    assert not genforce_stylegan1.recognises(foreign_file(tmp_path, whole()))
