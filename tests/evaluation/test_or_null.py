"""A metric that cannot tell is null by rule, and says so."""

import pytest

from tedigan.evaluation.metric import Metric, or_null


def metric(value, floor, ceiling, ci=None, better="up"):
    return Metric("m", value, 9, better, "As it is measured.", floor, ceiling, ci)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (metric(0.97, 0.5, 0.9, (0.92, 0.99)), "(found: 0.97): it passes its ceiling 0.9"),
        (metric(0.91, 0.5, 0.9), "passes its ceiling"),
        (metric(20.0, 90.0, 30.0, better="down"), "(found: 20): it passes its ceiling 30"),
        (
            metric(0.6, 0.88, 0.9, (0.57, 0.62)),
            "(found: 0.6): its floor 0.88 reaches its ceiling 0.9",
        ),
        (metric(0.6, 0.95, 0.9, (0.59, 0.61)), "reaches its ceiling"),
        (metric(0.6, 0.9, 0.9), "reaches its ceiling"),
        (metric(2.0, 0.1, 0.2, better="down"), "reaches its ceiling"),
    ],
)
def test_a_value_that_cannot_tell_is_null_and_says_why(given, why):
    judged = or_null(given)
    assert (judged.value, judged.ci) == (None, None)
    assert (judged.floor, judged.ceiling, judged.n) == (given.floor, given.ceiling, 9)
    assert judged.protocol.startswith("As it is measured. Not told ")
    assert why in judged.protocol


@pytest.mark.parametrize(
    "given",
    [
        metric(0.8, 0.5, 0.9, (0.78, 0.82)),
        metric(0.92, 0.5, 0.9, (0.88, 0.96)),  # its interval holds the ceiling
        metric(0.4, 0.5, 0.9, (0.3, 0.5)),  # worse than the floor is told
        metric(60.0, 90.0, 30.0, better="down"),
        metric(1.0, 0.0, 1.0, (1.0, 1.0)),
        metric(0.3, None, None),
        metric(None, 0.5, 0.5),
        metric(0.31, 0.29, 0.29, better="near ceiling"),
    ],
)
def test_a_value_that_tells_stays(given):
    assert or_null(given) == given
