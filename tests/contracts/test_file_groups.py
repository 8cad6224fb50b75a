"""A file that names no group is one."""

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="needs more than one process")
def test_the_tests_of_a_file_are_a_group(request: pytest.FixtureRequest) -> None:
    assert request.node.nodeid.endswith("@tests/contracts/test_file_groups.py")
