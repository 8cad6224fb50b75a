import dataclasses
import shutil
from collections import Counter

import pytest
import torch
from torch._dynamo.utils import counters as dynamo_counters

from tedigan.errors import ShapeError
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.fast_synthesis import FastSynthesis, measure_error
from tedigan.generator.ops import DTYPES
from tedigan.generator.stylegan import Generator
from tedigan.tensors import sample_noise, sample_z, stream
from tests.generator.nets import TINY, tiny_generator

WIDE = GeneratorConfig(32, z_dim=16, w_dim=16, channel_base=1024, channel_max=32, conv_clamp=256.0)


def wide_generator() -> Generator:
    torch.manual_seed(0)
    generator = Generator(WIDE).eval().requires_grad_(False)
    for name, parameter in generator.named_parameters():
        if name.endswith(("noise_strength", "bias")):
            parameter.add_(0.1)
    return generator


def codes(generator: Generator, n: int = 3) -> torch.Tensor:
    return generator.ws_of(sample_z(0, list(range(n)), generator.config.z_dim))


@pytest.mark.parametrize("mode", ["const", "none"])
def test_fp32_draws_what_the_network_draws(mode):
    generator = wide_generator()
    fast, ws = FastSynthesis(generator.synthesis), codes(generator)
    expected = generator.synthesis(ws, noise_mode=mode)
    assert expected.std() > 0.1
    assert (fast(ws, noise_mode=mode) - expected).abs().max() < 1e-4


def test_a_bound_on_the_layers_is_kept():
    generator = Generator(dataclasses.replace(WIDE, conv_clamp=0.5)).eval().requires_grad_(False)
    ws = codes(generator)
    expected = generator.synthesis(ws)
    free = Generator(dataclasses.replace(WIDE, conv_clamp=None)).eval().requires_grad_(False)
    free.load_state_dict(generator.state_dict())
    assert not torch.allclose(free.synthesis(ws), expected, atol=0.1)
    assert (FastSynthesis(generator.synthesis)(ws) - expected).abs().max() < 1e-4


@pytest.mark.parametrize(("precision", "most"), [("fp32", 1e-3), ("fp16", 0.5), ("bf16", 2.0)])
def test_each_precision_is_within_its_levels_of_the_network(precision, most):
    generator = wide_generator()
    fast = FastSynthesis(generator.synthesis, precision=precision)
    error = measure_error(fast, generator.synthesis, codes(generator))
    assert error.mean_levels <= most
    if DTYPES[precision] != torch.float32:
        assert error.max_abs > 1e-4, "this is fp32 under another name"


@pytest.mark.parametrize("clamp", [None, 0.5])
def test_fused_epilogues_draw_the_same(clamp):
    """Biases and noise are not zero, as they are in a new generator, and the bound is met."""
    if not shutil.which("g++"):
        pytest.skip("no C++ compiler on this machine")
    generator = Generator(dataclasses.replace(WIDE, conv_clamp=clamp)).eval().requires_grad_(False)
    generator.load_state_dict(wide_generator().state_dict())
    fast = FastSynthesis(generator.synthesis, compiled=True)
    for n in (3, 1):
        ws = codes(generator, n)
        for mode in ("const", "none"):
            expected = generator.synthesis(ws, noise_mode=mode)
            assert (fast(ws, noise_mode=mode) - expected).abs().max() < 1e-4
        noise = sample_noise(0, list(range(n)), WIDE.noise_sizes)
        before = [one.clone() for one in noise]
        expected = generator.synthesis(ws, noise=noise)
        assert (fast(ws, noise=noise) - expected).abs().max() < 1e-4
        assert all(torch.equal(*pair) for pair in zip(noise, before, strict=True))


def test_no_codes_are_no_images_and_those_of_any_network_are_float32():
    generator = tiny_generator()
    ws = codes(generator)
    assert FastSynthesis(generator.synthesis)(ws[:0]).shape == (0, 3, 16, 16)
    assert FastSynthesis(generator.double().synthesis)(ws.double()).dtype == torch.float32


