"""Every term of training, on cases small enough for a hand."""

import math

import pytest
import torch

from tedigan.method.losses import (
    delta_loss,
    discriminator_loss,
    generator_loss,
    latent_loss,
    perceptual_loss,
    pixel_loss,
    r1_penalty,
)

LOG3 = math.log(3)  # softplus(log 3) = log 4, softplus(-log 3) = log(4 / 3)


def test_the_generators_loss_is_softplus_of_minus_the_logits() -> None:
    loss = generator_loss(torch.tensor([LOG3, 0.0]))
    assert loss.item() == pytest.approx((math.log(4 / 3) + math.log(2)) / 2)


def test_the_generator_gains_where_the_logits_rise() -> None:
    logits = torch.tensor([0.0, LOG3], requires_grad=True)
    generator_loss(logits).backward()
    # d/dl softplus(-l) = -sigmoid(-l), over two images
    torch.testing.assert_close(logits.grad, torch.tensor([-1 / 4, -1 / 8]))


def test_the_discriminators_loss_is_a_mean_over_each_side() -> None:
    loss = discriminator_loss(torch.tensor([LOG3]), torch.tensor([LOG3, 0.0]))
    reals, fakes = math.log(4 / 3), (math.log(4) + math.log(2)) / 2
    assert loss.item() == pytest.approx(reals + fakes)


def test_the_discriminator_gains_where_photographs_rise_and_images_fall() -> None:
    real, fake = torch.zeros(2, requires_grad=True), torch.zeros(4, requires_grad=True)
    discriminator_loss(real, fake).backward()
    torch.testing.assert_close(real.grad, torch.full((2,), -1 / 4))
    torch.testing.assert_close(fake.grad, torch.full((4,), 1 / 8))


def test_r1_of_a_linear_discriminator_is_the_square_of_its_slope() -> None:
    slope = torch.arange(12.0).reshape(1, 3, 2, 2)  # sum of squares 506
    images = torch.randn(5, 3, 2, 2, requires_grad=True)
    penalty = r1_penalty((images * slope).sum(dim=[1, 2, 3]), images)
    assert penalty.item() == pytest.approx(506)


def test_r1_is_a_mean_over_photographs_that_reaches_the_weights() -> None:
    scale = torch.tensor(1.0, requires_grad=True)
    images = torch.tensor([1.0, 3.0])[:, None, None, None].expand(2, 3, 1, 1).clone()
    images.requires_grad_(True)
    penalty = r1_penalty((scale * images.square()).sum(dim=[1, 2, 3]), images)
    # grad = 2 s x: 3 (2 s)^2 and 3 (6 s)^2, of which the mean is 60 s^2
    assert penalty.item() == pytest.approx(60)
    penalty.backward()
    assert scale.grad is not None
    assert scale.grad.item() == pytest.approx(120)


def test_the_pixel_loss_is_the_mean_square() -> None:
    images, target = torch.zeros(2, 3, 2, 2), torch.zeros(2, 3, 2, 2)
    images[0, 0, 0, 0], target[1, 2, 1, 1] = 2.0, -1.0
    assert pixel_loss(images, target).item() == pytest.approx(5 / 24)


def test_the_perceptual_loss_counts_in_the_targets_deviations_and_weighs_maps_alike() -> None:
    target = [torch.tensor([-1.0, 1.0]), torch.tensor([-10.0, 10.0, -10.0, 10.0])]
    ours = [one + 3 for one in target]
    deviations = [2**0.5, (400 / 3) ** 0.5]
    expected = sum(3 / one for one in deviations) / 2
    assert perceptual_loss(ours, target).item() == pytest.approx(expected, rel=1e-5)


def test_the_perceptual_loss_does_not_move_its_target() -> None:
    target = torch.tensor([-1.0, 1.0])
    ours = torch.tensor([2.0, 2.0], requires_grad=True)
    perceptual_loss([ours], [target]).backward()
    torch.testing.assert_close(ours.grad, torch.full((2,), 0.5 / 2**0.5))


def test_the_latent_loss_is_the_mean_square_of_all_layers() -> None:
    ws, target = torch.zeros(2, 3, 4), torch.zeros(2, 3, 4)
    ws[:, 1], target[0, 2, 0] = 2.0, 4.0
    # layer 1: 4; layer 2: 16 once in eight
    assert latent_loss(ws, target).item() == pytest.approx((0 + 4 + 2) / 3)


def test_the_latent_loss_weighs_each_layer_by_its_share() -> None:
    ws = torch.tensor([0.0, 2.0, 3.0])[None, :, None].expand(2, 3, 4)
    shares = torch.tensor([0.5, 0.25, 0.25])
    assert latent_loss(ws, torch.zeros(2, 3, 4), shares).item() == pytest.approx(1 + 9 / 4)


def test_the_delta_loss_is_the_mean_square_of_the_differences_from_the_first_layer():
    u = torch.zeros(2, 3, 4)
    u[0] += 7.0
    u[1, 2] = 2.0
    assert delta_loss(u).item() == 1.0
