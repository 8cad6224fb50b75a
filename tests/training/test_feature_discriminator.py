"""The discriminator on frozen features: what learns, what stays, and what it tells a generator."""

import pytest
import torch
from torch import Tensor

from tedigan.annotators.trunk import Trunk
from tedigan.store.packaged_weights import EFFICIENTNET_LITE1, load_packaged
from tedigan.tensors import stream
from tedigan.training.feature_discriminator import CHANNELS, GRID, TAPPED, FeatureDiscriminator
from tedigan.training.ranks import descend

PX = 64


@pytest.fixture(scope="module")
def trunk() -> Trunk:
    return Trunk.build(
        load_packaged(EFFICIENTNET_LITE1), torch.device("cpu"), name="efficientnet-lite1"
    )


@pytest.fixture
def features(trunk: Trunk) -> FeatureDiscriminator:
    torch.manual_seed(0)
    made = FeatureDiscriminator(trunk, PX)
    made.scale_to(stripes(8))
    return made


def stripes(n: int, *, along: int = 3) -> Tensor:
    """Bright and dark bands, of a phase for each picture."""
    phase = torch.rand(n, 1, 1, 1, generator=stream("phase")) * 6
    places = torch.arange(PX).float().reshape([1, 1, -1, 1] if along == 2 else [1, 1, 1, -1])
    return torch.sin(places * 0.7 + phase).expand(n, 3, PX, PX)


def logits(features: FeatureDiscriminator, images: Tensor) -> Tensor:
    return torch.stack([one.mean() for one in features.judge(features.maps(images))])


def test_every_depth_judges_every_cell(features: FeatureDiscriminator) -> None:
    found = features.judge(features.maps(stripes(2)))
    assert [tuple(one.shape) for one in found] == [(2, 4)] + [(2, GRID**2)] * (len(TAPPED) - 1)


def test_the_depths_weigh_alike(features: FeatureDiscriminator) -> None:
    """A map's own scale does not count: ten times the map and ten times its deviation are judged alike."""
    maps = features.maps(stripes(8))
    for one, deviation in zip(maps, features.deviations, strict=True):
        assert (one / deviation).std().item() == pytest.approx(1, rel=1e-4)
    features.eval()  # spectral norms stay as they are
    before = features.judge(maps)
    features.deviations[1] *= 10
    after = features.judge([one * 10 if depth == 1 else one for depth, one in enumerate(maps)])
    for found, expected in zip(after, before, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_a_small_picture_is_enlarged_and_a_large_one_made_smaller(trunk: Trunk) -> None:
    for px, seen in [(32, 64), (128, 128), (1024, 256)]:
        assert FeatureDiscriminator(trunk, px).maps(torch.zeros(1, 3, px, px))[0].shape == (
            1,
            TAPPED[0],
            seen // 2,
            seen // 2,
        )


def test_every_head_learns_to_tell_two_kinds_apart(features: FeatureDiscriminator) -> None:
    photographs, images = stripes(8), stripes(8, along=2)
    optimiser = torch.optim.Adam([one for one in features.parameters() if one.requires_grad], 0.002)
    for index in range(12):
        descend(optimiser, features.loss(photographs, images, stream("loss", index)))
    assert (logits(features, photographs) > logits(features, images) + 0.1).all()
    # so that a generator whose pictures pass for photographs has the smaller loss
    fooled, seen_through = (
        features.generator_loss(made, stream("view")) for made in (photographs, images)
    )
    assert fooled < seen_through - 0.1


def test_only_the_heads_learn(features: FeatureDiscriminator) -> None:
    before = {name: tensor.clone() for name, tensor in features.state_dict().items()}
    trunk = {name: tensor.clone() for name, tensor in features.trunk.network.state_dict().items()}
    optimiser = torch.optim.SGD([one for one in features.parameters() if one.requires_grad], 0.1)
    descend(optimiser, features.loss(stripes(4), stripes(4, along=2), stream("loss")))
    moved = {
        name for name, tensor in features.state_dict().items() if not tensor.equal(before[name])
    }
    assert {name.split(".")[0] for name in moved} == {"heads"}
    for depth in range(len(TAPPED)):
        assert any(name.startswith(f"heads.{depth}.") for name in moved), depth
    for name, tensor in features.trunk.network.state_dict().items():
        assert tensor.equal(trunk[name]), name


def test_its_state_is_without_the_trunk(features: FeatureDiscriminator) -> None:
    sizes = [tensor.numel() for tensor in features.state_dict().values()]
    assert max(sizes) <= CHANNELS * CHANNELS * 16
    assert {name.split(".")[0] for name in features.state_dict()} == {
        "across",
        "down",
        "heads",
        "deviations",
    }


def test_it_pulls_a_picture_towards_what_the_heads_take_for_a_photograph(
    features: FeatureDiscriminator,
) -> None:
    picture = stripes(2, along=2).clone().requires_grad_(True)
    before = features.generator_loss(picture, stream("view"))
    (gradient,) = torch.autograd.grad(before, picture)
    after = features.generator_loss(picture - 0.5 * gradient.sign() * 0.02, stream("view"))
    assert after < before - 0.01
