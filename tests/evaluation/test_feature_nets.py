import importlib
import sys
import types

import pytest
import torch

from tedigan.errors import KeysError, WeightsError
from tedigan.evaluation.feature_nets import EfficientNetLite0
from tedigan.evaluation.perceptual_distance import PerceptualDistance
from tedigan.store.packaged_weights import (
    EFFICIENTNET,
    LPIPS_ALEX,
    STLPIPS_ALEX,
    load_alexnet_trunk,
    load_packaged,
)

CPU = torch.device("cpu")
IMAGES = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
OTHERS = IMAGES.flip(0) * 0.8


def random_trunk(monkeypatch):
    """lpips' own network with a random trunk, which is the only one that needs no download."""
    lpips = pytest.importorskip("lpips")
    torch.manual_seed(0)
    return lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)


@pytest.mark.filterwarnings("ignore")
def test_lpips_alex_equals_the_package(monkeypatch):
    theirs = random_trunk(monkeypatch)
    places = [f"{i}.{j}" for i, j in zip("12345", ("0", "3", "6", "8", "10"), strict=True)]
    trunk = {
        f"features.{place.split('.')[1]}.{kind}": theirs.net.state_dict()[f"slice{place}.{kind}"]
        for place in places
        for kind in ("weight", "bias")
    }
    ours = PerceptualDistance.lpips_alex(trunk, load_packaged(LPIPS_ALEX))
    with torch.no_grad():
        expected = theirs(IMAGES, OTHERS).flatten()
    assert torch.equal(ours(IMAGES, OTHERS), expected)  # the same network, filled by us


@pytest.mark.filterwarnings("ignore")
def test_stlpips_alex_equals_the_package(monkeypatch):
    for name in ("torchsummary", "IPython"):  # imported by the package, used for printing only
        stub = types.ModuleType(name)
        stub.summary = stub.embed = None
        monkeypatch.setitem(sys.modules, name, stub)
    package = importlib.import_module("stlpips_pytorch.stlpips")
    theirs = package.LPIPS(net="alex", variant="shift_tolerant", verbose=False)
    ours = PerceptualDistance.stlpips_alex(load_packaged(STLPIPS_ALEX))
    with torch.no_grad():
        expected = theirs(IMAGES, OTHERS).flatten()
    torch.testing.assert_close(ours(IMAGES, OTHERS), expected, rtol=1e-4, atol=1e-7)


def test_equal_images_have_distance_zero_and_small_ones_are_enlarged():
    distance = PerceptualDistance.stlpips_alex(load_packaged(STLPIPS_ALEX)).to(CPU)
    small = IMAGES[:, :, :16, :16]
    assert distance.name == "stlpips_alex"
    assert torch.equal(distance(small, small), torch.zeros(2))
    assert (distance(small, small.flip(3)) > 0).all()


def test_efficientnet_features_say_their_name_and_size():
    net = EfficientNetLite0.build(load_packaged(EFFICIENTNET), CPU, input_px=64)
    features = net(IMAGES)
    assert net.name == "efficientnet_lite0_64px"
    assert features.shape == (2, 1280)
    assert features.isfinite().all()


def test_a_missing_trunk_is_refused_with_advice(tmp_path):
    with pytest.raises(WeightsError, match="set null for stlpips_alex"):
        load_alexnet_trunk(tmp_path)


def test_another_networks_file_is_refused(tmp_path):
    torch.save({"weight": torch.zeros(1)}, tmp_path / "alexnet.pth")
    trunk = load_alexnet_trunk(tmp_path)
    with pytest.raises(KeysError, match="another network's file"):
        PerceptualDistance.lpips_alex(trunk, load_packaged(LPIPS_ALEX))


def test_a_package_that_is_not_installed_is_named():
    with pytest.raises(WeightsError, match="nowhere_to_be_found is not installed"):
        load_packaged(("nowhere_to_be_found", "weights.pth"))
