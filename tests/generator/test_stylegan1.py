from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from tedigan.errors import ShapeError
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.stylegan import Generator
from tedigan.generator.stylegan1 import adaptive_instance_norm, upsampled_conv
from tedigan.method.control import mix_layers
from tedigan.tensors import sample_z, stream
from tests.generator.nets import TINY

TEDIGAN = replace(TINY, architecture="stylegan1", repeat_w=False, final_tanh=True)
GENFORCE = replace(TINY, architecture="stylegan1")
CONFIGS = pytest.mark.parametrize("config", [TEDIGAN, GENFORCE], ids=["tedigan", "genforce"])


def tiny(config: GeneratorConfig = TEDIGAN) -> Generator:
    torch.manual_seed(0)
    generator = Generator(config).eval().requires_grad_(False)
    for name, parameter in generator.named_parameters():
        if name.endswith(("noise_strength", "bias", "const")):
            parameter.copy_(torch.randn(parameter.shape) / 4)
    generator.mapping.w_avg.normal_()
    return generator


def some_ws(generator: Generator, n: int = 1) -> torch.Tensor:
    return generator.ws_of(sample_z(0, list(range(n)), 16)).clone()


def test_a_convolution_after_upsampling_and_the_fused_one_agree():
    x, weight = torch.randn(2, 5, 6, 8), torch.randn(7, 5, 3, 3)
    two_steps = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), weight, padding=1)
    assert torch.allclose(upsampled_conv(x, weight), two_steps, atol=1e-4)


def test_the_style_is_each_channels_mean_and_deviation():
    scale, shift = torch.rand(2, 3, 1, 1) + 0.5, torch.randn(2, 3, 1, 1)
    y = adaptive_instance_norm(torch.randn(2, 3, 8, 8) * 5 + 2, scale, shift)
    assert torch.allclose(y.mean(dim=[2, 3]), shift[:, :, 0, 0], atol=1e-5)
    assert torch.allclose(y.std(dim=[2, 3], correction=0), scale[:, :, 0, 0], atol=1e-5)


def test_a_channel_without_variance_takes_the_style_alone():
    """A fresh generator's constant, without noise: rounding must not be blown up by 1/sqrt(1e-8)."""
    x = torch.full([1, 1, 7, 7], 0.1)
    y = adaptive_instance_norm(x, torch.ones(1, 1, 1, 1), torch.full([1, 1, 1, 1], 2.0))
    assert (y - 2).abs().max() < 1e-3


@CONFIGS
def test_psi_zero_gives_the_mean_face(config):
    images = tiny(config)(sample_z(0, [1, 2], 16), truncation_psi=0.0)
    assert torch.allclose(images[0], images[1], atol=1e-6)


def test_each_row_is_pulled_towards_its_own_mean():
    generator = tiny()
    z = sample_z(0, [1], 16)
    ws = generator.ws_of(z, truncation_psi=0.0, truncation_cutoff=4)
    assert torch.equal(ws[0, :4], generator.mapping.w_avg[:4])
    assert torch.equal(ws[:, 4:], generator.mapping(z)[:, 4:])


def test_tedigans_mapping_gives_another_w_for_each_layer_and_genforces_one():
    assert some_ws(tiny(TEDIGAN))[0].std(dim=0).min() > 0
    assert some_ws(tiny(GENFORCE))[0].std(dim=0).max() < 1e-6


def test_the_mean_of_w_is_tracked_for_each_layer():
    generator = tiny()
    w = generator.mapping(sample_z(0, [1, 2, 3], 16))
    generator.mapping.track_w_avg(w, beta=0.0)
    assert torch.allclose(generator.mapping.w_avg, w.mean(dim=0))


@CONFIGS
def test_each_row_of_ws_changes_the_picture(config):
    generator = tiny(config)
    ws = some_ws(generator)
    base = generator.synthesis(ws)
    for layer in range(generator.num_ws):
        moved = ws.clone()
        moved[:, layer] += 1
        assert (generator.synthesis(moved) - base).abs().max() > 1e-3, f"layer {layer}"


