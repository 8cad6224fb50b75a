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


@given(amount=st.floats(0, 2))
@settings(deadline=None, max_examples=10)
def test_mixing_moves_its_layers_by_the_amount_and_the_others_not_at_all(amount):
    content, style = codes(0), codes(1)
    moved = mix_layers(content, style, [1, 4], amount=amount) - content
    assert torch.allclose(moved[:, [1, 4]], amount * (style - content)[:, [1, 4]], atol=1e-5)
    assert moved[:, [0, 2, 3, 5]].abs().max() == 0


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


def test_a_shift_points_where_the_text_does():
    shift = text_shift(codes(0), codes(1)[0], torch.full((6, 3), 0.5), strength=1.5)
    wanted = codes(0) - codes(1)[0]
    assert torch.allclose(
        torch.cosine_similarity(shift.flatten(1), wanted.flatten(1)), torch.ones(2)
    )


@given(strength=st.floats(0, 3))
@settings(deadline=None, max_examples=10)
def test_the_shifts_length_is_the_strength_in_deviations_of_each_coordinate(strength):
    std = torch.linspace(0.1, 2.0, 18).reshape(6, 3)
    shift = text_shift(codes(0), codes(1)[0], std, strength=strength)
    lengths = (shift / std).square().mean(dim=[1, 2]).sqrt()
    assert torch.allclose(lengths, torch.tensor(strength), atol=1e-5)


@pytest.mark.parametrize(
    ("says", "length"), [(0.1, 1.5), (0.05, 1.5), (0.025, 0.75), (0.001, 0.03)]
)
def test_below_a_twentieth_of_a_deviation_the_length_stays_in_proportion(says, length):
    """says: how far the text is from the neutral one, in deviations."""
    std = torch.full((6, 3), 2.0)
    shift = text_shift(torch.full((1, 6, 3), says * 2), torch.zeros(6, 3), std, strength=1.5)
    assert torch.allclose(shift / std, torch.full((1, 6, 3), length), rtol=1e-4)


@given(layers=LAYERS, strength=st.floats(0, 2))
@settings(deadline=None, max_examples=20)
def test_an_edit_moves_only_its_layers_and_in_proportion_to_its_strength(layers, strength):
    content, std = codes(0), torch.ones(6, 3)
    once = text_shift(codes(1), codes(2)[0], std, strength=1.0)
    shift = text_shift(codes(1), codes(2)[0], std, strength=strength)
    moved = shift_layers(content, shift, sorted(layers)) - content
    for layer in range(6):
        expected = strength * once[:, layer] * (layer in layers)
        assert torch.allclose(moved[:, layer], expected, atol=1e-5)


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


@pytest.mark.parametrize(
    ("share", "layers"), [(0.0, [0, 1, 2, 3]), (0.25, [1, 2, 3]), (0.3, [1, 2]), (1.0, [2])]
)
def test_a_layer_is_relevant_from_its_share_of_the_largest_on(share, layers):
    assert relevant_layers(torch.tensor([0.0, 0.25, 0.5, 0.125]), share=share) == layers


def test_without_any_relevance_all_layers_are_kept():
    assert relevant_layers(torch.zeros(3), share=0.5) == [0, 1, 2]
