import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tedigan.errors import ShapeError, WeightsError
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import minibatch_std
from tedigan.generator.mapping import truncate
from tedigan.generator.stylegan import Generator
from tedigan.store.sums import write_sums
from tedigan.tensors import num_ws_of, sample_z, stream, to_images, to_pixels
from tests.generator.nets import TINY, tiny_discriminator, tiny_generator

SHARED = Path(__file__).parents[3] / "shared"


def test_num_ws_is_the_papers_at_the_papers_sizes():
    assert [num_ws_of(r) for r in (64, 256, 1024)] == [10, 14, 18]


def test_a_size_that_is_no_power_of_two_is_refused():
    with pytest.raises(ShapeError, match="power of two"):
        num_ws_of(100)


def test_pixels_survive_the_way_to_images_and_back():
    pixels = torch.arange(256, dtype=torch.uint8).expand(1, 3, 2, 256).contiguous()
    assert torch.equal(to_pixels(to_images(pixels)), pixels)


def test_z_of_an_image_does_not_depend_on_its_batch():
    assert torch.equal(sample_z(7, [3, 4, 5], 16)[1], sample_z(7, [4], 16)[0])


def test_psi_zero_gives_the_mean_face():
    generator = tiny_generator()
    images = generator(sample_z(0, [1, 2], 16), truncation_psi=0.0)
    assert torch.allclose(images[0], images[1], atol=1e-6)


def test_psi_one_changes_nothing():
    ws = torch.randn(2, 6, 12)
    assert torch.allclose(truncate(ws, torch.randn(12), truncation_psi=1.0), ws, atol=1e-6)


def test_truncation_cutoff_leaves_the_fine_layers():
    ws = torch.randn(2, 6, 12)
    cut = truncate(ws, torch.zeros(12), truncation_psi=0.0, truncation_cutoff=2)
    assert torch.equal(cut[:, 2:], ws[:, 2:])
    assert cut[:, :2].abs().max() == 0


def test_each_row_of_ws_changes_the_picture():
    generator = tiny_generator()
    ws = generator.ws_of(sample_z(0, [0], 16)).clone()
    base = generator.synthesis(ws)
    for layer in range(generator.num_ws):
        moved = ws.clone()
        moved[:, layer] += 1
        assert not torch.allclose(generator.synthesis(moved), base), f"layer {layer}"


def test_noise_const_repeats_and_random_follows_its_stream():
    generator = tiny_generator()
    ws = generator.ws_of(sample_z(0, [0], 16))
    assert torch.equal(generator.synthesis(ws), generator.synthesis(ws))
    draws = [
        generator.synthesis(ws, noise_mode="random", generator=stream(seed)) for seed in (1, 1, 2)
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_ws_of_another_generator_are_refused_with_both_shapes():
    with pytest.raises(ShapeError, match=r"\[n, 6, 12\]"):
        tiny_generator().synthesis(torch.zeros(1, 14, 12))


def test_minibatch_std_takes_any_batch_size():
    for n in (1, 3, 4, 6):
        assert minibatch_std(torch.randn(n, 5, 4, 4), 4).shape == (n, 6, 4, 4)


def test_minibatch_std_of_equal_images_is_about_zero():
    images = torch.randn(1, 5, 4, 4).expand(4, -1, -1, -1)
    assert minibatch_std(images, 4)[:, 5].max() < 1e-3


def test_r1_reaches_the_discriminators_weights():
    discriminator = tiny_discriminator()
    images = torch.randn(2, 3, 16, 16, requires_grad=True)
    (gradient,) = torch.autograd.grad(discriminator(images).sum(), images, create_graph=True)
    gradient.square().sum().backward()
    moved = [name for name, p in discriminator.named_parameters() if p.grad is not None]
    assert "b16.conv0.weight" in moved


@pytest.mark.parametrize(("resolution", "num_ws"), [(256, 14), (1024, 18)])
def test_the_papers_sizes_have_nvidias_tensors(resolution, num_ws):
    """Names and shapes against the recorded lists of NVIDIA's own networks."""
    names = {256: "nv_ada_G_256_paper256.txt", 1024: "nv_ada_G_1024.txt"}
    path = SHARED / "facts/checkpoint-keys" / names[resolution]
    if not path.exists():
        pytest.skip("the recorded key lists are not on this machine (../shared/facts)")
    base = {256: 16384, 1024: 32768}[resolution]
    with torch.device("meta"):
        generator = Generator(GeneratorConfig(resolution, channel_base=base))
    ours = {name: list(t.shape) for name, t in generator.state_dict().items()}
    lines = [line.split("\t") for line in path.read_text().splitlines() if "\t" in line]
    assert generator.num_ws == num_ws
    assert {name: shape.strip() for name, shape, *_ in lines} == {
        name: str(shape) for name, shape in ours.items()
    }


def test_config_survives_json():
    assert GeneratorConfig.from_json(TINY.to_json()) == TINY


def test_a_conditional_generator_is_refused():
    with pytest.raises(WeightsError, match="unconditional"):
        GeneratorConfig.from_json(TINY.to_json() | {"c_dim": 10})


@pytest.mark.shared
def test_the_real_face_weights_make_faces_that_their_discriminator_takes_for_photographs(tmp_path):
    given, folder = SHARED / "data/stylegan2-celebahq-64", tmp_path / "sealed"
    if not given.exists():
        pytest.skip("the real-face weights are not on this machine (../shared/data)")
    folder.mkdir()
    for path in given.iterdir():
        shutil.copyfile(path, folder / path.name)
    write_sums(folder)
    from tedigan.models.opening import load_discriminator, load_generator

    device = torch.device("cpu")
    generator, discriminator = load_generator(folder, device), load_discriminator(folder, device)
    images = generator(sample_z(0, list(range(16)), 256), truncation_psi=0.7)
    noise = torch.rand(images.shape, generator=stream("noise")) * 2 - 1
    assert load_file(folder / "G_ema.safetensors").keys() == generator.state_dict().keys()
    assert discriminator(images).mean() > discriminator(noise).mean() + 1


def test_a_frozen_large_generator_gives_the_same_gradient_and_keeps_less(monkeypatch):
    generator = tiny_generator()
    ws = torch.randn(2, 6, 12, generator=torch.Generator().manual_seed(0)).requires_grad_()

    def measured() -> tuple[torch.Tensor, int]:
        kept = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda t: kept.append(t.numel()) or t, lambda t: t
        ):
            loss = generator.synthesis(ws).square().mean()
        return torch.autograd.grad(loss, ws)[0], sum(kept)

    whole, kept = measured()
    monkeypatch.setattr("tedigan.generator.stylegan2.RECOMPUTED_PX", 16)
    again, kept_again = measured()
    assert torch.equal(whole, again)
    assert kept_again < kept / 2
