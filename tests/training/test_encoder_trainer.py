"""One step of the encoder's training."""

import pytest
import torch
from torch import Tensor

from tedigan.encoders.visual import Paint
from tedigan.method.losses import generator_loss, latent_loss, perceptual_loss, pixel_loss
from tedigan.params import TrainEncoder, chosen, read_params
from tedigan.tensors import stream
from tedigan.training.adversarial import mix_styles
from tedigan.training.encoder_trainer import (
    EncoderSettings,
    EncoderTrainer,
    Lesson,
    new_encoder,
)
from tests.generator.nets import tiny_discriminator, tiny_generator
from tests.stages.toy import ROOT


@pytest.fixture
def trainer() -> EncoderTrainer:
    params = read_params(ROOT / "params.yaml").train_encoder
    return trainer_of(params.model_copy(update={"batch_size": 4}), num_passes=1)


def trainer_of(params: TrainEncoder, num_passes: int) -> EncoderTrainer:
    generator, features = tiny_generator(), tiny_discriminator().requires_grad_(False)
    encoder = new_encoder(generator, features, head_dim=8, num_passes=num_passes, seed=0)
    torch.nn.init.normal_(encoder.out.weight, std=0.1)
    encoder.w_std.fill_(0.5)
    return EncoderTrainer(generator, features, encoder, chosen(params, EncoderSettings))


def pairs(trainer: EncoderTrainer, rng: torch.Generator, n: int) -> tuple[Tensor, Tensor]:
    """Codes of mixed styles and their images, as the next step draws them."""
    ws = trainer.generator.ws_of(torch.randn(2 * n, 16, generator=rng))
    ws = mix_styles(ws[:n], ws[n:], rng, prob=trainer.settings.style_mixing_prob)
    return ws, trainer.generator.synthesis(ws, noise_mode="random", generator=rng)


def test_a_step_on_pairs_brings_the_encoder_nearer_to_their_codes(trainer: EncoderTrainer) -> None:
    ws, images = pairs(trainer, stream("step"), 4)

    def distance() -> float:
        # in deviations of W, which are halves here
        return 4 * latent_loss(trainer.passes(images.clamp(-1, 1)), ws).item()

    before = distance()
    found = trainer.synthetic_step(stream("step"))
    assert found == pytest.approx({"loss_latent": before}, rel=1e-5)
    assert distance() < before


def test_a_step_on_photographs_reports_its_terms_without_their_weights(
    trainer: EncoderTrainer,
) -> None:
    half = torch.randn(4, 3, 16, 8, generator=stream("photographs"))
    photographs = torch.cat([half, half.flip(3)], dim=3)  # mirrored, they are the same
    images = trainer.generator.synthesis(trainer.encoder(photographs), noise_mode="const")
    features = trainer.features.features
    expected = {
        "loss_pixel": pixel_loss(images, photographs).item(),
        "loss_perceptual": perceptual_loss(features(images), features(photographs)).item(),
        "loss_adversarial": generator_loss(trainer.adversary(images)).item(),
    }
    before = {name: weight.clone() for name, weight in trainer.features.named_parameters()}
    found = trainer.photograph_step(photographs, stream("step"), 0)
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-4)
    assert all(torch.equal(before[n], w) for n, w in trainer.features.named_parameters())
    moved = dict(trainer.adversary.named_parameters())
    assert not torch.equal(moved["b16.conv0.weight"], before["b16.conv0.weight"])