def test_every_kind_of_noise_has_its_graphs_in_one_process():
    """Beyond torch's limit of 8 it would draw the same, without any, and slowly."""
    if not shutil.which("g++"):
        pytest.skip("no C++ compiler on this machine")
    generator, seen = tiny_generator(), Counter()
    fast = FastSynthesis(generator.synthesis, precision="bf16", compiled=True)
    for mode in ("const", "none", "random"):
        before = Counter(dynamo_counters["frames"])
        fast(codes(generator), noise_mode=mode, generator=stream("noise"))
        seen += Counter(dynamo_counters["frames"]) - before
    assert seen["ok"] > 8
    assert seen["ok"] == seen["total"]


def test_weights_are_copied_and_the_network_stays_as_it_was():
    generator = tiny_generator()
    ws, before = codes(generator), generator.synthesis(codes(generator))
    FastSynthesis(generator.synthesis, precision="bf16")(ws)
    assert torch.equal(generator.synthesis(ws), before)


def test_style_space_is_what_ws_become():
    generator = tiny_generator()
    ws = codes(generator)
    styles, noise = generator.synthesis.styles_of(ws), generator.synthesis.noise_maps(len(ws))
    assert torch.equal(generator.synthesis.from_styles(styles, noise), generator.synthesis(ws))
    assert list(styles)[:3] == ["b4.conv1", "b4.torgb", "b8.conv0"]
    fast = FastSynthesis(generator.synthesis)
    moved = styles | {"b8.conv1": styles["b8.conv1"] + torch.eye(8)[3]}
    expected = generator.synthesis.from_styles(moved, noise)
    assert not torch.allclose(expected, generator.synthesis(ws), atol=1e-3)
    assert (fast.from_styles(moved, noise) - expected).abs().max() < 1e-4


def test_layers_take_their_noise_one_by_one():
    generator = tiny_generator()
    synthesis, ws = generator.synthesis, codes(generator)
    sizes = generator.config.noise_sizes
    stored = [synthesis.get_buffer(f"{n}.noise_const")[None, None] for n in synthesis.conv_names]
    assert [one.shape[2] for one in stored] == sizes
    assert torch.equal(synthesis(ws, noise=stored), synthesis(ws))
    assert torch.equal(synthesis(ws, noise=[None, *stored[1:-1], None]), synthesis(ws))
    off = [torch.zeros_like(one) for one in stored]
    assert torch.allclose(synthesis(ws, noise=off), synthesis(ws, noise_mode="none"), atol=1e-6)
    mixed = synthesis(ws, noise_mode=["const", "none", "const", "const", "const"])
    only_second = [*stored[:1], off[1], *stored[2:]]
    assert torch.allclose(mixed, synthesis(ws, noise=only_second), atol=1e-6)
    assert not torch.allclose(mixed, synthesis(ws), atol=1e-4)


def test_drawn_noise_belongs_to_the_image_and_the_layer():
    sizes = TINY.noise_sizes
    whole, alone = sample_noise(5, [7, 8], sizes), sample_noise(5, [8], sizes)
    assert all(torch.equal(one[1:], other) for one, other in zip(whole, alone, strict=True))
    assert not torch.equal(whole[1][0], whole[2][0])
    generator = tiny_generator()
    ws = codes(generator, 2)
    together = FastSynthesis(generator.synthesis)(ws, noise=whole)
    apart = FastSynthesis(generator.synthesis)(ws[1:], noise=alone)
    assert torch.allclose(together[1:], apart, atol=1e-5)


def test_noise_of_another_number_or_size_is_refused():
    generator = tiny_generator()
    ws = codes(generator)
    with pytest.raises(ShapeError, match="one word for all"):
        generator.synthesis(ws, noise_mode=["const"] * 6)
    with pytest.raises(ShapeError, match="one map for each"):
        generator.synthesis(ws, noise=[torch.zeros(1, 1, 4, 4)])
    maps = sample_noise(0, [0, 1], TINY.noise_sizes)
    with pytest.raises(ShapeError, match="3 such maps"):
        generator.synthesis(ws, noise=maps)


def test_random_noise_follows_its_stream_in_the_fast_path_too():
    generator = tiny_generator()
    ws, fast = codes(generator), FastSynthesis(generator.synthesis)
    expected = generator.synthesis(ws, noise_mode="random", generator=stream(3))
    drawn = fast(ws, noise_mode="random", generator=stream(3))
    assert (drawn - expected).abs().max() < 1e-4
