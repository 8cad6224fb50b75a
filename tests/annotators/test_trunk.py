"""The frozen trunk: what it sees of a face, and where."""

import pytest
import torch

from tedigan.annotators.trunk import GRID, KEPT, NUM_FEATURES, Trunk
from tedigan.store.packaged_weights import EFFICIENTNET, load_packaged


@pytest.fixture(scope="module")
def trunk() -> Trunk:
    return Trunk.build(load_packaged(EFFICIENTNET), torch.device("cpu"))


def test_its_last_map_is_the_package_s(trunk: Trunk) -> None:
    images = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(0)) * 2 - 1
    features = trunk.stages(images)
    assert features.shape == (2, NUM_FEATURES)
    torch.testing.assert_close(features[:, -1280:], trunk.last(images))


def test_a_kept_map_says_in_which_cell_a_thing_is(trunk: Trunk) -> None:
    """A spot in the first cell changes that cell of the earliest map more than the farthest one."""
    plain = torch.zeros(1, 3, 128, 128)
    spotted = plain.clone()
    spotted[:, :, 8:24, 8:24] = 1
    change = (trunk.stages(spotted) - trunk.stages(plain)).abs()[0]
    first = change[: KEPT[4] * GRID**2].reshape(KEPT[4], GRID, GRID).sum(0)
    assert first.argmax() == 0
    assert first[0, 0] > 10 * first[-1, -1]