def drawing_trainer(**values: object) -> EncoderTrainer:
    """Of label maps; all its pairs are one."""
    params = read_params(ROOT / "params.yaml").train_sketch_encoder
    params = params.model_copy(update={"batch_size": 4, "learning_rate": 0.01, **values})
    generator, features = tiny_generator(), tiny_discriminator().requires_grad_(False)
    paint = Paint(torch.randn(19, 3, generator=stream("paint")), 0.0)
    encoder = new_encoder(generator, features, head_dim=8, num_passes=1, seed=0, paint=paint)
    inputs, ws = drawings(), generator.ws_of(torch.randn(4, 16, generator=stream("z")))
    weights = torch.tensor([0.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    settings = chosen(params, EncoderSettings)
    return EncoderTrainer(
        generator, features, encoder, settings, lambda n, _: (inputs[:n], ws[:n]), weights
    )


def drawings() -> Tensor:
    return torch.rand(4, 19, 16, 16, generator=stream("drawings"))


def test_only_layers_that_a_drawing_tells_of_are_learnt_from_pairs() -> None:
    trainer = drawing_trainer()
    _, ws = trainer._pairs(4, stream("pairs"))

    def distances() -> Tensor:
        return (trainer.encoder(drawings()) - ws).square().mean(dim=[0, 2])

    before = distances()
    for _ in range(5):
        trainer.synthetic_step(stream("step"))
    after = distances()
    assert after[3] < before[3]
    assert torch.equal(after[[0, 1, 2, 4, 5]], before[[0, 1, 2, 4, 5]])


def test_a_face_of_a_drawing_takes_its_last_layers_from_its_own_code() -> None:
    """From layer 1 at the earliest, and of some faces none; so that colours are not the drawing's to tell."""
    own = drawing_trainer()._own_layers(400, stream("cuts"))[:, :, 0]
    assert set(own.sum(dim=1).tolist()) == set(range(6))
    assert torch.equal(own, own.cummax(dim=1).values)


def test_a_step_on_drawings_compares_the_face_with_its_photograph_and_mirrors_nothing() -> None:
    trainer = drawing_trainer()
    photographs = torch.randn(4, 3, 16, 16, generator=stream("photographs"))
    _, ws = trainer._pairs(4, stream("pairs"))
    own = trainer._own_layers(4, stream("step"))
    shown = torch.where(own, ws, trainer.encoder(drawings()))
    images = trainer.generator.synthesis(shown, noise_mode="const")
    found = trainer.drawing_step(Lesson(photographs, drawings(), ws), stream("step"), 0)
    assert found["loss_pixel"] == pytest.approx(pixel_loss(images, photographs).item(), rel=1e-4)
    assert "loss_adversarial" not in found  # as its weight is 0, nor has the adversary learnt
    assert not trainer.adversary_optimiser.state


def test_every_pass_of_a_step_learns(trainer: EncoderTrainer) -> None:
    """Each takes one step of the optimiser, from where the last one ended."""
    params = read_params(ROOT / "params.yaml").train_encoder
    several = trainer_of(params.model_copy(update={"batch_size": 4}), num_passes=3)
    photographs = torch.randn(4, 3, 16, 16, generator=stream("photographs"))
    several.synthetic_step(stream("step"))
    several.photograph_step(photographs, stream("step"), 0)
    (state, *_) = several.optimiser.state.values()
    assert state["step"].item() == 6
    (state, *_) = several.adversary_optimiser.state.values()
    assert state["step"].item() == 2  # one of its loss and one of R1


def test_delta_regularisation_brings_the_layers_together() -> None:
    params = read_params(ROOT / "params.yaml").train_encoder
    photographs = torch.randn(4, 3, 16, 16, generator=stream("photographs"))

    def spread(weight: float) -> float:
        values = {"batch_size": 4, "weight_delta": weight, "learning_rate": 0.01}
        trainer = trainer_of(params.model_copy(update=values), num_passes=1)
        for index in range(5):
            numbers = trainer.photograph_step(photographs, stream(index), index)
        u = trainer.encoder.whitening.whiten(trainer.passes(photographs))
        assert numbers["loss_delta"] > 0
        return (u[:, 1:] - u[:, :1]).square().mean().item()

    assert spread(100.0) < 0.5 * spread(0.0)


@pytest.mark.parametrize(("steepness", "norm"), [(1.0, 1.0), (1e6, 10.0)])
def test_gradients_are_not_longer_than_ten(
    trainer: EncoderTrainer, steepness: float, norm: float
) -> None:
    trainer._update(steepness * trainer.encoder.fc.bias[0])
    grads = [weight.grad for weight in trainer.encoder.parameters() if weight.grad is not None]
    assert torch.stack([grad.norm() for grad in grads]).norm().item() == pytest.approx(norm)
