"""The network that proposes attributes, and what its answers are worth."""

import pytest
import torch

from tedigan.annotators.tagger_network import (
    FaceTagger,
    TaggerConfig,
    calibrate,
    f1_of,
    settle,
)
from tedigan.errors import WeightsError
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES, attributes_of

SMALL = TaggerConfig(input_px=32, base_channels=4, attribute_names=ATTRIBUTE_NAMES)
HAIR = ("Black_Hair", "Blond_Hair", "Bald")


@pytest.mark.parametrize("size", [32, 50])
def test_any_size_gives_a_logit_for_each_attribute(size: int) -> None:
    assert FaceTagger(SMALL).eval()(torch.zeros(2, 3, size, size)).shape == (2, 40)


def test_config_survives_json_and_refuses_another_model() -> None:
    assert TaggerConfig.from_json(SMALL.to_json()) == SMALL
    with pytest.raises(WeightsError, match="Train one on a data set with attributes"):
        TaggerConfig.from_json({"architecture": "referee"})


def test_the_threshold_has_the_best_f1_of_all() -> None:
    generator = torch.Generator().manual_seed(0)
    truth = torch.rand(200, generator=generator) < 0.3
    logits = (truth + torch.randn(200, generator=generator)).round(decimals=1)
    found = calibrate(logits, truth)
    every = [f1_of(logits > cut, truth) or 0 for cut in torch.arange(-4, 4, 0.05)]
    assert found.f1 == pytest.approx(max(every))
    assert f1_of(logits > found.threshold, truth) == pytest.approx(found.f1)


def test_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    logits = torch.tensor([3.0, 2.0, 1.0, 0.0, -1.0, -2.0])
    found = calibrate(logits, torch.tensor([True, False, True, True, False, False]))
    assert (found.precision, found.recall) == (3 / 4, 1.0)
    assert found.f1 == pytest.approx(2 * found.precision * found.recall / (1 + found.precision))
    assert found.threshold == -0.5
    assert found.positives == 3
    assert found.floor == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("positives", "noise", "is_proposed"), [(20, 0.01, True), (20, 50.0, False), (4, 0.01, False)]
)
def test_only_what_was_seen_often_and_found_well_is_proposed(
    positives: int, noise: float, is_proposed: bool
) -> None:
    truth = torch.arange(100) < positives
    logits = truth + noise * torch.randn(100, generator=torch.Generator().manual_seed(1))
    assert calibrate(logits, truth).is_proposed is is_proposed


def test_what_nearly_everybody_has_must_be_found_better_than_by_always_yes() -> None:
    truth = torch.arange(100) >= 10
    logits = torch.randn(100, generator=torch.Generator().manual_seed(2))
    found = calibrate(logits, truth)
    assert found.f1 > 0.9
    assert not found.is_proposed


@pytest.mark.parametrize("value", [True, False])
def test_what_all_or_none_have_is_not_proposed(value: bool) -> None:
    assert not calibrate(torch.zeros(20), torch.full((20,), value)).is_proposed


def test_of_attributes_that_exclude_each_other_the_surest_stays() -> None:
    margins = torch.full((40,), -1.0)
    for name, margin in {"Black_Hair": 0.5, "Bald": 0.2, "Bangs": 0.1, "Smiling": 2.0}.items():
        margins[ATTRIBUTE_NAMES.index(name)] = margin
    settled = settle(margins, ATTRIBUTE_NAMES, [HAIR, ("Bangs", "Bald")])
    assert torch.equal(settled, attributes_of(["Black_Hair", "Bangs", "Smiling"]))


def test_without_exclusions_every_margin_counts() -> None:
    margins = torch.linspace(-1, 1, 40)
    assert torch.equal(settle(margins, ATTRIBUTE_NAMES, []), margins > 0)
