import pytest
import torch

from tedigan.encoders.text import TextEncoder, layer_relevance
from tedigan.encoders.visual import VisualEncoder, w_statistics
from tedigan.method.inversion import (
    Term,
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


def term_of(name: str, ws: torch.Tensor, photographs: torch.Tensor) -> Term:
    encoder = VisualEncoder(TINY, head_dim=8).requires_grad_(False)
    terms = {
        "pixel": lambda: pixel_term(photographs),
        "perceptual": lambda: perceptual_term(photographs, tiny_discriminator().features),
        "encoder": lambda: encoder_term(encoder, torch.full((12,), 0.5)),
        "anchor": lambda: anchor_term(ws, [0, 2], torch.full((12,), 0.5)),
    }
    return terms[name]()


@pytest.mark.parametrize(
    "names", [["pixel"], ["perceptual"], ["encoder"], ["anchor"], ["pixel", "perceptual"]]
)
def test_photographs_do_not_influence_each_other(names: list[str]):
    ws, photographs = faces(3)
    photographs = photographs * torch.tensor([5.0, 1.0, 0.2])[:, None, None, None]
    generator = tiny_generator()

    def solve(rows: list[int]) -> torch.Tensor:
        torch.manual_seed(0)
        terms = [
            WeightedTerm(name, 1.0, term_of(name, ws[rows], photographs[rows])) for name in names
        ]
        return optimise_ws(generator, ws[rows] + 0.2, terms, num_steps=5, learning_rate=0.01)[0]

    alone = solve([1])[0]
    assert (alone - ws[1] - 0.2).abs().max() > 0.01
    assert torch.allclose(solve([0, 1, 2])[1], alone, atol=1e-5)


def test_the_pixel_term_is_each_photographs_mean_square():
    images = torch.tensor([1.0, 3.0])[:, None, None, None].expand(2, 3, 2, 2)
    term = pixel_term(torch.tensor([0.0, 1.0])[:, None, None, None].expand(2, 3, 2, 2))
    assert term(torch.zeros(2, 6, 12), images).tolist() == [1.0, 4.0]


def test_the_perceptual_term_counts_in_each_photographs_own_deviations():
    stripes = torch.tensor([-1.0, 1.0]).expand(2, 3, 2, 2)  # deviation sqrt(12 / 11)
    photographs = stripes * torch.tensor([1.0, 5.0])[:, None, None, None]
    term = perceptual_term(photographs, lambda images: [images, 10 * images])
    found = term(torch.zeros(2, 6, 12), photographs + 1)
    expected = torch.tensor([1.0, 0.2]) / (12 / 11) ** 0.5
    assert torch.allclose(found, expected, rtol=1e-5)


def test_the_perceptual_term_weighs_maps_alike():
    photographs = torch.tensor([-1.0, 1.0]).expand(1, 3, 2, 2)
    term = perceptual_term(photographs, lambda images: [images, images.square() + images])
    found = term(torch.zeros(1, 6, 12), photographs + 1)
    # |x + 1 - x| = 1 and |(x + 1)^2 + 1 - x^2| = |2 x + 2| = 0 or 4; the second map is 0 or 2
    assert torch.allclose(found, torch.tensor((1 + 2) / 2 / (12 / 11) ** 0.5), rtol=1e-5)


def test_the_encoder_term_counts_in_deviations_of_w():
    ws = torch.tensor([1.0, 3.0])[:, None, None].expand(2, 6, 12)
    std = torch.tensor([1.0, 0.5]).repeat(6)
    found = encoder_term(lambda _: torch.ones(2, 6, 12), std)(ws, torch.zeros(2, 3, 16, 16))
    assert found.tolist() == [0.0, (4 + 16) / 2]


def test_the_anchor_term_counts_in_deviations_of_w():
    ws, target = torch.zeros(2, 6, 12), torch.zeros(2, 6, 12)
    target[1, 3], target[1, 4] = 1.0, 7.0
    found = anchor_term(target, [2, 3], torch.full((12,), 0.5))(ws, torch.zeros(2, 3, 16, 16))
    assert found.tolist() == [0.0, 4 / 2]


def climb(ws: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    """A slope of the same steepness everywhere, on which Adam's step is the learning rate."""
    return -ws.mean(dim=[1, 2])


def descend(ws: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    return ws.mean(dim=[1, 2])


def test_the_rate_falls_by_a_cosine_over_the_last_quarter():
    ws, _ = faces()
    terms = [WeightedTerm("climb", 1.0, climb)]
    found, _ = optimise_ws(tiny_generator(), ws, terms, num_steps=12, learning_rate=0.01)
    # ten whole steps, then those at 2/3 and 1/3 of the ramp: (1 - cos) / 2 = 3/4 and 1/4
    assert torch.allclose(found - ws, torch.tensor(0.11), atol=1e-5)


def test_terms_pull_by_their_weights_and_not_at_all_with_weight_zero():
    ws, _ = faces()

    def unasked(*_: torch.Tensor) -> torch.Tensor:
        raise AssertionError("a term of weight 0 was computed")

    weighted = [
        WeightedTerm("climb", 2.0, climb),
        WeightedTerm("descend", 1.0, descend),
        WeightedTerm("unasked", 0.0, unasked),
    ]
    found, trace = optimise_ws(tiny_generator(), ws, weighted, num_steps=1, learning_rate=0.01)
    assert (found > ws).all()
    (row,) = trace
    assert row == pytest.approx({"climb": -ws.mean().item(), "descend": ws.mean().item()})


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


def test_relevance_is_the_explained_share_of_each_layers_variance():
    ws = torch.tensor([-2.0, 2.0])[:, None, None].expand(2, 4, 3)
    predicted = ws * torch.tensor([1.0, 0.5, 0.0, -1.0])[None, :, None]
    found = layer_relevance(predicted, ws + 1, torch.ones(4, 3))
    # |w - mean|^2 is 4; |w - w_text|^2 is 1, (4 + 0) / 2, (9 + 1) / 2 and (25 + 9) / 2
    assert torch.allclose(found, torch.tensor([3 / 4, 1 / 2, 0.0, 0.0]))


def test_an_untrained_text_encoder_speaks_around_the_photographs_codes():
    encoder = TextEncoder(8, 16, 6, 12)
    encoder.ws_mean.fill_(5.0)
    embeddings = torch.nn.functional.normalize(torch.randn(4, 8), dim=1)
    assert (encoder(embeddings) - 5).abs().mean() < 3
