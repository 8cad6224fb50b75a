"""The network that makes label maps, and how its quality is stated."""

import math

import pytest
import torch

from tedigan.annotators.parser_network import (
    FaceParser,
    ParserConfig,
    class_weights,
    confusion,
    intersection_over_union,
    parsing_loss,
)
from tedigan.annotators.random_views import random_views
from tedigan.drawn import draw_face
from tedigan.errors import WeightsError
from tedigan.store.pictures import rasterise
from tedigan.tensors import stream, to_images
from tedigan.vocabulary.labels import LABEL_NAMES, colours_to_labels

SMALL = ParserConfig(input_px=32, base_channels=4)
SKIN, HAIR, L_EYE, R_EYE = (LABEL_NAMES.index(name) for name in ("skin", "hair", "l_eye", "r_eye"))


@pytest.mark.parametrize("size", [32, 50])
def test_logits_have_the_images_own_size(size: int) -> None:
    assert FaceParser(SMALL)(torch.zeros(2, 3, size, size + 6)).shape == (2, 19, size, size + 6)


def test_config_survives_json_and_refuses_another_model() -> None:
    assert ParserConfig.from_json(SMALL.to_json()) == SMALL
    with pytest.raises(WeightsError, match="Train one on a data set with label maps"):
        ParserConfig.from_json({"architecture": "referee"})


def test_rare_classes_weigh_more_and_absent_ones_nothing() -> None:
    labels = torch.tensor([[[0] * 90 + [SKIN] * 9 + [HAIR]]], dtype=torch.uint8)
    weights = class_weights(labels)
    assert weights[SKIN] == 1
    assert weights[0] == pytest.approx(math.sqrt(9 / 90))
    assert weights[HAIR] == 3
    assert int((weights > 0).sum()) == 3


@pytest.mark.parametrize(
    ("counts", "weights"), [((2000, 10, 1), (0.3, 1, 10**0.5)), ((2000, 1000, 1), (0.5**0.5, 1, 5))]
)
def test_no_class_weighs_more_than_five_or_less_than_three_tenths(
    counts: tuple[int, ...], weights: tuple[float, ...]
) -> None:
    pixels = [0] * counts[0] + [SKIN] * counts[1] + [HAIR] * counts[2]
    found = class_weights(torch.tensor([[pixels]], dtype=torch.uint8))
    assert found[[0, SKIN, HAIR]].tolist() == pytest.approx(weights)


def test_the_parsing_loss_is_a_mean_over_pixels_by_the_weight_of_their_class() -> None:
    logits = torch.zeros(1, 19, 1, 3)
    logits[0, HAIR, 0, 2] = math.log(6)
    labels = torch.tensor([[[0, SKIN, HAIR]]], dtype=torch.uint8)
    weights = torch.zeros(19)
    weights[SKIN], weights[HAIR] = 1.0, 3.0
    # log 19 for skin, log(24 / 6) for hair; the background weighs nothing
    expected = (math.log(19) + 3 * math.log(4)) / 4
    assert parsing_loss(logits, labels, weights).item() == pytest.approx(expected)


def test_a_photograph_and_its_map_are_moved_alike() -> None:
    labels = torch.zeros(8, 32, 32, dtype=torch.uint8)
    labels[:, 8:14, 6:12], labels[:, 8:14, 20:26] = R_EYE, L_EYE
    images = torch.tensor([-1.0, 0.1, 0.9])[(labels == R_EYE).int() + 2 * (labels == L_EYE).int()]
    views, moved = random_views(images[:, None].expand(-1, 3, -1, -1), labels, stream("views"))
    assert moved is not None
    assert moved.dtype == torch.uint8
    is_mirrored = []
    for image, map in zip(views[:, 0], moved, strict=True):
        background, right, left = (image[map == eye].mean() for eye in (0, R_EYE, L_EYE))
        columns = [(map == eye).nonzero()[:, 1].float().mean() for eye in (R_EYE, L_EYE)]
        assert columns[0] < columns[1]
        assert background < min(right, left) - 0.7
        is_mirrored.append(bool(right > left))
    assert 0 < sum(is_mirrored) < 8


def test_views_repeat_with_their_stream_and_differ_between_images() -> None:
    images = torch.rand(1, 3, 32, 32).expand(4, -1, -1, -1) * 2 - 1
    first, again = (random_views(images, None, stream("views"))[0] for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first[0], first[1])


def test_iou_is_right_over_either() -> None:
    truth = torch.tensor([[[0, 0, SKIN, SKIN]]], dtype=torch.uint8)
    found = torch.tensor([[[0, SKIN, SKIN, HAIR]]], dtype=torch.uint8)
    iou = intersection_over_union(confusion(found, truth))
    assert iou["background"] == 1 / 2
    assert iou["skin"] == 1 / 3
    assert iou["hair"] is None
    assert sum(value is None for value in iou.values()) == 17


def test_confusions_add_up_over_batches() -> None:
    generator = torch.Generator().manual_seed(0)
    found, truth = torch.randint(0, 19, (2, 4, 8, 8), generator=generator).to(torch.uint8)
    halves = sum(confusion(found[half], truth[half]) for half in (slice(0, 2), slice(2, 4)))
    assert torch.equal(halves, confusion(found, truth))


def test_it_learns_drawn_faces_in_seconds() -> None:
    faces = [draw_face(0, index) for index in range(16)]
    images = to_images(torch.stack([rasterise(face.svg, 32) for face in faces]))
    labels = torch.stack(
        [colours_to_labels(rasterise(face.label_svg, 32, is_label=True)) for face in faces]
    )
    torch.manual_seed(0)
    network = FaceParser(ParserConfig(input_px=32, base_channels=8))
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    weights = class_weights(labels)
    for _ in range(40):
        optimiser.zero_grad()
        parsing_loss(network(images), labels, weights).backward()
        optimiser.step()
    found = network(images).argmax(1).to(torch.uint8)
    iou = intersection_over_union(confusion(found, labels))
    assert min(iou[name] or 0 for name in ("background", "hair", "skin", "cloth")) > 0.5
