import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tedigan.errors import ShapeError
from tedigan.method.control import MIN_SHIFT, mix_layers, relevant_layers, shift_layers, text_shift

LAYERS = st.sets(st.integers(0, 5))


def codes(seed: int) -> torch.Tensor:
    return torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(seed))


@given(layers=LAYERS)
@settings(deadline=None, max_examples=30)
def test_control_replaces_only_the_named_layers(layers):
    content, style = codes(0), codes(1)
    mixed = mix_layers(content, style, sorted(layers))
    for layer in range(6):
        source = style if layer in layers else content
        assert torch.allclose(mixed[:, layer], source[:, layer], atol=1e-6)


@given(layers=LAYERS, amount=st.floats(0, 2))
@settings(deadline=None, max_examples=30)
def test_mixing_with_itself_changes_nothing(layers, amount):
    content = codes(0)
    assert torch.equal(mix_layers(content, content, sorted(layers), amount=amount), content)


def test_amount_is_continuous_from_content_to_style():
    content, style = codes(0), codes(1)
    half = mix_layers(content, style, range(6), amount=0.5)
    assert torch.allclose(half, (content + style) / 2, atol=1e-6)


def test_a_neutral_text_shifts_nothing():
    neutral = codes(1)[0]
    shift = text_shift(neutral.expand(2, -1, -1), neutral, torch.ones(6, 3), strength=2.0)
    assert shift.abs().max() == 0


def test_every_text_that_says_something_shifts_by_the_same_length():
    neutral, std = codes(1)[0], torch.full((6, 3), 0.5)
    text = neutral + codes(0) * torch.tensor([1.0, 10.0])[:, None, None]
    shift = text_shift(text, neutral, std, strength=1.5)
    assert torch.allclose((shift / std).square().mean(dim=[1, 2]).sqrt(), torch.tensor(1.5))


def test_a_text_that_says_next_to_nothing_is_not_blown_up():
    neutral = codes(1)[0]
    text = neutral + torch.full((1, 6, 3), MIN_SHIFT / 10)
    shift = text_shift(text, neutral, torch.ones(6, 3), strength=1.0)
    assert torch.allclose(shift, torch.full((1, 6, 3), 0.1), atol=1e-5)


def test_a_shift_leaves_the_other_layers():
    content, shift = codes(0), codes(1)
    shifted = shift_layers(content, shift, [2])
    assert torch.equal(shifted[:, [0, 1, 3, 4, 5]], content[:, [0, 1, 3, 4, 5]])
    assert torch.allclose(shifted[:, 2], content[:, 2] + shift[:, 2], atol=1e-6)


def test_a_layer_that_does_not_exist_is_refused_with_what_to_set():
    with pytest.raises(ShapeError, match=r"num_ws=6.*style_layers"):
        mix_layers(codes(0), codes(1), [6])


def test_relevant_layers_are_those_near_the_largest():
    assert relevant_layers(torch.tensor([0.1, 0.3, 0.6, 0.2]), share=0.5) == [1, 2]


def test_without_any_relevance_all_layers_are_kept():
    assert relevant_layers(torch.zeros(3), share=0.5) == [0, 1, 2]
