"""The latent tagger learns what a guide sees, on the codes that it will be asked about."""

from functools import partial

import pytest
import torch
from torch import Tensor

from tedigan.encoders.latent_tagger import LatentTagger
from tedigan.generator.stylegan import Generator
from tedigan.tensors import stream
from tedigan.training.latent_tagger_trainer import (
    LatentTaggerSettings,
    LatentTaggerTrainer,
    Pairs,
    codes_of,
    draw_pairs,
    new_latent_tagger,
)
from tests.generator.nets import TINY, tiny_generator

NAMES = ("Bright", "Red")


def look(images: Tensor, views: torch.Generator | None) -> Tensor:
    """Brightness, and how much redder than blue."""
    del views
    bright, red, blue = images.mean(dim=[1, 2, 3]), images[:, 0], images[:, 2]
    return torch.stack([bright, (red - blue).mean(dim=[1, 2])], dim=1)


@pytest.fixture(scope="module")
def generator() -> Generator:
    return tiny_generator()


@pytest.fixture(scope="module")
def tagger(generator: Generator) -> LatentTagger:
    return new_latent_tagger(generator, NAMES, hidden_dim=32, num_members=2, seed=0)


def pairs_of(generator: Generator, tagger: LatentTagger, **options: object) -> Pairs:
    given = {"photographs": None, "num_pairs": 512, "batch_size": 32, "seed": 0} | options
    return draw_pairs(generator, look, tagger, **given)


def trained(generator: Generator, tagger: LatentTagger, pairs: Pairs) -> LatentTaggerTrainer:
    settings = LatentTaggerSettings(num_steps=300, batch_size=64, learning_rate=0.003)
    trainer = LatentTaggerTrainer(tagger, pairs, settings)
    for index in range(settings.num_steps):
        trainer.step(stream("step", index), index)
    return trainer


def test_it_learns_what_the_guide_sees(generator: Generator) -> None:
    tagger = new_latent_tagger(generator, NAMES, hidden_dim=32, num_members=2, seed=0)
    trainer = trained(generator, tagger, pairs_of(generator, tagger, num_pairs=1024))
    assert (trainer.explained() > 0.5).all()
    ws = generator.ws_of(torch.randn(64, TINY.z_dim, generator=stream("new")))
    seen = look(generator.synthesis(ws).clamp(-1, 1), None) / tagger.deviation
    correlation = torch.corrcoef(torch.stack([tagger(ws)[:, 0], seen[:, 0]]).detach())[0, 1]
    assert correlation > 0.7


def test_margins_are_in_deviations_of_the_guides_logits(
    generator: Generator, tagger: LatentTagger
) -> None:
    pairs = pairs_of(generator, tagger)
    trainer = LatentTaggerTrainer(tagger, pairs, LatentTaggerSettings(1, 8, 0.001))
    torch.testing.assert_close(tagger.deviation, pairs.logits.std(dim=0))
    torch.testing.assert_close(trainer.margins.std(dim=0), torch.ones(2))
    torch.testing.assert_close(tagger.correlation, torch.corrcoef(pairs.logits.T))


def test_before_it_learns_it_answers_the_mean(generator: Generator) -> None:
    tagger = new_latent_tagger(generator, NAMES, hidden_dim=8, num_members=1, seed=0)
    trainer = LatentTaggerTrainer(
        tagger, pairs_of(generator, tagger), LatentTaggerSettings(1, 8, 0.001)
    )
    found = tagger.margins(torch.zeros(1, generator.num_ws, tagger.config.num_axes))
    torch.testing.assert_close(found[0], trainer.margins.mean(dim=0), atol=0.3, rtol=0)


def test_pairs_are_what_the_guide_says_of_the_drawn_codes(
    generator: Generator, tagger: LatentTagger
) -> None:
    """Without noise in the layers, so that the picture is the code's alone."""
    still = tiny_generator()
    for name, parameter in still.named_parameters():
        if name.endswith("noise_strength"):
            parameter.data.zero_()
    pairs = pairs_of(still, tagger, num_pairs=64)
    images = still.synthesis(tagger.whitening.colour(pairs.us.float())).clamp(-1, 1)
    torch.testing.assert_close(look(images, None), pairs.logits, atol=0.01, rtol=0.01)


def test_kinds_of_codes_take_turns_and_photographs_are_one(
    generator: Generator, tagger: LatentTagger
) -> None:
    photographs = torch.full((3, generator.num_ws, TINY.w_dim), 4.0)
    plain = pairs_of(generator, tagger, num_pairs=128)
    own = pairs_of(generator, tagger, num_pairs=128, photographs=photographs)
    layers_differ = (plain.us[:, 0] - plain.us[:, -1]).abs().mean(dim=1) > 0.01
    assert layers_differ.unflatten(0, (4, 32)).float().mean(dim=1).tolist()[0] == 0
    assert layers_differ.unflatten(0, (4, 32)).float().mean(dim=1)[1:3].min() > 0.9
    assert torch.equal(plain.us[:96], own.us[:96])
    code = tagger.whitening.whiten(photographs[0])
    assert (own.us[96:].float() - code).abs().mean() < (plain.us[96:].float() - code).abs().mean()


def test_pairs_depend_on_their_seed_and_place_alone(
    generator: Generator, tagger: LatentTagger
) -> None:
    draw = partial(pairs_of, generator, tagger)
    assert torch.equal(draw(num_pairs=64).us, draw(num_pairs=128).us[:64])
    assert not torch.equal(draw(num_pairs=64).us, draw(num_pairs=64, seed=1).us)


def test_codes_are_found_by_the_photographs_ids() -> None:
    codes = {"ids": torch.tensor([7, 3, 9]), "ws": torch.arange(3.0).reshape(3, 1, 1)}
    found = codes_of(codes, [9, 7], torch.device("cpu"))
    assert found is not None
    assert found.flatten().tolist() == [2, 0]
    assert codes_of(codes, [], torch.device("cpu")) is None
