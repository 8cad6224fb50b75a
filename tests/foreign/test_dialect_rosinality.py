"""rosinality's files, narrow but whole, become our generators; what ours cannot be is refused by name."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tedigan.errors import KeysError, WeightsError
from tedigan.foreign.dialects import rosinality
from tedigan.foreign.dialects.foreign import ForeignModel
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.store.model_folders import fill
from tedigan.tensors import sample_z
from tests.parity.filling import fill_shapes
from tests.parity.foreign_file import foreign_file

W_DIM = 6
WIDTHS = {4: 8, 8: 8, 16: 4}

Tensors = dict[str, Tensor]


def generator_tensors(widths: dict[int, int] = WIDTHS, *, num_mapping_layers: int = 3) -> Tensors:
    """Their Generator's state_dict; widths: channels by resolution."""
    shapes: dict[str, list[int]] = {"input.input": [1, widths[4], 4, 4]}
    for i in range(1, num_mapping_layers + 1):
        shapes |= {f"style.{i}.weight": [W_DIM, W_DIM], f"style.{i}.bias": [W_DIM]}
    shapes |= styled("conv1", widths[4], widths[4]) | rgb("to_rgb1", widths[4])
    shapes["noises.noise_0"] = [1, 1, 4, 4]
    for k, resolution in enumerate(sorted(widths)[1:]):
        below, wide = widths[resolution // 2], widths[resolution]
        shapes |= styled(f"convs.{2 * k}", below, wide) | styled(f"convs.{2 * k + 1}", wide, wide)
        shapes |= rgb(f"to_rgbs.{k}", wide)
        shapes |= {
            f"convs.{2 * k}.conv.blur.kernel": [4, 4],
            f"to_rgbs.{k}.upsample.kernel": [4, 4],
        }
        for row in (2 * k + 1, 2 * k + 2):
            shapes[f"noises.noise_{row}"] = [1, 1, resolution, resolution]
    return fill_shapes(shapes)


def styled(place: str, below: int, wide: int) -> dict[str, list[int]]:
    return {
        f"{place}.conv.weight": [1, wide, below, 3, 3],
        f"{place}.conv.modulation.weight": [below, W_DIM],
        f"{place}.conv.modulation.bias": [below],
        f"{place}.noise.weight": [1],
        f"{place}.activate.bias": [wide],
    }


def rgb(place: str, wide: int) -> dict[str, list[int]]:
    return {
        f"{place}.conv.weight": [1, 3, wide, 1, 1],
        f"{place}.conv.modulation.weight": [wide, W_DIM],
        f"{place}.conv.modulation.bias": [wide],
        f"{place}.bias": [1, 3, 1, 1],
    }


def discriminator_tensors() -> Tensors:
    """Their Discriminator's state_dict, of WIDTHS."""
    shapes: dict[str, list[int]] = {"convs.0.0.weight": [4, 3, 1, 1], "convs.0.1.bias": [4]}
    for k, (wide, below) in enumerate([(4, 8), (8, 8)], 1):
        shapes |= {
            f"convs.{k}.conv1.0.weight": [wide, wide, 3, 3],
            f"convs.{k}.conv1.1.bias": [wide],
            f"convs.{k}.conv2.0.kernel": [4, 4],
            f"convs.{k}.conv2.1.weight": [below, wide, 3, 3],
            f"convs.{k}.conv2.2.bias": [below],
            f"convs.{k}.skip.0.kernel": [4, 4],
            f"convs.{k}.skip.1.weight": [below, wide, 1, 1],
        }
    shapes |= {"final_conv.0.weight": [8, 9, 3, 3], "final_conv.1.bias": [8]}
    shapes |= {"final_linear.0.weight": [8, 128], "final_linear.0.bias": [8]}
    return fill_shapes(shapes | {"final_linear.1.weight": [1, 8], "final_linear.1.bias": [1]})


def whole() -> dict[str, Any]:
    """What their converter writes."""
    return {"g_ema": generator_tensors(), "latent_avg": torch.full([W_DIM], 0.25)}


def translated(folder: Path, content: dict[str, Any]) -> ForeignModel:
    file = foreign_file(folder, content)
    assert rosinality.recognises(file)
    [model] = rosinality.translate(file)
    network = Generator(GeneratorConfig.from_json(model.config))
    fill(network, model.networks["G_ema"], file.name)
    assert network(sample_z(0, [0], W_DIM)).isfinite().all()
    return model


def test_sizes_come_from_the_shapes(tmp_path: Path) -> None:
    config = GeneratorConfig.from_json(translated(tmp_path, whole()).config)
    assert (config.img_resolution, config.z_dim, config.w_dim) == (16, W_DIM, W_DIM)
    assert config.num_mapping_layers == 3
    assert {resolution: config.channels(resolution) for resolution in WIDTHS} == WIDTHS


def test_the_stored_average_is_w_avg(tmp_path: Path) -> None:
    model = translated(tmp_path, whole())
    assert torch.equal(model.networks["G_ema"]["mapping.w_avg"], torch.full([W_DIM], 0.25))
    assert model.notes == []


def test_a_bare_state_dict_is_read(tmp_path: Path) -> None:
    assert set(translated(tmp_path, generator_tensors()).networks) == {"G_ema"}


def test_a_missing_average_is_sampled_always_alike_and_said(tmp_path: Path) -> None:
    one, other = (translated(tmp_path, {"g_ema": generator_tensors()}) for _ in range(2))
    w_avg = one.networks["G_ema"]["mapping.w_avg"]
    assert torch.equal(w_avg, other.networks["G_ema"]["mapping.w_avg"])
    network = Generator(GeneratorConfig.from_json(one.config))
    fill(network, one.networks["G_ema"], "G_ema")
    with torch.no_grad():
        w = network.mapping(sample_z(1, list(range(2000)), W_DIM))
    assert torch.allclose(w_avg, w.mean(dim=0), atol=0.1)
    assert not torch.allclose(w_avg, torch.zeros(W_DIM), atol=0.1)
    assert "10000 z of a fixed stream" in one.notes[0]


def test_missing_noise_maps_are_drawn_always_alike_and_said(tmp_path: Path) -> None:
    content = whole()
    content["g_ema"] = {k: v for k, v in content["g_ema"].items() if "noises" not in k}
    one, other = (translated(tmp_path, content) for _ in range(2))
    drawn = [
        one.networks["G_ema"][f"synthesis.b8.{layer}.noise_const"] for layer in ("conv0", "conv1")
    ]
    assert torch.equal(drawn[1], other.networks["G_ema"]["synthesis.b8.conv1.noise_const"])
    assert not torch.equal(*drawn)
    assert one.notes == ["The file has no noise maps; they were drawn from a fixed stream."]


def test_g_and_d_come_along(tmp_path: Path) -> None:
    live = {
        name: tensor + 1 for name, tensor in generator_tensors().items() if "kernel" not in name
    }
    content = whole() | {"g": live, "d": discriminator_tensors(), "args": {"size": 16}}
    model = translated(tmp_path, content)
    assert set(model.networks) == {"G_ema", "G", "D"}
    const = [model.networks[name]["synthesis.b4.const"] for name in ("G", "G_ema")]
    assert torch.allclose(const[0], const[1] + 1)
    network = Discriminator(GeneratorConfig.from_json(model.config))
    fill(network, model.networks["D"], "D")
    assert network(torch.zeros(2, 3, 16, 16)).isfinite().all()


def test_half_precision_becomes_single(tmp_path: Path) -> None:
    content = {"g_ema": {name: tensor.half() for name, tensor in generator_tensors().items()}}
    tensors = translated(tmp_path, content).networks["G_ema"]
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}


