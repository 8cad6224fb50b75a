import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tedigan.errors import ShapeError
from tedigan.evaluation.distances import frechet_distance, kernel_distance
from tedigan.tensors import stream


def normal(n, d, key, mean=0.0, scale=1.0):
    return torch.randn(n, d, generator=stream("frechet", key)) * scale + mean


@settings(deadline=None)
@given(st.integers(2, 40), st.integers(1, 20))
def test_a_set_has_distance_zero_to_itself_in_any_order(n, d):
    features = normal(n, d, "self")
    assert frechet_distance(features, features) == 0.0
    assert frechet_distance(features, features.flip(0)) == 0.0


@settings(deadline=None)
@given(st.integers(2, 30), st.integers(2, 30), st.integers(1, 20))
def test_the_distances_are_symmetric(n, m, d):
    ours, theirs = normal(n, d, "a"), normal(m, d, "b", mean=1.0)
    for distance in (frechet_distance, kernel_distance):
        assert distance(ours, theirs) == pytest.approx(distance(theirs, ours), rel=1e-9, abs=1e-9)


def test_one_dimension_gives_the_closed_form():
    ours = torch.tensor([[0.0], [2.0]])  # mean 1, variance 2
    theirs = torch.tensor([[4.0], [12.0]])  # mean 8, variance 32
    expected = (8 - 1) ** 2 + (32**0.5 - 2**0.5) ** 2
    assert frechet_distance(ours, theirs) == pytest.approx(expected)


@pytest.mark.parametrize("n", [8, 200])
def test_it_equals_the_matrix_square_root(n):
    scipy_linalg = pytest.importorskip("scipy.linalg")
    ours, theirs = normal(n, 16, "x").double(), normal(n, 16, "y", mean=0.3, scale=1.5).double()
    one, other = torch.cov(ours.T), torch.cov(theirs.T)
    root = scipy_linalg.sqrtm((one @ other).numpy() + 0j)
    expected = (ours.mean(0) - theirs.mean(0)).square().sum() + (one + other).trace()
    expected = float(expected) - 2 * float(root.trace().real)
    # the square root of a singular product is only good to about 1e-5
    assert frechet_distance(ours, theirs) == pytest.approx(expected, rel=1e-4)


def test_one_image_has_no_distance():
    with pytest.raises(ShapeError, match=r"Raise evaluate\.num_images"):
        frechet_distance(torch.rand(1, 4), torch.rand(5, 4))
    with pytest.raises(ShapeError, match="2 of each"):
        kernel_distance(torch.rand(5, 4), torch.rand(1, 4))


def test_the_kernel_distance_is_about_zero_for_one_distribution_and_grows_with_a_shift():
    ours = normal(300, 8, "k")
    assert abs(kernel_distance(ours, normal(300, 8, "l"))) < 0.1
    assert kernel_distance(ours, normal(300, 8, "m", mean=1.0)) > 1


def test_the_kernel_distance_has_its_closed_form():
    ours, theirs = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [2.0]])
    # (x y + 1)^3: 1 within each set, off the diagonal; between them 1, 1, 1 and 27
    assert kernel_distance(ours, theirs) == pytest.approx(1 + 1 - 2 * 30 / 4)


def test_the_kernel_divides_by_the_number_of_features():
    # (2 / 2 + 1)^3 = 8 within the first, 1 within the second and between them
    assert kernel_distance(torch.ones(3, 2), torch.zeros(2, 2)) == pytest.approx(8 + 1 - 2)


def test_the_distance_of_axes_that_do_not_mix_is_the_sum_of_theirs():
    ours = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
    theirs = ours * torch.tensor([3.0, 0.5]) + torch.tensor([1.0, -2.0])
    variances = torch.tensor([2 / 3, 8 / 3])
    spread = (variances * torch.tensor([2.0, 0.5]).square()).sum().item()  # (3 - 1)^2, (1 - 0.5)^2
    assert frechet_distance(ours, theirs) == pytest.approx(1 + 4 + spread)
