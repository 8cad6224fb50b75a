"""A learned simplifier of sketches, as an ONNX network of one convolution. Needs the extra `onnx`."""

import importlib.util
from pathlib import Path

import pytest
import torch

from tedigan.annotators.simplifier import Simplifier
from tedigan.dataset.kinds.sketches import sketch_of
from tedigan.drawn import draw_face
from tedigan.errors import WeightsError
from tedigan.store.pictures import rasterise
from tests.annotators.onnx_made import onnx_file

needs_onnx = pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is None, reason="the extra `onnx` is not installed"
)


@needs_onnx
def test_a_drawing_of_any_size_comes_back_in_its_size(tmp_path: Path) -> None:
    simplify = Simplifier.open(onnx_file(tmp_path / "half.onnx", [0.5], bias=0.5))
    drawing = torch.rand(1, 1, 61, 70)
    torch.testing.assert_close(simplify(drawing), 0.5 * drawing + 0.5)


@needs_onnx
def test_the_sketch_is_what_the_simplifier_makes_of_the_edges(tmp_path: Path) -> None:
    pixels = rasterise(draw_face(0, 3).svg, 128)
    rough, gone = (
        sketch_of(
            pixels,
            64,
            simplify=Simplifier.open(onnx_file(tmp_path / f"{bias}.onnx", [1.0], bias=bias)),
        )
        for bias in (0.0, 1.0)
    )
    assert 0.05 < (rough < 128).float().mean() < 0.6
    assert int(gone.min()) == 255


@needs_onnx
def test_a_network_for_colours_is_refused(tmp_path: Path) -> None:
    simplify = Simplifier.open(onnx_file(tmp_path / "colours.onnx", [1.0, 1.0, 1.0]))
    with pytest.raises(WeightsError, match="Is it another network"):
        simplify(torch.ones(1, 1, 64, 64))


@needs_onnx
def test_the_origin_names_file_and_digest(tmp_path: Path) -> None:
    origin = Simplifier.open(onnx_file(tmp_path / "clean.onnx", [1.0])).origin
    assert origin.startswith("made from the image, simplified by clean ")


@pytest.mark.parametrize("name", ["sketch_gan.t7", "model.pt", "model.pth"])
def test_files_that_can_hold_programs_are_not_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(WeightsError, match=r"Export the simplifier with torch\.onnx"):
        Simplifier.open(tmp_path / name)
