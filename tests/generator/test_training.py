"""One step of adversarial training, in closed form where there is one; and that it learns."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.tensors import sample_z, stream
from tedigan.training.adversarial import (
    AdversarialSettings,
    AdversarialTrainer,
    adam,
    discriminator_step,
    mix_styles,
)
from tedigan.training.feature_discriminator import FeatureDiscriminator
from tests.generator.nets import TINY, tiny_discriminator

SETTINGS = AdversarialSettings(
    learning_rate=0.002,
    r1_gamma=1.0,
    r1_interval=4,
    path_length_weight=0.0,
    path_length_interval=4,
    feature_weight=0.0,
    style_mixing_prob=0.9,
    ema_halflife_nimg=100.0,
    ema_rampup=0.5,
    mirror=True,
    augment="none",
    precision="fp32",
    num_fp16_res=4,
)
BATCH, RATE, GAMMA, INTERVAL = 4, 0.1, 0.3, 3


def trainer_of(*, images_seen_before: int = 0, **changes: float) -> AdversarialTrainer:
    torch.manual_seed(0)
    generator = Generator(TINY)
    settings = replace(SETTINGS, **changes)
    return AdversarialTrainer(
        generator, tiny_discriminator(), None, settings, images_seen_before=images_seen_before
    )


def photographs(n: int = BATCH) -> Tensor:
    return torch.randn(n, 3, 16, 16, generator=stream("photographs")).clamp(-1, 1)


class LinearDiscriminator(Discriminator):
    """D(x) = a.x, whose steps a hand can follow."""

    def __init__(self, slope: Tensor) -> None:
        torch.nn.Module.__init__(self)
        self.slope = torch.nn.Parameter(slope)

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1) @ self.slope


def linear_step(index: int, *, gamma: float = GAMMA) -> tuple[float, Tensor, Tensor, Tensor]:
    """The loss, the slope before and after one step of SGD, and the gradient without R1."""
    slope, reals, fakes = (
        torch.randn(*shape, generator=stream("linear", str(shape)))
        for shape in ((12,), (2, 3, 2, 2), (4, 3, 2, 2))
    )
    network = LinearDiscriminator(slope.clone())
    loss = discriminator_step(
        network,
        torch.optim.SGD(network.parameters(), lr=RATE),
        reals,
        fakes,
        r1_gamma=gamma,
        r1_interval=INTERVAL,
        index=index,
    )
    real, fake = reals.flatten(1), fakes.flatten(1)
    pull = torch.sigmoid(fake @ slope) @ fake / len(fake)
    push = torch.sigmoid(-(real @ slope)) @ real / len(real)
    return loss, slope, network.slope.detach(), pull - push


@pytest.mark.parametrize("index", [0, 3, 6])
def test_a_lazy_step_adds_r1_by_half_gamma_times_the_interval(index: int) -> None:
    _, before, after, gradient = linear_step(index)
    main = before - RATE * gradient
    # R1 = |a|^2, so that gamma / 2 x interval x dR1/da = gamma x interval x a, in a step of its own
    torch.testing.assert_close(after, main - RATE * GAMMA * INTERVAL * main)


@pytest.mark.parametrize("index", [1, 2, 4, 5])
def test_the_other_steps_are_without_r1(index: int) -> None:
    _, before, after, gradient = linear_step(index)
    torch.testing.assert_close(after, before - RATE * gradient)


def test_the_reported_loss_leaves_r1_out() -> None:
    assert linear_step(0)[0] == linear_step(1)[0] == linear_step(0, gamma=100.0)[0]


def test_r1_goes_through_the_augmentation() -> None:
    """Of a picture made half as bright before D sees it, the gradient is half as long: R1 is |a/2|^2."""
    slope = torch.ones(12)
    network = LinearDiscriminator(slope.clone())
    optimiser = torch.optim.SGD(network.parameters(), lr=RATE)
    black = torch.zeros(2, 3, 2, 2)
    discriminator_step(
        network,
        optimiser,
        black,
        black,
        r1_gamma=GAMMA,
        r1_interval=1,
        index=0,
        change=lambda images: images / 2,
    )
    torch.testing.assert_close(network.slope.detach(), slope * (1 - RATE * GAMMA / 4))


def test_adam_makes_up_for_a_regulariser_s_own_steps() -> None:
    """StyleGAN2's c = k / (k + 1), on the rate and on the decay: k steps and one more move as k would."""
    (plain,) = adam(tiny_discriminator(), 0.01).param_groups
    (lazy,) = adam(tiny_discriminator(), 0.01, interval=4).param_groups
    assert (plain["lr"], plain["betas"]) == (0.01, (0.0, 0.99))
    assert lazy["lr"] == pytest.approx(0.008)
    assert lazy["betas"] == (0.0, pytest.approx(0.99**0.8))


