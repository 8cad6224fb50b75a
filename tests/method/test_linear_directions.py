"""The linear baseline: straight, as long as the way asks for, and it can be taken back."""

from dataclasses import replace

import torch
from torch import Tensor

from tedigan.encoders.latent_tagger import LatentTagger
from tedigan.generator.stylegan import Generator
from tedigan.method.linear_directions import LinearDirections, fit_linear_directions
from tedigan.tensors import stream
from tests.generator.nets import TINY, tiny_generator
from tests.method.test_steering import NAMES, SETTINGS, linear_tagger

NUM = 5


def fitted(
    *, overlap: float = 0.0, weight_unnamed: float = 0.0
) -> tuple[Generator, LatentTagger, LinearDirections]:
    generator = tiny_generator()
    tagger = linear_tagger(generator, overlap=overlap)
    settings = replace(SETTINGS, weight_distance=0.02, weight_unnamed=weight_unnamed)
    return generator, tagger, fit_linear_directions(generator, tagger, settings, num_samples=2000)


def codes(generator: Generator) -> Tensor:
    return generator.ws_of(torch.randn(NUM, TINY.z_dim, generator=stream("z")))


def test_one_step_raises_its_own_margin_by_one() -> None:
    generator, tagger, directions = fitted()
    ws = codes(generator)
    for column in range(len(NAMES)):
        amounts = torch.zeros(NUM, len(NAMES))
        amounts[:, column] = 1
        gained = tagger(directions.move(ws, amounts)) - tagger(ws)
        torch.testing.assert_close(gained[:, column], torch.ones(NUM), atol=0.02, rtol=0)


def test_what_leans_on_the_attribute_is_held_by_its_weight() -> None:
    def drift(weight_unnamed: float) -> float:
        generator, tagger, directions = fitted(overlap=0.8, weight_unnamed=weight_unnamed)
        ws = codes(generator)
        moved = directions.steer(ws, torch.tensor([[1.0, 0, 0]] * NUM), strength=3.0)
        return (tagger(moved) - tagger(ws))[:, 1].abs().mean().item()

    assert drift(1.0) < 0.2 * drift(0.0)


def test_a_face_goes_as_far_as_the_margin_and_no_further() -> None:
    generator, tagger, directions = fitted()
    wishes = torch.tensor([[1.0, -1, 0]] * NUM)
    once = directions.steer(codes(generator), wishes)
    found = tagger(once)
    assert (found[:, 0] > SETTINGS.margin - 0.05).all()
    assert (found[:, 1] < 0.05 - SETTINGS.margin).all()
    torch.testing.assert_close(directions.steer(once, wishes), once, atol=0.02, rtol=0)


def test_every_layer_moves_alike_and_opposite_amounts_take_it_back() -> None:
    generator, _, directions = fitted()
    ws, amounts = codes(generator), torch.randn(NUM, len(NAMES), generator=stream("amounts"))
    moved = directions.move(ws, amounts)
    shift = moved - ws
    torch.testing.assert_close(shift, shift[:, :1].expand_as(shift), atol=1e-5, rtol=0)
    assert shift.abs().mean() > 0.01
    torch.testing.assert_close(directions.move(moved, -amounts), ws, atol=1e-4, rtol=0)


def test_an_attribute_that_no_code_shows_moves_nothing() -> None:
    generator, tagger, _ = fitted()
    for member in tagger.members:
        member.linear.weight.data[0] = 0
    directions = fit_linear_directions(generator, tagger, SETTINGS, num_samples=500)
    ws = codes(generator)
    torch.testing.assert_close(directions.steer(ws, torch.tensor([[1.0, 0, 0]] * NUM)), ws)
