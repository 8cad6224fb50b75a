"""Tuning a few layers to one photograph."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tedigan.errors import NumbersError, ParamsError
from tedigan.method.tuning import TuningSettings, tune
from tedigan.tensors import sample_z, stream
from tests.generator.nets import tiny_discriminator, tiny_generator

SETTINGS = TuningSettings(
    num_tuning_steps=20,
    tuning_learning_rate=0.02,
    tuning_blocks=[8, 16],
    tuning_mse=0.0,
    weight_pixel=1.0,
    weight_perceptual=0.0,
)


def pivot() -> tuple[Tensor, Tensor]:
    """A code, and a photograph that it does not draw."""
    ws = tiny_generator().ws_of(sample_z(0, [0], 16)).clone()
    drawn = tiny_generator().synthesis(ws)
    return ws, drawn + 0.5 * torch.randn(drawn.shape, generator=stream("photograph"))


def error(images: Tensor, photograph: Tensor) -> float:
    return (images - photograph).square().mean().item()


def test_tuning_brings_the_picture_closer_and_leaves_the_generator_as_it_is() -> None:
    (ws, photograph), generator = pivot(), tiny_generator()
    before = generator.synthesis(ws)
    tuned = tune(generator, None, ws, photograph, SETTINGS)
    assert error(tuned.draw(ws), photograph) < 0.9 * error(before, photograph)
    assert error(tuned.draw(ws), photograph) == pytest.approx(tuned.mean_squared_error)
    assert torch.equal(generator.synthesis(ws), before)


def test_only_the_named_blocks_learn_and_no_map_from_w() -> None:
    ws, photograph = pivot()
    tuned, own = tune(tiny_generator(), None, ws, photograph, SETTINGS), tiny_generator().synthesis
    assert {name.split(".")[0] for name in tuned.tensors} == {"b8", "b16"}
    assert not any("affine" in name for name in tuned.tensors)
    moved = [not torch.equal(tensor, own.get_parameter(n)) for n, tensor in tuned.tensors.items()]
    assert all(moved)


@pytest.mark.parametrize(("num_steps", "taken"), [(0, 0), (3, 3)])
def test_it_takes_its_steps_and_none_moves_nothing(num_steps: int, taken: int) -> None:
    ws, photograph = pivot()
    settings = replace(SETTINGS, num_tuning_steps=num_steps)
    tuned = tune(tiny_generator(), None, ws, photograph, settings)
    assert tuned.num_steps == taken
    assert torch.equal(tuned.draw(ws), tiny_generator().synthesis(ws)) == (taken == 0)


def test_it_stops_at_its_threshold() -> None:
    ws, photograph = pivot()
    before = error(tiny_generator().synthesis(ws), photograph)
    tuned = tune(
        tiny_generator(), None, ws, photograph, replace(SETTINGS, tuning_mse=0.97 * before)
    )
    assert 0 < tuned.num_steps < 20
    assert tuned.mean_squared_error <= 0.97 * before


def test_the_perceptual_term_counts() -> None:
    ws, photograph = pivot()
    settings = replace(SETTINGS, weight_pixel=0.0, weight_perceptual=1.0, num_tuning_steps=3)
    tuned = tune(tiny_generator(), tiny_discriminator(), ws, photograph, settings)
    assert not torch.equal(tuned.draw(ws), tiny_generator().synthesis(ws))


@pytest.mark.parametrize("blocks", [[], [128]])
def test_blocks_that_are_not_there_are_refused(blocks: list[int]) -> None:
    with pytest.raises(ParamsError, match="expected some of"):
        tune(tiny_generator(), None, *pivot(), replace(SETTINGS, tuning_blocks=blocks))


def test_a_tuning_that_diverges_says_so() -> None:
    settings = replace(SETTINGS, tuning_learning_rate=1e30)
    with pytest.raises(NumbersError, match="tuning_learning_rate"):
        tune(tiny_generator(), None, *pivot(), settings)
