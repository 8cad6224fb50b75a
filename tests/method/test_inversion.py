import pytest
import torch

from tedigan.encoders.text import TextEncoder, layer_relevance
from tedigan.encoders.visual import VisualEncoder, w_statistics
from tedigan.method.inversion import (
    WeightedTerm,
    anchor_term,
    encoder_term,
    optimise_ws,
    perceptual_term,
    pixel_term,
)
from tedigan.tensors import sample_z, stream
from tests.generator.nets import TINY, tiny_discriminator, tiny_generator


def faces(n: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    generator = tiny_generator()
    ws = generator.ws_of(sample_z(0, list(range(n)), 16)).clone()
    return ws, generator.synthesis(ws)


def test_an_untrained_encoder_answers_with_the_mean_face():
    encoder = VisualEncoder(TINY, head_dim=8)
    w_avg, w_std = w_statistics(tiny_generator(), stream(0), num_samples=256)
    encoder.start_from(tiny_discriminator(), w_avg, w_std)
    codes = encoder(torch.randn(3, 3, 16, 16))
    assert torch.allclose(codes, w_avg.expand(3, 6, -1), atol=1e-6)


def test_the_encoder_starts_with_the_discriminators_trunk():
    encoder, discriminator = VisualEncoder(TINY, head_dim=8), tiny_discriminator()
    encoder.start_from(discriminator, torch.zeros(12), torch.ones(12))
    assert torch.equal(encoder.b16.conv0.weight, discriminator.b16.conv0.weight)


def test_optimisation_brings_the_picture_closer():
    ws, photographs = faces()
    start = ws + 0.3
    terms = [
        WeightedTerm("pixel", 1.0, pixel_term(photographs)),
        WeightedTerm(
            "perceptual", 0.1, perceptual_term(photographs, tiny_discriminator().features)
        ),
    ]
    _, trace = optimise_ws(tiny_generator(), start, terms, num_steps=30, learning_rate=0.05)
    assert trace[-1]["pixel"] < 0.5 * trace[0]["pixel"]


def test_photographs_do_not_influence_each_other():
    ws, photographs = faces(2)
    generator = tiny_generator()

    def solve(rows: list[int]) -> torch.Tensor:
        terms = [WeightedTerm("pixel", 1.0, pixel_term(photographs[rows]))]
        return optimise_ws(generator, ws[rows] + 0.2, terms, num_steps=5, learning_rate=0.01)[0]

    assert torch.allclose(solve([0, 1])[1], solve([1])[0], atol=1e-4)


def test_zero_steps_return_the_start():
    ws, photographs = faces()
    terms = [WeightedTerm("pixel", 1.0, pixel_term(photographs))]
    found, trace = optimise_ws(tiny_generator(), ws, terms, num_steps=0, learning_rate=0.1)
    assert torch.equal(found, ws)
    assert trace == []


@pytest.mark.parametrize("num_steps", [0, 3])
def test_terms_that_weigh_nothing_return_the_start(num_steps):
    ws, photographs = faces()
    for terms in ([WeightedTerm("pixel", 0.0, pixel_term(photographs))], []):
        found, trace = optimise_ws(
            tiny_generator(), ws, terms, num_steps=num_steps, learning_rate=0.1
        )
        assert torch.equal(found, ws)
        assert found.data_ptr() != ws.data_ptr()
        assert trace == []


def test_the_anchor_holds_only_its_layers():
    ws, images = faces()
    target = ws.clone()
    target[:, 3] += 1
    std = torch.ones(12)
    assert anchor_term(target, [0, 1], std)(ws, images).abs().max() == 0
    assert torch.allclose(anchor_term(target, [3], std)(ws, images), torch.ones(2))


def test_the_encoder_term_is_zero_where_the_encoder_finds_the_code_again():
    ws, images = faces()
    assert encoder_term(lambda _: ws, torch.ones(12))(ws, images).abs().max() == 0


def test_relevance_is_one_for_exact_codes_and_zero_for_the_mean():
    ws = torch.randn(50, 6, 12, generator=stream(1))
    mean = ws.mean(dim=0)
    assert torch.allclose(layer_relevance(ws, ws, mean), torch.ones(6))
    assert layer_relevance(mean.expand_as(ws), ws, mean).max() < 1e-6


def test_an_untrained_text_encoder_speaks_around_the_photographs_codes():
    encoder = TextEncoder(8, 16, 6, 12)
    encoder.ws_mean.fill_(5.0)
    embeddings = torch.nn.functional.normalize(torch.randn(4, 8), dim=1)
    assert (encoder(embeddings) - 5).abs().mean() < 3
