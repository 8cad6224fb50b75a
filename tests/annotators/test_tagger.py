"""A tagger's answers are those of the attributes that it proposes."""

import torch

from tedigan.annotators.tagger import Tagger
from tedigan.annotators.tagger_network import FaceTagger, TaggerConfig


def test_a_logit_is_compared_with_the_threshold_of_its_own_attribute() -> None:
    network = FaceTagger(TaggerConfig(16, 2, ("Bald", "Smiling", "Young"))).eval()
    network.head.weight.data.zero_()
    network.head.bias.data = torch.tensor([0.0, 1.0, 2.0])
    tagger = Tagger(network, {"Smiling": 0.5, "Young": 2.5}, "a test", torch.device("cpu"))
    assert tagger.names == ("Smiling", "Young")
    assert tagger.propose(torch.zeros(1, 3, 16, 16)).tolist() == [[True, False]]
