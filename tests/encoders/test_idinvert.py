import pytest
import torch

from tedigan.encoders.idinvert import IdinvertEncoder
from tedigan.errors import ShapeError, WeightsError


def tiny() -> IdinvertEncoder:
    torch.manual_seed(0)
    return IdinvertEncoder(16, w_dim=5, channel_base=4, channel_max=8)


def test_a_photograph_becomes_a_code_for_each_layer_of_a_generator_of_its_size():
    encoder = tiny()
    ws = encoder(torch.randn(2, 3, 16, 16))
    assert ws.shape == (2, encoder.num_ws, encoder.w_dim) == (2, 6, 5)


def test_training_mode_changes_nothing():
    encoder, images = tiny(), torch.randn(2, 3, 16, 16)
    assert torch.equal(encoder.train()(images), encoder.eval()(images))


def test_a_code_does_not_depend_on_the_other_photographs():
    encoder, images = tiny(), torch.randn(3, 3, 16, 16)
    assert torch.allclose(encoder(images)[1], encoder(images[1:2])[0], atol=1e-5)


def test_photographs_of_another_size_are_refused_with_advice():
    with pytest.raises(ShapeError, match=r"32 px.*takes 16 px.*resize"):
        tiny()(torch.zeros(1, 3, 32, 32))


def test_gradients_reach_every_weight():
    encoder = tiny()
    encoder(torch.randn(2, 3, 16, 16)).square().sum().backward()
    assert [n for n, p in encoder.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_config_survives_json():
    encoder = tiny()
    again = IdinvertEncoder.from_json(encoder.to_json())
    assert again.to_json() == encoder.to_json()
    assert again.state_dict().keys() == encoder.state_dict().keys()


def test_a_config_that_lacks_a_number_is_refused():
    config = tiny().to_json()
    with pytest.raises(WeightsError, match=r"w_dim.*Import the weights again"):
        IdinvertEncoder.from_json({k: v for k, v in config.items() if k != "w_dim"})


def test_a_size_that_is_no_power_of_two_is_refused():
    with pytest.raises(ShapeError, match="power of two"):
        IdinvertEncoder.from_json(tiny().to_json() | {"input_size_px": 100})
