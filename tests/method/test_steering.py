"""Steering: what is named is reached, what is not is held, and nothing else moves."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tedigan.encoders.latent_tagger import LatentTagger, LatentTaggerConfig
from tedigan.errors import WeightsError
from tedigan.generator.stylegan import Generator
from tedigan.generator.whitening import whitening_of
from tedigan.method.steering import Steering, SteeringSettings
from tedigan.tensors import stream
from tests.generator.nets import TINY, tiny_generator

SETTINGS = SteeringSettings(
    margin=1.0,
    num_search_steps=150,
    search_rate=0.05,
    weight_unnamed=0.1,
    weight_distance=0.0,
    weight_length=0.0,
    num_picture_steps=0,
    weight_picture=0.0,
    weight_identity=0.0,
    weight_spread=0.0,
)
NAMES = ("Smiling", "Bald", "Young")


def linear_tagger(generator: Generator, *, overlap: float = 0.0) -> LatentTagger:
    """Margin k is coordinate k of the mean whitened code; overlap: of the second attribute with the first."""
    whitening = whitening_of(generator, stream("whitening"), num_samples=2000)
    config = LatentTaggerConfig(generator.num_ws, TINY.w_dim, whitening.num_axes, 4, 2, NAMES)
    tagger = LatentTagger(config)
    tagger.whitening.load_state_dict(whitening.state_dict())
    for member in tagger.members:
        for parameter in member.parameters():
            parameter.data.zero_()
        weight = torch.zeros(len(NAMES), generator.num_ws, whitening.num_axes)
        for k in range(len(NAMES)):
            weight[k, :, k] = 1 / generator.num_ws
        weight[1, :, 0] = overlap / generator.num_ws
        member.linear.weight.data.copy_(weight.flatten(1))
    return tagger.requires_grad_(False)


def brightness(images: Tensor, views: torch.Generator | None) -> Tensor:
    """A guide that sees Smiling in bright pictures, and nothing else."""
    del views
    return torch.stack([images.mean(dim=[1, 2, 3])] * 3, dim=1) * torch.tensor([1.0, 0, 0])


@pytest.fixture(scope="module")
def steering() -> Steering:
    generator = tiny_generator()
    layers = torch.ones(len(NAMES), generator.num_ws, dtype=torch.bool)
    return Steering(generator, linear_tagger(generator), layers, brightness, SETTINGS)


def codes(steering: Steering, n: int = 4) -> Tensor:
    return steering.generator.ws_of(torch.randn(n, TINY.z_dim, generator=stream("z")))


def wish(n: int, *values: float) -> Tensor:
    return torch.tensor([values] * n, dtype=torch.float32)


def test_a_named_attribute_is_reached_and_the_others_are_held(steering: Steering) -> None:
    ws = codes(steering)
    before, after = steering.tagger(ws), steering.tagger(steering.steer(ws, wish(4, 1, -1, 0)))
    assert (after[:, 0] > 0.8).all()
    assert (after[:, 1] < -0.8).all()
    torch.testing.assert_close(after[:, 2], before[:, 2], atol=0.1, rtol=0)


def test_an_attribute_that_leans_on_the_named_one_is_held_all_the_same(steering: Steering) -> None:
    own = replace(steering, tagger=linear_tagger(steering.generator, overlap=0.8))
    ws = codes(steering)
    free = replace(own, settings=replace(SETTINGS, weight_unnamed=0.0))

    def drift(one: Steering) -> float:
        moved = one.steer(ws, wish(4, 1, 0, 0))
        return (one.tagger(moved) - one.tagger(ws))[:, 1].abs().mean().item()

    assert drift(own) < 0.5 * drift(free)


def test_one_that_has_what_it_shall_have_stays(steering: Steering) -> None:
    ws = steering.steer(codes(steering), wish(4, 1, 0, 0), strength=2.0)
    moved = steering.steer(ws, wish(4, 1, 0, 0))
    torch.testing.assert_close(moved, ws, atol=0.02, rtol=0)


def test_strength_nothing_moves_nothing(steering: Steering) -> None:
    ws = codes(steering)
    torch.testing.assert_close(steering.steer(ws, wish(4, 1, 1, 1), strength=0.0), ws)
    torch.testing.assert_close(steering.steer(ws, wish(4, 0, 0, 0)), ws)


def test_strength_is_continuous_and_its_sign_turns_the_wish(steering: Steering) -> None:
    ws = codes(steering, 1)
    strengths = torch.tensor([-2.0, -1, -0.5, 0, 0.5, 1, 2])
    moved = steering.steer(ws.expand(7, -1, -1), wish(7, 1, 0, 0), strength=strengths)
    found = steering.tagger(moved)[:, 0]
    assert (found.diff() > -0.05).all()
    assert found[0] < -1.5
    assert found[-1] > 1.5


def test_only_the_layers_of_the_named_attributes_move(steering: Steering) -> None:
    layers = torch.zeros_like(steering.attribute_layers)
    layers[0, [1, 3]] = True
    layers[1, 2] = True
    own, ws = replace(steering, attribute_layers=layers), codes(steering)
    moved = own.steer(ws, wish(4, 1, 0, 0)) - ws
    assert moved[:, [0, 2, 4, 5]].abs().max() == 0
    assert moved[:, [1, 3]].abs().amin(dim=2).min() >= 0
    assert moved[:, 1].abs().max() > 0.01


def test_a_code_does_not_depend_on_those_beside_it(steering: Steering) -> None:
    own = replace(steering, settings=replace(SETTINGS, num_search_steps=20, num_picture_steps=3))
    ws, wishes = codes(steering), wish(4, 1, -1, 0)
    both, alone = own.steer(ws, wishes), own.steer(ws[2:3], wishes[2:3])
    torch.testing.assert_close(both[2:3], alone, atol=1e-4, rtol=1e-4)


def test_picture_steps_follow_what_the_guide_sees(steering: Steering) -> None:
    """The latent tagger knows nothing here, so that only the picture can lead."""
    blind = linear_tagger(steering.generator)
    for member in blind.members:
        member.linear.weight.data.zero_()
    blind.deviation.fill_(0.05)
    own = replace(steering, tagger=blind)
    ws = codes(steering)

    def seen(num_picture_steps: int) -> Tensor:
        settings = replace(SETTINGS, num_picture_steps=num_picture_steps)
        moved = replace(own, settings=settings).steer(ws, wish(4, 1, 0, 0), strength=3.0)
        images = own.generator.synthesis(moved, noise_mode="const")
        return brightness(images, None)[:, 0]

    assert (seen(20) > seen(0) + 0.01).all()


def upper_brightness(images: Tensor, views: torch.Generator | None) -> Tensor:
    """A guide that sees Smiling where the upper half is bright, and Bald where the lower one is."""
    del views
    halves = images.mean(dim=[1, 3]).unflatten(1, (2, -1)).mean(dim=2)
    return torch.cat([halves, torch.zeros(len(images), 1)], dim=1)


def in_pictures(steering: Steering, **values: float) -> Steering:
    """One that only pictures can lead, by what the halves show."""
    blind = linear_tagger(steering.generator)
    for member in blind.members:
        member.linear.weight.data.zero_()
    blind.deviation.fill_(0.05)
    settings = replace(SETTINGS, num_picture_steps=30, weight_picture=3.0, **values)
    return replace(steering, tagger=blind, look=upper_brightness, settings=settings)


def test_an_edit_shows_where_it_serves_and_not_where_it_would_change_the_rest(
    steering: Steering,
) -> None:
    own, ws = in_pictures(steering), codes(steering)
    edited = own.edit(ws, wish(4, 1, 0, 0), strength=3.0, region_cells=4)
    assert edited.region.shape == (4, 1, 4, 4)
    upper, lower = (
        edited.region[:, :, :2].mean(dim=[1, 2, 3]),
        edited.region[:, :, 2:].mean(dim=[1, 2, 3]),
    )
    assert (upper > lower + 0.1).all()


def colours(images: Tensor, views: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """A guide that takes pictures of one hue for one person."""
    return upper_brightness(images, views), F.normalize(images.mean(dim=[2, 3]), dim=1)


def test_the_identity_term_keeps_who_it_is_while_the_named_attribute_is_reached(
    steering: Steering,
) -> None:
    own, ws = replace(in_pictures(steering), recognise=colours), codes(steering)

    def outcome(weight: float) -> tuple[Tensor, Tensor]:
        held = replace(own, settings=replace(own.settings, weight_identity=weight))
        edited = held.edit(ws, wish(4, 1, 0, 0), strength=3.0, region_cells=0)
        images = [own.generator.synthesis(one, noise_mode="const") for one in (ws, edited.ws)]
        (before, who), (after, person) = (colours(one, None) for one in images)
        return (after - before)[:, 0], (who * person).sum(dim=1)

    (free, lost), (held, kept) = outcome(0.0), outcome(20.0)
    assert (1 - kept).mean() < 0.5 * (1 - lost).mean()
    assert held.min() > 0.5 * free.min() > 0


def test_without_its_weight_the_identity_term_changes_no_bit(steering: Steering) -> None:
    own, ws = in_pictures(steering), codes(steering)
    ours, knowing = (
        one.edit(ws, wish(4, 1, 0, 0), region_cells=4)
        for one in (own, replace(own, recognise=colours))
    )
    assert torch.equal(ours.ws, knowing.ws)
    assert torch.equal(ours.region, knowing.region)


def test_a_guide_that_knows_nobody_refuses_the_weight(steering: Steering) -> None:
    with pytest.raises(WeightsError, match=r"weight_identity is 2\.0, but the guide knows nobody"):
        replace(steering, settings=replace(SETTINGS, weight_identity=2.0))


def test_the_spread_term_keeps_the_layers_together_while_the_named_attribute_is_reached(
    steering: Steering,
) -> None:
    own, ws = in_pictures(steering), codes(steering)
    us = own.tagger.whitening.whiten(ws)

    def outcome(weight: float) -> tuple[Tensor, Tensor]:
        held = replace(own, settings=replace(own.settings, weight_spread=weight))
        edited = held.edit(ws, wish(4, 1, 0, 0), strength=3.0, region_cells=0)
        before, after = (
            upper_brightness(own.generator.synthesis(one, noise_mode="const"), None)[:, 0]
            for one in (ws, edited.ws)
        )
        moved = own.tagger.whitening.whiten(edited.ws) - us
        apart = (moved - moved.mean(dim=1, keepdim=True)).square().mean(dim=[1, 2])
        return after - before, apart / moved.square().mean(dim=[1, 2])

    (free, loose), (held, close) = outcome(0.0), outcome(3.0)
    assert close.mean() < 0.5 * loose.mean()
    assert held.min() > 0.5 * free.min() > 0


def test_without_cells_or_picture_steps_an_edit_shows_everywhere(steering: Steering) -> None:
    ws, wishes = codes(steering), wish(4, 1, 0, 0)
    for own, cells in ((in_pictures(steering), 0), (steering, 4)):
        edited = own.edit(ws, wishes, region_cells=cells)
        assert torch.equal(edited.region, torch.ones(4, 1, 1, 1))
        torch.testing.assert_close(edited.ws, own.steer(ws, wishes))


def test_the_norm_term_keeps_codes_as_long_as_they_were(steering: Steering) -> None:
    ws, wishes = codes(steering), wish(4, 1, 1, 1)

    def length(weight: float) -> float:
        own = replace(steering, settings=replace(SETTINGS, weight_length=weight, margin=4.0))
        us = own.tagger.whitening.whiten(own.steer(ws, wishes))
        return us.square().mean().item()

    assert length(1.0) < 0.7 * length(0.0)


def test_the_distance_term_shortens_the_way(steering: Steering) -> None:
    ws, wishes = codes(steering), wish(4, 1, 1, 1)

    def way(weight: float) -> float:
        own = replace(steering, settings=replace(SETTINGS, weight_distance=weight))
        return (own.steer(ws, wishes) - ws).square().sum().item()

    assert way(1.0) < 0.7 * way(0.0)


def test_steering_works_inside_no_grad(steering: Steering) -> None:
    ws = codes(steering)
    with torch.no_grad():
        moved = steering.steer(ws, wish(4, 1, 0, 0))
    torch.testing.assert_close(moved, steering.steer(ws, wish(4, 1, 0, 0)))
    assert not moved.requires_grad


def test_search_steps_move_all_layers_alike_and_picture_steps_each_by_itself(
    steering: Steering,
) -> None:
    def spread(own: Steering) -> float:
        ws = codes(steering)
        shift = own.tagger.whitening.whiten(own.steer(ws, wish(4, 1, 0, 0), strength=3.0))
        shift = shift - own.tagger.whitening.whiten(ws)
        return (shift - shift.mean(dim=1, keepdim=True)).abs().max().item()

    assert spread(steering) < 1e-3
    assert spread(in_pictures(steering)) > 0.1


def test_the_distance_is_that_of_a_moved_layer_however_many_move(steering: Steering) -> None:
    few = torch.zeros_like(steering.attribute_layers)
    few[:, 0] = True
    shift = torch.full((1, 1, steering.tagger.whitening.num_axes), 0.1)
    settings = replace(SETTINGS, weight_distance=1.0)
    losses = []
    for layers in (steering.attribute_layers, few):
        own = replace(steering, attribute_layers=layers, settings=settings)
        us = own.tagger.whitening.whiten(codes(steering, 1))
        task = own.task(us, wish(1, 1, 0, 0), torch.ones(1))
        losses.append(own._move_loss(task, shift))
    torch.testing.assert_close(*losses)
    torch.testing.assert_close(losses[0], shift.square().sum()[None])
