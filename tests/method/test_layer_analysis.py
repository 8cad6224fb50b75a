"""Layers: gain lies where an attribute is drawn, and an attribute that is not drawn has no layer."""

from dataclasses import replace

import torch
from torch import Tensor

from tedigan.method.layer_analysis import MIN_GAIN, LayerTable, analyse_layers, layer_table
from tedigan.method.steering import Steering
from tests.generator.nets import tiny_generator
from tests.method.test_steering import NAMES, SETTINGS, brightness, codes, linear_tagger


def measuring(look: object = brightness) -> Steering:
    generator = tiny_generator()
    tagger = linear_tagger(generator)
    tagger.deviation.fill_(0.01)
    layers = torch.ones(len(NAMES), generator.num_ws, dtype=torch.bool)
    settings = replace(SETTINGS, num_search_steps=40)
    return Steering(generator, tagger, layers, look, settings)


def measured(look: object = brightness) -> LayerTable:
    steering = measuring(look)
    found = list(analyse_layers(steering, codes(steering, 12), batch_size=5))
    return layer_table(NAMES, found, seed=0)


def test_an_attribute_that_no_picture_shows_has_no_layer_and_control_may_use_all() -> None:
    table = measured()
    assert not table.acts[1:].any()
    assert table.used[1:].all()
    assert table.gain[1:].abs().max() == 0


def test_gain_and_leak_are_changes_of_the_picture_on_that_layer_alone() -> None:
    """Where a guide sees what one layer draws only, all gain is that layer's."""
    table = measured()
    assert table.gain[0].abs().max() > 0
    assert (table.gain_low <= table.gain).all()
    assert (table.gain <= table.gain_high).all()
    assert (table.leak >= 0).all()


def test_a_gain_is_what_the_shift_changes_on_its_layer_alone() -> None:
    steering = measuring()
    ws = codes(steering, 4)
    gains, _ = next(analyse_layers(steering, ws, batch_size=4))

    def seen(codes_of: Tensor) -> Tensor:
        images = steering.generator.synthesis(codes_of, noise_mode="const").clamp(-1, 1)
        return (brightness(images, None) / steering.tagger.deviation)[:, 0]

    side = -seen(ws).sign()
    wishes = torch.zeros(4, len(NAMES))
    wishes[:, 0] = side
    shift = steering.steer(ws, wishes) - ws
    for layer in range(ws.shape[1]):
        moved = ws.clone()
        moved[:, layer] += shift[:, layer]
        torch.testing.assert_close(
            gains[:, layer], (seen(moved) - seen(ws)) * side, atol=1e-3, rtol=1e-3
        )


def test_a_layer_acts_by_an_absolute_test_of_its_intervals_lower_end() -> None:
    low = torch.tensor([[MIN_GAIN + 0.01, MIN_GAIN - 0.01, 5.0], [0.0, 0.0, 0.0]])
    table = LayerTable(("a", "b"), low + 1, low, low + 2, low)
    assert table.acts.tolist() == [[True, False, True], [False, False, False]]
    assert table.used.tolist() == [[True, False, True], [True, True, True]]


def test_intervals_narrow_with_more_faces() -> None:
    def width(n: int) -> float:
        gains: Tensor = torch.randn(n, 4, generator=torch.Generator().manual_seed(0)) + 1
        table = layer_table(("a",), [(gains, gains.abs())], seed=0)
        return (table.gain_high - table.gain_low).mean().item()

    assert width(400) < 0.5 * width(25)
