"""The 19 classes of a label map."""

from pathlib import Path

import pytest
import torch

from tedigan.errors import LabelError
from tedigan.store.pictures import decode_map
from tedigan.vocabulary.labels import (
    LABEL_NAMES,
    LABEL_PALETTE,
    colours_to_labels,
    labels_to_colours,
    merge_masks,
    mirror_labels,
    one_hot,
    resize_labels,
)

SAMPLES = Path(__file__).parents[3] / "shared/data/celebamask-samples"
ALL = torch.arange(19, dtype=torch.uint8).reshape(1, 1, 19)


def test_every_class_has_a_colour_of_its_own() -> None:
    assert len(LABEL_NAMES) == 19
    assert len(set(LABEL_PALETTE.values())) == 19


def test_colours_read_back_every_class() -> None:
    assert torch.equal(colours_to_labels(labels_to_colours(ALL)[0]), ALL[0])


def test_a_colour_of_no_class_is_refused() -> None:
    pixels = labels_to_colours(ALL)[0]
    pixels[:, 0, 3] += 1
    with pytest.raises(LabelError, match="Save it as PNG"):
        colours_to_labels(pixels)


def test_one_hot_has_one_plane_a_class() -> None:
    planes = one_hot(ALL)
    assert planes.shape == (1, 19, 1, 19)
    assert torch.equal(planes.argmax(1), ALL.long())
    assert torch.equal(planes.sum(1), torch.ones(1, 1, 19))


def test_an_index_above_18_is_refused() -> None:
    with pytest.raises(LabelError, match="class indices"):
        one_hot(torch.full((1, 2, 2), 19, dtype=torch.uint8))


def test_later_classes_cover_earlier_ones() -> None:
    skin, nose = torch.ones(2, 2, dtype=torch.bool), torch.eye(2, dtype=torch.bool)
    assert merge_masks({"nose": nose, "skin": skin}).tolist() == [[2, 1], [1, 2]]


def test_masks_of_two_sizes_are_refused() -> None:
    masks = {"skin": torch.ones(2, 2, dtype=torch.bool), "nose": torch.ones(3, 3, dtype=torch.bool)}
    with pytest.raises(LabelError, match="one size"):
        merge_masks(masks)


def test_a_mask_of_an_unknown_class_is_refused() -> None:
    with pytest.raises(LabelError, match="unknown classes"):
        merge_masks({"beard": torch.ones(2, 2, dtype=torch.bool)})


def test_resizing_invents_no_class() -> None:
    labels = torch.tensor([[[1, 13], [13, 17]]], dtype=torch.uint8).repeat_interleave(8, 1)
    small = resize_labels(labels, 5)
    assert small.shape == (1, 5, 5)
    assert set(small.unique().tolist()) <= {1, 13, 17}


def test_the_mirror_image_of_a_left_eye_is_a_right_eye() -> None:
    index = {name: LABEL_NAMES.index(name) for name in LABEL_NAMES}
    row = [index[name] for name in ("r_brow", "l_ear", "skin", "l_lip", "l_eye")]
    expected = [index[name] for name in ("r_eye", "l_lip", "skin", "r_ear", "l_brow")]
    labels = torch.tensor([[row]], dtype=torch.uint8)
    assert mirror_labels(labels).tolist() == [[expected]]
    assert torch.equal(mirror_labels(mirror_labels(ALL)), ALL)


@pytest.mark.shared
def test_the_left_eye_of_celebamask_is_on_the_right_of_the_picture() -> None:
    if not SAMPLES.is_dir():
        pytest.skip(f"no label maps at {SAMPLES}")
    for path in sorted(SAMPLES.glob("*.png")):
        labels = decode_map(path.read_bytes())
        columns = [
            (labels == LABEL_NAMES.index(name)).nonzero()[:, 1].float().mean()
            for name in ("r_brow", "r_eye", "l_eye", "l_brow")
        ]
        assert max(columns[:2]) < labels.shape[1] / 2 < min(columns[2:])
