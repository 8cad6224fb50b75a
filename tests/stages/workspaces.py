"""Workspaces that many tests look at, made once."""

import pytest

from tedigan.stages import train_referee
from tests.stages.small import small_workspace, write_models
from tests.stages.toy import TINY_REFEREE, toy_workspace


@pytest.fixture(scope="session")
def toy_referee(tmp_path_factory):
    """A toy workspace with a referee trained for a few seconds, and the stage's outcome."""
    workspace = toy_workspace(
        tmp_path_factory.mktemp("referee"),
        num_images=360,
        faces_per_person=6,
        train_referee=TINY_REFEREE | {"num_steps": 200, "weight_identity": 1.0},
        evaluate={"num_prompts": 40, "num_images": 30, "batch_size": 16},
    )
    return workspace, train_referee.run(workspace)


@pytest.fixture(scope="session")
def untrained(tmp_path_factory):
    """A small workspace with the models of `write_models`."""
    workspace = small_workspace(tmp_path_factory.mktemp("untrained"))
    write_models(workspace)
    return workspace