def without(name: str) -> Callable[[Tensors], None]:
    def tamper(tensors: Tensors) -> None:
        del tensors[name]

    return tamper


def replaced(name: str, *shape: int) -> Callable[[Tensors], None]:
    def tamper(tensors: Tensors) -> None:
        tensors[name] = torch.ones(shape)

    return tamper


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        (without("convs.2.conv.weight"), "convs.2.conv.weight is missing; .* export it"),
        (without("convs.3.conv.weight"), "convs.3.conv.weight is missing; .* Download"),
        (without("noises.noise_3"), "noises.noise_3 is missing"),
        (without("style.2.bias"), "style.2.bias is missing"),
        (without("to_rgbs.1.conv.weight"), "have no place in our network .*another variant"),
        (replaced("style.9.scale", 6), "1 tensors have no place in our network .style.9.scale"),
        (
            replaced("to_rgbs.1.conv.weight", 1, 3, 8, 1, 1),
            r"to_rgbs.1.conv.weight is \[1, 3, 8, 1, 1\], expected \[3, 4, 1, 1\].*Download",
        ),
        (replaced("convs.3.conv.weight", 8, 3, 3), r"convs.3.conv.weight is .* expected 5 axes"),
        (
            replaced("input.input", 1, 4, 8, 4),
            r"input.input is \[1, 4, 8, 4\], expected \[8, 4, 4\]",
        ),
    ],
)
def test_tensors_that_do_not_fit_are_named(
    tmp_path: Path, tamper: Callable[[Tensors], None], message: str
) -> None:
    content = whole()
    tamper(content["g_ema"])
    with pytest.raises(KeysError, match=r"theirs\.pt: g_ema: .*" + message):
        rosinality.translate(foreign_file(tmp_path, content))


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        (replaced("style.1.weight", 6, 12), "wants a label .* choose another file"),
        (
            replaced("convs.0.conv.blur.kernel", 4, 4),
            "another low-pass filter than the others",
        ),
        (replaced("to_rgbs.0.upsample.kernel", 2, 2), "another low-pass filter"),
    ],
)
def test_networks_that_ours_cannot_be_are_refused(
    tmp_path: Path, tamper: Callable[[Tensors], None], message: str
) -> None:
    content = whole()
    tamper(content["g_ema"])
    with pytest.raises(WeightsError, match=message):
        rosinality.translate(foreign_file(tmp_path, content))


