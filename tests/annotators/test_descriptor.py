"""dlib's face descriptor. Needs the extra `align`."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

from tedigan.annotators.descriptor import FaceDescriptor, _cut, load_descriptor
from tedigan.errors import WeightsError
from tedigan.store import packaged_weights, pictures
from tedigan.store.shelves import TarShelf
from tedigan.tensors import to_images

PHOTOGRAPHS = Path(__file__).parents[3] / "shared/data/celebahq-256-val/CelebA-HQ-img.tar"
HAS_DLIB = all(map(importlib.util.find_spec, ("dlib", "face_recognition_models")))
needs_dlib = pytest.mark.skipif(not HAS_DLIB, reason="the extra `align` is not installed")


@pytest.fixture(scope="module")
def descriptor() -> FaceDescriptor:
    return load_descriptor()


@needs_dlib
def test_a_picture_of_any_size_has_128_numbers(descriptor: FaceDescriptor) -> None:
    for side in (64, 300):
        assert descriptor(torch.zeros(1, 3, side, side)).shape == (1, 128)
    assert descriptor(torch.zeros(0, 3, 64, 64)).shape == (0, 128)


@needs_dlib
@pytest.mark.shared
def test_one_person_is_nearer_to_oneself_in_the_mirror_than_to_others(
    descriptor: FaceDescriptor,
) -> None:
    if not PHOTOGRAPHS.is_file():
        pytest.skip(f"no photographs at {PHOTOGRAPHS}")
    shelf = TarShelf(PHOTOGRAPHS)
    names = ("00029.jpg", "07391.jpg", "14686.jpg", "22492.jpg")
    images = to_images(torch.stack([pictures.decode(shelf.read(name)) for name in names]))
    who, mirrored = descriptor(images), descriptor(images.flip(3))
    distances = torch.cdist(who, mirrored)
    others = distances[~torch.eye(4).bool()]
    assert distances.diagonal().max() < 0.45 < 0.6 < others.min()


def test_the_cut_lies_where_dlib_s_does() -> None:
    """The face: from 0.158 to 0.850 of the width, from 0.268 to 0.959 of the height."""
    places = torch.linspace(-1, 1, 256)
    across = places.expand(1, 3, 256, 256)
    for ramp, first, last in (
        (across, 2 * 0.1585 - 1, 2 * 0.8495 - 1),
        (across.mT, 2 * 0.2675 - 1, 2 * 0.9585 - 1),
    ):
        cut = _cut(ramp.contiguous())
        assert cut.min().item() == pytest.approx(first, abs=0.02)
        assert cut.max().item() == pytest.approx(last, abs=0.02)


def test_other_weights_than_the_pinned_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "some_package/models").mkdir(parents=True)
    (tmp_path / "some_package/__init__.py").touch()
    file = tmp_path / "some_package/models/weights.dat"
    monkeypatch.syspath_prepend(str(tmp_path))
    place = ("some_package", "models/weights.dat", "0" * 64)
    for content in (None, b"other"):
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(WeightsError, match=r"Install it again from requirements\.lock"):
            packaged_weights.packaged_file(place)


@needs_dlib
def test_without_dlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(WeightsError, match=r"dlib-bin.*tedigan\[align\]"):
        load_descriptor()
