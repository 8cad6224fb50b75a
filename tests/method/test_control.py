import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tedigan.errors import ParamsError, ShapeError
from tedigan.method.control import (
    free_layers,
    goals,
    in_words,
    layers_of,
    mix_layers,
    relevant_layers,
    wishes_of,
)

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


PRESENT = torch.tensor([[-2.0, -0.5, 0.4, 3.0]])


def goal(wish: float, strength: float, margin: float = 1.0) -> list[float]:
    wishes = torch.full((1, 4), float(wish))
    return goals(PRESENT, wishes, torch.tensor([strength]), margin=margin)[0].tolist()


def test_at_strength_one_a_named_attribute_goes_a_margin_beyond_and_what_is_there_stays():
    assert goal(1, 1.0) == [1.0, 1.0, 1.0, 3.0]
    assert goal(-1, 1.0) == [-2.0, -1.0, -1.0, -1.0]
    assert goal(1, 1.0, margin=2.0) == [2.0, 2.0, 2.0, 3.0]


def test_strength_nothing_and_an_unnamed_attribute_stay_where_they_are():
    assert goal(1, 0.0) == PRESENT[0].tolist()
    assert goal(0, 3.0) == PRESENT[0].tolist()


def test_each_unit_beyond_one_goes_a_deviation_further():
    assert goal(1, 3.0) == [3.0, 3.0, 3.0, 5.0]


def test_a_negative_strength_is_the_contrary_wish():
    for strength in (0.5, 1.0, 2.5):
        assert goal(1, -strength) == goal(-1, strength)


@given(strengths=st.lists(st.floats(-3, 3), min_size=2, max_size=2, unique=True))
@settings(deadline=None, max_examples=50)
def test_goals_rise_with_strength_and_do_not_jump(strengths):
    low, high = sorted(strengths)
    steps = [b - a for a, b in zip(goal(1, low), goal(1, high), strict=True)]
    assert all(-1e-5 <= step <= 4.0 * (high - low) + 1e-5 for step in steps)


@pytest.mark.parametrize("strength", [3.5, -4.0, float("nan")])
def test_a_strength_out_of_range_is_refused(strength):
    with pytest.raises(ParamsError, match=r"expected numbers in -3\.\.3"):
        goal(1, strength)


def test_what_a_sentence_states_is_wished_what_it_denies_is_not_and_the_unknown_is_left_out():
    readings = [{"Bald": True, "Smiling": False, "Freckles": True}, {}]
    wishes = wishes_of(readings, ("Smiling", "Young", "Bald"))
    assert wishes.tolist() == [[-1, 0, 1], [0, 0, 0]]
    assert in_words(readings[0]) == "Bald, not Smiling, Freckles"


def test_layers_of_several_attributes_are_those_of_each():
    acts = torch.tensor([[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]]).bool()
    wishes = torch.tensor([[1.0, 0, 0], [0, -1, 0], [1, 1, 0], [0, 0, 0]])
    assert layers_of(wishes, acts)[:, :, 0].tolist() == [
        [1, 0, 0, 0],
        [0, 1, 1, 0],
        [1, 1, 1, 0],
        [0, 0, 0, 0],
    ]
    assert free_layers(acts) == [3]


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
