import pytest
import torch

from tedigan.annotators.referee_network import (
    IdentitySoftmax,
    RefereeConfig,
    RefereeNetwork,
    attribute_loss,
    augment,
)
from tedigan.errors import WeightsError
from tedigan.tensors import stream
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES


@pytest.mark.parametrize("resolution", [32, 64, 256, 1024])
def test_any_resolution_gives_a_logit_an_attribute_and_unit_embeddings(resolution):
    torch.manual_seed(0)
    referee = RefereeNetwork(RefereeConfig(resolution, 4, 8, ATTRIBUTE_NAMES))
    logits, embeddings = referee(torch.rand(2, 3, resolution, resolution) * 2 - 1)
    assert logits.shape == (2, 40)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(2))


def test_it_looks_at_128_px_at_most():
    assert RefereeConfig(1024, 4, 8, ("Bald",)).input_px == 128
    assert RefereeConfig(64, 4, 8, ("Bald",)).input_px == 64


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


def test_augmentation_repeats_with_its_stream_and_differs_between_images():
    images = torch.rand(1, 3, 32, 32).expand(4, -1, -1, -1) * 2 - 1
    first, again = (augment(images, stream("augment")) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first[0], first[1])