def test_a_final_tanh_keeps_images_within_minus_one_and_one():
    assert tiny(TEDIGAN).synthesis(torch.randn(1, 6, 12) * 20).abs().max() <= 1
    assert tiny(GENFORCE).synthesis(torch.randn(1, 6, 12) * 20).abs().max() > 1


def test_noise_const_repeats_none_differs_and_random_follows_its_stream():
    synthesis, ws = tiny().synthesis, some_ws(tiny())
    const = synthesis(ws, noise_mode="const")
    assert torch.equal(const, synthesis(ws))
    assert not torch.allclose(const, synthesis(ws, noise_mode="none"))
    first, again, other = (
        synthesis(ws, noise_mode="random", generator=stream(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_random_noise_is_another_one_for_each_image():
    synthesis, ws = tiny().synthesis, some_ws(tiny()).expand(2, -1, -1)
    images = synthesis(ws, noise_mode="random", generator=stream(0))
    assert not torch.allclose(images[0], images[1])


def test_noise_is_chosen_layer_by_layer():
    synthesis, ws = tiny().synthesis, some_ws(tiny())
    off = ["none"] * 6
    base = synthesis(ws, noise_mode=off)
    assert torch.equal(base, synthesis(ws, noise_mode="none"))
    for layer in range(6):
        modes = [*off[:layer], "const", *off[layer + 1 :]]
        assert not torch.allclose(synthesis(ws, noise_mode=modes), base), f"layer {layer}"


def test_given_noise_takes_the_place_of_the_stored_maps():
    synthesis, ws = tiny().synthesis, some_ws(tiny(), n=2)
    stored = [synthesis.get_buffer(f"epilogue{i}.noise_const")[None, None] for i in range(6)]
    assert torch.equal(synthesis(ws, noise=stored), synthesis(ws))
    zeros = [torch.zeros_like(one).expand(2, -1, -1, -1) for one in stored]
    assert torch.allclose(synthesis(ws, noise=zeros), synthesis(ws, noise_mode="none"), atol=1e-6)


def test_layers_of_another_code_can_be_mixed_in():
    generator = tiny()
    content, style = some_ws(generator, n=2).split(1)
    mixed = mix_layers(content, style, [0, 3])
    assert torch.allclose(mixed[:, [0, 3]], style[:, [0, 3]], atol=1e-6)
    assert not torch.allclose(generator.synthesis(mixed), generator.synthesis(content))


def test_ws_of_another_generator_are_refused_with_both_shapes():
    with pytest.raises(ShapeError, match=r"\[1, 14, 12\].*\[n, 6, 12\].*another one"):
        tiny().synthesis(torch.zeros(1, 14, 12))


def test_noise_that_does_not_fit_is_refused():
    synthesis, ws = tiny().synthesis, some_ws(tiny())
    with pytest.raises(ShapeError, match="names 2 layers"):
        synthesis(ws, noise_mode=["const", "none"])
    with pytest.raises(ShapeError, match=r"noise\[2\].*another generator"):
        synthesis(ws, noise=[torch.zeros(1, 1, 4, 4)] * 6)


@CONFIGS
def test_config_survives_json(config):
    assert GeneratorConfig.from_json(config.to_json()) == config


@CONFIGS
def test_gradients_reach_ws_and_every_weight(config):
    generator = tiny(config).requires_grad_(True)
    z = sample_z(0, [0, 1], 16)
    ws = generator.ws_of(z)
    ws.retain_grad()
    generator.synthesis(ws).square().sum().backward()
    assert ws.grad is not None
    assert ws.grad.abs().amin(dim=[0, 2]).shape == (6,)
    assert ws.grad.abs().amax(dim=[0, 2]).min() > 0
    idle = [name for name, p in generator.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


def test_gradients_of_gradients_are_right():
    """As path-length regularisation and differentiable optimisers need them."""
    config = replace(TEDIGAN, img_resolution=8, w_dim=2, channel_max=2)
    synthesis = tiny(config).synthesis.double()
    ws = torch.randn(1, 4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(synthesis, ws, atol=1e-4)


def test_channels_last_gives_the_same_picture():
    generator = tiny()
    ws = some_ws(generator, n=2)
    before = generator.synthesis(ws)
    after = generator.to(memory_format=torch.channels_last).synthesis(ws)
    assert torch.allclose(before, after, atol=1e-5)
