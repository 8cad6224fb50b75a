"""The bank: of the codes that fit a text best, chance takes one."""

import pytest
import torch

from tedigan.method.bank import Bank
from tests.generator.nets import TINY, tiny_generator
from tests.method.test_steering import linear_tagger

WISH = torch.tensor([[1.0, 0, -1]])


@pytest.fixture(scope="module")
def bank() -> Bank:
    generator = tiny_generator()
    return Bank.of(generator, linear_tagger(generator), size=500, truncation_psi=0.7)


def test_chosen_codes_are_among_the_best(bank: Bank) -> None:
    short = torch.stack([9 - bank.margins[:, 0], 9 + bank.margins[:, 2]]).clamp_min(0)
    lacking = short.square().sum(dim=0)
    best = bank.w[lacking.topk(10, largest=False).indices]
    chosen = bank.choose(WISH.expand(30, -1), range(30), seed=0, margin=9.0, best=10, lack=0.0)
    found = {tuple(row) for row in chosen.tolist()}
    assert found <= {tuple(row) for row in best.tolist()}
    assert len(found) > 5


def test_image_i_starts_where_its_seed_and_number_say(bank: Bank) -> None:
    many = bank.choose(WISH.expand(5, -1), range(5), seed=3, margin=1.0, best=50, lack=0.0)
    one = bank.choose(WISH, [4], seed=3, margin=1.0, best=50, lack=0.0)
    assert torch.equal(many[4:], one)
    other = bank.choose(WISH.expand(5, -1), range(5), seed=4, margin=1.0, best=50, lack=0.0)
    assert not torch.equal(many, other)


def test_where_nothing_is_wished_any_code_will_do(bank: Bank) -> None:
    chosen = bank.choose(torch.zeros(40, 3), range(40), seed=0, margin=1.0, best=1, lack=0.0)
    assert len({tuple(row.tolist()) for row in chosen}) > 30


def test_a_bank_is_always_the_same_and_truncated() -> None:
    generator = tiny_generator()
    tagger = linear_tagger(generator)
    whole, half = (Bank.of(generator, tagger, size=30, truncation_psi=psi) for psi in (1.0, 0.5))
    again = Bank.of(generator, tagger, size=30, truncation_psi=1.0)
    assert torch.equal(whole.w, again.w)
    mean = generator.mapping.w_avg
    torch.testing.assert_close(half.w - mean, (whole.w - mean) / 2)
    assert whole.w.shape == (30, TINY.w_dim)


def test_a_smaller_bank_is_the_beginning_of_a_larger_one() -> None:
    generator = tiny_generator()
    tagger = linear_tagger(generator)
    few, many = (Bank.of(generator, tagger, size=n, truncation_psi=1.0) for n in (10, 40))
    assert torch.equal(few.w, many.w[:10])


def test_any_code_that_fits_well_enough_may_be_chosen_however_few_best_ones_are_asked_for(
    bank: Bank,
) -> None:
    lacking = (1 - bank.margins[:, 0]).clamp_min(0).square() + (1 + bank.margins[:, 2]).clamp_min(
        0
    ).square()
    fitting = {tuple(row) for row in bank.w[lacking <= 0.5].tolist()}
    assert 10 < len(fitting) < 400
    wish = WISH.expand(40, -1)
    chosen = bank.choose(wish, range(40), seed=0, margin=1.0, best=1, lack=0.5)
    found = {tuple(row) for row in chosen.tolist()}
    assert found <= fitting
    assert len(found) > 5
