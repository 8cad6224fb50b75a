import math

import pytest
import torch

from tedigan.annotators.referee_network import (
    IdentitySoftmax,
    RefereeConfig,
    RefereeNetwork,
    attribute_loss,
)
from tedigan.annotators.trunk import NUM_FEATURES
from tedigan.errors import WeightsError
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES


def test_a_face_gives_a_logit_an_attribute_and_a_unit_embedding():
    torch.manual_seed(0)
    network = RefereeNetwork(RefereeConfig(64, 4, 8, ATTRIBUTE_NAMES))
    logits, embeddings = network(torch.randn(2, NUM_FEATURES))
    assert logits.shape == (2, 40)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(2))


def test_features_are_counted_in_the_deviations_of_the_photographs():
    torch.manual_seed(0)
    network = RefereeNetwork(RefereeConfig(64, 4, 8, ("Bald",))).eval()
    features = torch.randn(50, NUM_FEATURES)
    plain, _ = network(features)
    moved = 3 * features + 7
    network.standardise_as(moved)
    torch.testing.assert_close(network(moved)[0], plain, atol=0.2, rtol=0)


def test_config_survives_json_and_refuses_another_model():
    config = RefereeConfig(64, 4, 8, ("Bald", "Freckles"))
    assert RefereeConfig.from_json(config.to_json()) == config
    with pytest.raises(WeightsError, match="Run the stage train_referee"):
        RefereeConfig.from_json({"architecture": "stylegan2"})


def test_untaught_attributes_do_not_enter_the_loss():
    logits, truth = torch.zeros(2, 40), torch.zeros(2, 40).bool()
    is_taught = torch.arange(40) < 1
    expected = attribute_loss(logits, truth, torch.ones(40), is_taught)
    logits[:, 1:] = 50
    assert attribute_loss(logits, truth, torch.ones(40), is_taught) == expected


def test_unknown_people_do_not_enter_the_loss():
    people = IdentitySoftmax(3, 4)
    embeddings = torch.nn.functional.normalize(torch.rand(2, 4), dim=1)
    assert people(embeddings, torch.tensor([-1, -1])) == 0
    one = people(embeddings, torch.tensor([1, -1]))
    assert one == people(embeddings[:1], torch.tensor([1]))


def test_the_attribute_loss_is_cross_entropy_with_weighted_positives():
    logits = torch.tensor([[0.0, math.log(3)], [0.0, math.log(3)]])
    truth = torch.tensor([[True, False], [False, True]])
    loss = attribute_loss(logits, truth, torch.tensor([2.0, 5.0]), torch.ones(2).bool())
    # first attribute: 2 log 2 where it is there, log 2 where not; second: log 4, and 5 log(4 / 3)
    expected = (3 * math.log(2) / 2 + (math.log(4) + 5 * math.log(4 / 3)) / 2) / 2
    assert loss.item() == pytest.approx(expected)


def test_the_attribute_loss_is_a_mean_over_what_is_taught():
    logits = torch.tensor([[0.0, 7.0, math.log(3)]])
    truth = torch.zeros(1, 3).bool()
    for is_taught, expected in (
        ([True, False, True], (math.log(2) + math.log(4)) / 2),
        ([False, False, False], 0.0),
    ):
        loss = attribute_loss(logits, truth, torch.ones(3), torch.tensor(is_taught))
        assert loss.item() == pytest.approx(expected)


def test_the_identity_loss_is_a_softmax_over_sixteen_times_the_cosines():
    people = IdentitySoftmax(2, 2)
    people.prototypes.data = torch.tensor([[5.0, 0.0], [3.0, 4.0]])  # of any length
    embeddings = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    loss = people(embeddings, torch.tensor([1, 1, -1]))
    # cosines (1, 0.6) and (0, 0.8), the second person is the right one of both
    first, second = math.log1p(math.exp(16 * 0.4)), math.log1p(math.exp(-16 * 0.8))
    assert loss.item() == pytest.approx((first + second) / 2, rel=1e-5)
