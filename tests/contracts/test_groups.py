"""Tests of one group run in one process, so that what they share is made once."""

import os

import pytest

pytestmark = pytest.mark.xdist_group("of its own")


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="needs more than one process")
def test_a_test_of_a_group_is_known_by_it(request: pytest.FixtureRequest) -> None:
    """As pytest-xdist names it for its scheduler; pytest 9.2 gives a node no other name."""
    assert request.node.nodeid.endswith("@of its own")
