from functools import cache

import pytest
import torch

from tedigan.encoders.text import TextEncoder, layer_relevance
from tedigan.encoders.visual import VisualEncoder
from tedigan.generator.whitening import Whitening, whitening_of
from tedigan.method.inversion import WINDOW, Inversion, Schedule, optimise_ws
from tedigan.method.inversion_terms import (
    Term,
    WeightedTerm,
    coherence_term,
    encoder_term,
    norm_term,
    perceptual_term,
    pixel_term,
)
from tedigan.tensors import sample_z, stream
from tests.generator.nets import TINY, tiny_discriminator, tiny_generator

ROWS = torch.arange(9)  # of photographs, all of them


def faces(n: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    generator = tiny_generator()
    ws = generator.ws_of(sample_z(0, list(range(n)), 16)).clone()
    return ws, generator.synthesis(ws)


@cache
def whitening() -> Whitening:
    return whitening_of(tiny_generator(), stream("whitening"), num_samples=256)


def optimised(ws: torch.Tensor, terms: list[WeightedTerm], *numbers: float) -> Inversion:
    """numbers: of the schedule."""
    return optimise_ws(tiny_generator(), ws, terms, whitening(), Schedule(*numbers))


def test_optimisation_brings_the_picture_closer():
    ws, photographs = faces()
    terms = [
        WeightedTerm("pixel", 1.0, pixel_term(photographs)),
        WeightedTerm(
            "perceptual", 0.1, perceptual_term(photographs, tiny_discriminator().features)
        ),
    ]
    found = optimised(ws + 0.3, terms, 40, 0.05)
    before, after = (pixel_error(codes, photographs) for codes in (ws + 0.3, found.ws))
    assert (after < 0.5 * before).all()
    assert not found.ws.requires_grad


def pixel_error(ws: torch.Tensor, photographs: torch.Tensor) -> torch.Tensor:
    return pixel_term(photographs)(ws, tiny_generator().synthesis(ws), ROWS[: len(ws)])


def term_of(name: str, photographs: torch.Tensor) -> Term:
    encoder = VisualEncoder(TINY, head_dim=8, num_axes=12).requires_grad_(False)
    terms = {
        "pixel": lambda: pixel_term(photographs),
        "perceptual": lambda: perceptual_term(photographs, tiny_discriminator().features),
        "encoder": lambda: encoder_term(encoder, torch.full((12,), 0.5)),
        "norm": lambda: norm_term(whitening()),
        "coherence": lambda: coherence_term(whitening()),
    }
    return terms[name]()


@pytest.mark.parametrize(
    "names",
    [
        ["pixel"],
        ["perceptual"],
        ["encoder"],
        ["norm"],
        ["coherence"],
        ["pixel", "norm"],
    ],
)
def test_photographs_do_not_influence_each_other(names: list[str]):
    ws, photographs = faces(3)
    start = ws + torch.randn(ws.shape, generator=stream("start"))
    photographs = photographs * torch.tensor([5.0, 1.0, 0.2])[:, None, None, None]

    def solve(rows: list[int]) -> torch.Tensor:
        torch.manual_seed(0)
        terms = [WeightedTerm(name, 1.0, term_of(name, photographs[rows])) for name in names]
        return optimised(start[rows], terms, 5, 0.03).ws

    alone = solve([1])[0]
    assert (alone - start[1]).abs().max() > 0.01
    assert torch.allclose(solve([0, 1, 2])[1], alone, atol=1e-5)


@pytest.mark.parametrize("name", ["pixel", "perceptual"])
def test_terms_find_the_targets_of_the_photographs_that_are_left(name: str):
    ws, photographs = faces(3)
    term, moved = term_of(name, photographs), ws + 0.5
    images, left = tiny_generator().synthesis(moved), torch.tensor([2, 1])
    every = term(moved, images, ROWS[:3])
    assert every[2] != every[1]
    torch.testing.assert_close(term(moved[left], images[left], left), every[left])


def target_term(target: torch.Tensor) -> Term:
    """How far the codes are from each photograph's own, and a rest that nothing takes away."""
    return lambda ws, _, rows: 1 + (ws - target[rows]).square().mean(dim=[1, 2])


def test_a_photograph_that_has_arrived_leaves_without_changing_the_others():
    ws, _ = faces(3)
    away = torch.tensor([0.0, 2.0, 6.0])[:, None, None]
    target = whitening().moved(ws, away.expand(3, 1, whitening().num_axes))

    def solve(rows: list[int]) -> Inversion:
        terms = [WeightedTerm("target", 1.0, target_term(target[rows]))]
        return optimised(ws[rows], terms, 120, 0.1, 0.02)

    together = solve([0, 1, 2])
    lengths = [sum(row.photograph == i for row in together.trace) for i in range(3)]
    assert lengths[0] < lengths[1] < lengths[2]
    for row in range(3):
        alone = solve([row])
        torch.testing.assert_close(together.ws[row], alone.ws[0], atol=1e-5, rtol=1e-5)
        assert len(alone.trace) == lengths[row]


def test_the_same_batch_gives_the_same_bytes():
    ws, photographs = faces(3)
    terms = [WeightedTerm("pixel", 1.0, pixel_term(photographs))]
    first, second = (optimised(ws + 0.3, terms, 30, 0.1, 0.1) for _ in range(2))
    assert torch.equal(first.ws, second.ws)
    assert first.trace == second.trace


def test_without_a_least_progress_nobody_leaves_early():
    ws, _ = faces()
    terms = [WeightedTerm("target", 1.0, target_term(ws))]
    assert optimised(ws, terms, 80, 0.1, 0.0).trace[-1].step == 80 - WINDOW


def test_the_pixel_term_is_each_photographs_mean_square():
    images = torch.tensor([1.0, 3.0])[:, None, None, None].expand(2, 3, 2, 2)
    term = pixel_term(torch.tensor([0.0, 1.0])[:, None, None, None].expand(2, 3, 2, 2))
    assert term(torch.zeros(2, 6, 12), images, ROWS[:2]).tolist() == [1.0, 4.0]


def test_the_perceptual_term_counts_in_each_photographs_own_deviations():
    stripes = torch.tensor([-1.0, 1.0]).expand(2, 3, 2, 2)  # deviation sqrt(12 / 11)
    photographs = stripes * torch.tensor([1.0, 5.0])[:, None, None, None]
    term = perceptual_term(photographs, lambda images: [images, 10 * images])
    found = term(torch.zeros(2, 6, 12), photographs + 1, ROWS[:2])
    expected = torch.tensor([1.0, 0.2]) / (12 / 11) ** 0.5
    assert torch.allclose(found, expected, rtol=1e-5)


def test_the_perceptual_term_weighs_maps_alike():
    photographs = torch.tensor([-1.0, 1.0]).expand(1, 3, 2, 2)
    term = perceptual_term(photographs, lambda images: [images, images.square() + images])
    found = term(torch.zeros(1, 6, 12), photographs + 1, ROWS[:1])
    # |x + 1 - x| = 1 and |(x + 1)^2 + 1 - x^2| = |2 x + 2| = 0 or 4; the second map is 0 or 2
    assert torch.allclose(found, torch.tensor((1 + 2) / 2 / (12 / 11) ** 0.5), rtol=1e-5)


def test_the_encoder_term_counts_in_deviations_of_w():
    ws = torch.tensor([1.0, 3.0])[:, None, None].expand(2, 6, 12)
    std = torch.tensor([1.0, 0.5]).repeat(6)
    found = encoder_term(lambda _: torch.ones(2, 6, 12), std)(
        ws, torch.zeros(2, 3, 16, 16), ROWS[:2]
    )
    assert found.tolist() == [0.0, (4 + 16) / 2]


def climb(ws: torch.Tensor, _: torch.Tensor, __: torch.Tensor) -> torch.Tensor:
    """A slope of the same steepness everywhere, on which Adam's step is the learning rate."""
    return -whitening().whiten(ws).mean(dim=[1, 2])


def descend(ws: torch.Tensor, _: torch.Tensor, __: torch.Tensor) -> torch.Tensor:
    return -climb(ws, _, __)


def test_the_rate_falls_by_a_cosine_over_the_last_quarter():
    ws, _ = faces()
    found = optimised(ws, [WeightedTerm("climb", 1.0, climb)], 12, 0.01).ws
    # ten whole steps, then those at 2/3 and 1/3 of the ramp: (1 - cos) / 2 = 3/4 and 1/4
    moved = whitening().whiten(found) - whitening().whiten(ws)
    assert torch.allclose(moved, torch.tensor(0.11), atol=1e-4)


def test_terms_pull_by_their_weights_and_not_at_all_with_weight_zero():
    ws, _ = faces()

    def unasked(*_: torch.Tensor) -> torch.Tensor:
        raise AssertionError("a term of weight 0 was computed")

    weighted = [
        WeightedTerm("climb", 2.0, climb),
        WeightedTerm("descend", 1.0, descend),
        WeightedTerm("unasked", 0.0, unasked),
    ]
    found = optimised(ws, weighted, 1, 0.01)
    u, before = whitening().whiten(found.ws), whitening().whiten(ws)
    assert (u > before).all()
    heights = before.mean(dim=[1, 2]).tolist()
    assert [(row.photograph, row.step) for row in found.trace] == [(0, 0), (1, 0)]
    for row, height in zip(found.trace, heights, strict=True):
        assert row.values == pytest.approx({"climb": -height, "descend": height})


@pytest.mark.parametrize(("num_steps", "weight"), [(0, 1.0), (0, 0.0), (3, 0.0)])
def test_no_steps_or_no_weights_return_the_start(num_steps: int, weight: float):
    ws, photographs = faces()
    ws = ws + torch.randn(ws.shape, generator=stream("elsewhere"))
    for terms in ([WeightedTerm("pixel", weight, pixel_term(photographs))], []):
        found = optimised(ws, terms, num_steps, 0.1)
        assert torch.equal(found.ws, ws)
        assert found.ws.data_ptr() != ws.data_ptr()
        assert found.trace == []


def test_the_trace_has_each_term_of_each_photograph_at_each_window():
    ws, photographs = faces(2)
    terms = [
        WeightedTerm("pixel", 1.0, pixel_term(photographs)),
        WeightedTerm("norm", 0.1, norm_term(whitening())),
    ]
    trace = optimised(ws + 0.3, terms, 2 * WINDOW + 1, 0.05).trace
    places = [(row.photograph, row.step) for row in trace]
    assert places == [(i, step) for i in range(2) for step in (0, WINDOW, 2 * WINDOW)]
    first = pixel_error(ws + 0.3, photographs).tolist()
    assert [trace[0].values["pixel"], trace[3].values["pixel"]] == pytest.approx(first)


def test_the_norm_term_asks_for_nothing_of_codes_as_long_as_random_ones():
    own = Whitening(12, 12)
    own.to_u.copy_(torch.eye(12))
    ws = torch.tensor([0.5, 1.0, 3.0])[:, None, None].expand(3, 6, 12)
    found = norm_term(own)(ws, torch.zeros(3, 3, 16, 16), ROWS[:3])
    torch.testing.assert_close(found, torch.tensor([0.0, 0.0, 4.0]))


def test_the_coherence_term_is_the_spread_of_a_photographs_layers():
    own = Whitening(12, 12)
    own.to_u.copy_(torch.eye(12))
    ws = torch.ones(2, 6, 12)
    ws[1, :3] = 3.0
    found = coherence_term(own)(ws, torch.zeros(2, 3, 16, 16), ROWS[:2])
    assert found.tolist() == [0.0, 1.0]


def test_the_encoder_term_is_zero_where_the_encoder_finds_the_code_again():
    ws, images = faces()
    assert encoder_term(lambda _: ws, torch.ones(12))(ws, images, ROWS[:2]).abs().max() == 0


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