def test_a_weight_of_path_length_evens_the_paths() -> None:
    """The spread of path lengths about their mean falls, which it does not without."""

    def spread(weight: float) -> float:
        trainer = trainer_of(path_length_weight=weight, path_length_interval=1, learning_rate=0.01)
        for index in range(20):
            trainer._shorten_paths(8, stream("paths", index))
        rng = stream("judged")
        ws = trainer._codes(32, rng)[0]
        return trainer.path_length.penalty(trainer._draw(ws, rng), ws, rng).item()

    assert spread(2.0) < 0.5 * spread(0.0)


class CountingFeatures(FeatureDiscriminator):
    """Says how often it was asked, and wishes for bright pictures."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)
        self.weight = torch.nn.Parameter(torch.zeros([]))
        self.scaled, self.taught = 0, 0

    def scale_to(self, photographs: Tensor) -> None:
        self.scaled += 1

    def generator_loss(self, images: Tensor, rng: torch.Generator) -> Tensor:
        assert not self.weight.requires_grad
        return -images.mean()

    def loss(self, photographs: Tensor, images: Tensor, rng: torch.Generator) -> Tensor:
        self.taught += 1
        return (self.weight - 1).square()


def test_a_feature_discriminator_learns_along_and_teaches_by_its_weight() -> None:
    def brightness(weight: float) -> float:
        torch.manual_seed(0)
        settings = replace(SETTINGS, feature_weight=weight, learning_rate=0.01)
        features = CountingFeatures()
        trainer = AdversarialTrainer(
            Generator(TINY), tiny_discriminator(), None, settings, features=features
        )
        for index in range(8):
            trainer.step(photographs(), stream("step", index), index=index)
        assert (features.scaled, features.taught) == (1, 8)
        assert features.weight.requires_grad
        assert features.weight.item() != 0
        assert {"F", "F_optimiser"} <= trainer.components().keys()
        return trainer._draw(trainer._codes(16, stream("z"))[0], stream("z")).mean().item()

    assert brightness(100.0) > brightness(0.0) + 0.1


def test_a_step_of_the_discriminator_separates_photographs_from_images() -> None:
    network, images = tiny_discriminator(), torch.zeros(BATCH, 3, 16, 16)

    def gap() -> float:
        return (network(photographs()).mean() - network(images).mean()).item()

    before = gap()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01)
    options = {"r1_gamma": 0.0, "r1_interval": 1, "index": 0}
    discriminator_step(network, optimiser, photographs(), images, **options)
    assert gap() > before + 1e-3


def test_a_step_of_the_generator_raises_the_logits_of_its_images() -> None:
    trainer = trainer_of()

    def logits() -> float:
        with torch.no_grad():
            rng = stream("z")
            return trainer.D(trainer._draw(trainer._codes(16, rng)[0], rng)).mean().item()

    before = logits()
    trainer._train_generator(16, stream("z"))
    assert logits() > before + 1e-3


def test_a_step_of_one_network_leaves_the_other() -> None:
    trainer = trainer_of()
    states = [{k: v.clone() for k, v in net.state_dict().items()} for net in (trainer.G, trainer.D)]
    trainer._train_generator(BATCH, stream("z"))
    assert all(torch.equal(trainer.D.state_dict()[k], v) for k, v in states[1].items())
    moved = {k: v.clone() for k, v in trainer.G.state_dict().items()}
    assert not torch.equal(
        moved["synthesis.b16.conv1.weight"], states[0]["synthesis.b16.conv1.weight"]
    )
    trainer._train_discriminator(photographs(), stream("z"), 0)
    assert all(torch.equal(trainer.G.state_dict()[k], v) for k, v in moved.items())


@pytest.mark.parametrize(
    ("index", "seen_before", "halflife"),
    [(0, 0, 2.0), (9, 0, 20.0), (0, 36, 20.0), (99, 0, 100.0), (0, 10**6, 100.0)],
)
def test_the_average_keeps_half_of_itself_each_half_life(
    index: int, seen_before: int, halflife: float
) -> None:
    """Half-life: half of the images seen (ema_rampup), 100 at most (ema_halflife_nimg)."""
    trainer = trainer_of(images_seen_before=seen_before)
    trainer.G_ema = Generator(TINY).requires_grad_(False)
    before = {name: weight.clone() for name, weight in trainer.G_ema.named_parameters()}
    trainer.step(photographs(), stream("step"), index=index)
    kept = 0.5 ** (BATCH / halflife)
    live = dict(trainer.G.named_parameters())
    for name, weight in trainer.G_ema.named_parameters():
        expected = kept * before[name] + (1 - kept) * live[name]
        torch.testing.assert_close(weight, expected, rtol=1e-4, atol=1e-6)


def test_the_average_copies_buffers_whole() -> None:
    trainer = trainer_of()
    trainer.G.mapping.w_avg.fill_(3.0)
    trainer._average(1, 10**6)
    assert torch.equal(trainer.G_ema.mapping.w_avg, torch.full((12,), 3.0))


def test_w_avg_moves_by_a_two_hundredth_towards_the_batch() -> None:
    mapping = Generator(TINY).mapping
    mapping.w_avg.fill_(1.0)
    mapping.track_w_avg(torch.tensor([2.0, 6.0])[:, None].expand(2, 12))
    torch.testing.assert_close(mapping.w_avg, torch.full((12,), 0.995 * 1 + 0.005 * 4))


def test_w_avg_follows_the_mapping_network_through_a_step() -> None:
    trainer = trainer_of()
    _, w = trainer._codes(BATCH, stream("z"))
    trainer._train_generator(BATCH, stream("z"))
    torch.testing.assert_close(trainer.G.mapping.w_avg, 0.005 * w.mean(dim=0).detach())


def mixed(prob: float, n: int = 400) -> Tensor:
    """Which rows came from the other code, `[n, 6]`."""
    return mix_styles(torch.zeros(n, 6, 2), torch.ones(n, 6, 2), stream("mix"), prob=prob)[:, :, 0]


def test_without_style_mixing_the_codes_stay() -> None:
    assert mixed(0.0).sum() == 0


def test_style_mixing_takes_all_layers_from_a_cut_on_and_never_the_first() -> None:
    taken = mixed(1.0)
    assert (taken[:, 0] == 0).all()
    assert (taken[:, -1] == 1).all()
    assert (taken.diff(dim=1) >= 0).all()
    assert set(taken.sum(dim=1).int().tolist()) == {1, 2, 3, 4, 5}


def test_style_mixing_strikes_as_often_as_it_is_told() -> None:
    assert mixed(0.25)[:, -1].mean().item() == pytest.approx(0.25, abs=0.06)


RED, GREEN = (0.9, 0.1, -0.7), (0.1, 0.9, -0.7)


def test_a_tiny_gan_learns_two_colours() -> None:
    """Images between the colours would be 0.57 from both; a generator that knows one would show half."""
    config = GeneratorConfig(
        8, z_dim=8, w_dim=8, num_mapping_layers=2, channel_base=128, channel_max=16
    )
    colours = torch.tensor([RED, GREEN])
    torch.manual_seed(0)
    settings = replace(SETTINGS, learning_rate=0.01, ema_halflife_nimg=500.0)
    trainer = AdversarialTrainer(Generator(config), Discriminator(config), None, settings)

    def found() -> Tensor:
        with torch.no_grad():
            return trainer.G_ema(sample_z(0, list(range(64)), 8)).mean(dim=[2, 3])

    begun = (found() - colours.mean(dim=0)).mean(dim=0).norm()
    for index in range(120):
        rng = stream("colours", index)
        chosen = torch.randint(2, (16,), generator=rng)
        trainer.step(colours[chosen][:, :, None, None].expand(-1, -1, 8, 8), rng, index=index)
    nearest, whose = torch.cdist(found(), colours).min(dim=1)
    assert begun > 1
    assert (found() - colours.mean(dim=0)).mean(dim=0).norm() < 0.25 * begun
    assert nearest.mean() < 0.42
    assert 0.2 < whose.float().mean() < 0.8
