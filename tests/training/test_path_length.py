"""Path length regularisation, where a hand can follow it: a picture that is linear in its code."""

import math

import pytest
import torch
from torch import Tensor

from tedigan.tensors import stream
from tedigan.training.path_length import DECAY, PathLength


def pictures(slopes: Tensor) -> tuple[Tensor, Tensor]:
    """Every pixel of picture i is slopes[i] x the sum of its one code's two numbers."""
    ws = torch.zeros(len(slopes), 1, 2, requires_grad=True)
    brightness = slopes * ws.sum(dim=[1, 2])
    return brightness[:, None, None, None].expand(-1, 3, 8, 8), ws


def lengths(slopes: Tensor) -> Tensor:
    """|J^T y|: both numbers of the code have the gradient slope x sum y / 8."""
    noise = torch.randn(len(slopes), 3, 8, 8, generator=stream("y")).sum(dim=[1, 2, 3]) / 8
    return (slopes * noise).abs() * math.sqrt(2)


def test_the_penalty_is_the_squared_distance_from_the_running_mean() -> None:
    slopes, term = torch.tensor([0.5, 2.0]), PathLength()
    term.mean.fill_(3.0)
    found = term.penalty(*pictures(slopes), stream("y"))
    mean = 3 + DECAY * (lengths(slopes).mean() - 3)
    torch.testing.assert_close(term.mean, mean)
    torch.testing.assert_close(found, (lengths(slopes) - mean).square().mean())


@pytest.mark.parametrize("mean", [0.0, 100.0])
def test_it_pulls_a_path_towards_the_mean(mean: float) -> None:
    slope, term = torch.tensor([1.0], requires_grad=True), PathLength()
    term.mean.fill_(mean)
    (gradient,) = torch.autograd.grad(term.penalty(*pictures(slope), stream("y")), slope)
    assert (gradient > 0) == (mean == 0)