@pytest.mark.parametrize(
    ("widths", "message"),
    [
        ({4: 8, 8: 7, 16: 8}, "the layer at 8 px has 7 channels, .* = 8"),
        ({4: 8}, "go up to 4 px, expected 8 to 1024"),
    ],
)
def test_sizes_that_ours_cannot_have_are_refused(
    tmp_path: Path, widths: dict[int, int], message: str
) -> None:
    file = foreign_file(tmp_path, {"g_ema": generator_tensors(widths)})
    with pytest.raises(WeightsError, match=message):
        rosinality.translate(file)


def test_a_discriminator_of_other_widths_is_refused(tmp_path: Path) -> None:
    content = whole() | {"d": discriminator_tensors()}
    replaced("convs.2.skip.1.weight", 9, 8, 1, 1)(content["d"])
    message = re.escape(
        "theirs.pt: d: convs.2.skip.1.weight is [9, 8, 1, 1], expected [8, 8, 1, 1]"
    )
    with pytest.raises(KeysError, match=message):
        rosinality.translate(foreign_file(tmp_path, content))


def test_a_live_generator_of_other_widths_is_refused(tmp_path: Path) -> None:
    content = whole() | {"g": generator_tensors({4: 8, 8: 8, 16: 8})}
    with pytest.raises(WeightsError, match=r"g is another network than g_ema.*one training run"):
        rosinality.translate(foreign_file(tmp_path, content))


def test_other_files_are_not_recognised(tmp_path: Path) -> None:
    for content in ({"g_ema": {"weight": torch.ones(1)}}, {"g_ema": torch.ones(1)}, {"epoch": 3}):
        assert not rosinality.recognises(foreign_file(tmp_path, content))
