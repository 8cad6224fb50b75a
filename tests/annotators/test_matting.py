"""Matting by an ONNX network of one convolution, written by hand. Needs the extra `onnx`."""

import importlib.util
import pickle
import sys
from pathlib import Path

import pytest
import torch

from tedigan.annotators import onnx_network as onnx_models
from tedigan.annotators.matting import FAMILIES, Matting
from tedigan.dataset.kinds.cutouts import cut_out
from tedigan.errors import DataError, WeightsError
from tests.annotators.onnx_made import onnx_file

needs_onnx = pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is None, reason="the extra `onnx` is not installed"
)


def photograph(size: int = 96) -> torch.Tensor:
    """A red person, who is the left half, before blue."""
    pixels = torch.zeros(3, size, size, dtype=torch.uint8)
    pixels[0, :, : size // 2] = 255
    pixels[2, :, size // 2 :] = 180
    return pixels


@needs_onnx
@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_network_calls_foreground_becomes_opaque(tmp_path: Path, family: str) -> None:
    matting = Matting.open(onnx_file(tmp_path / f"{family}.onnx", [0.1, 0.0, -0.1]))
    alpha = matting.alpha(photograph())
    assert alpha[:, :44].min() > 0.999
    assert alpha[:, 52:].max() < 0.001
    assert not cut_out(photograph(), alpha)[:, 50, 80].any()


@needs_onnx
def test_colours_are_normalised_as_the_family_was_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    run = onnx_models.OnnxNetwork.__call__
    monkeypatch.setattr(
        onnx_models.OnnxNetwork, "__call__", lambda self, x: (seen.append(x), run(self, x))[1]
    )
    for name in ("u2net", "isnet-general-use"):
        Matting.open(onnx_file(tmp_path / f"{name}.onnx", [1.0, 0.0, 0.0])).alpha(photograph())
    assert [x.shape for x in seen] == [(1, 3, 320, 320), (1, 3, 1024, 1024)]
    assert seen[0][0, :, 0, 0] == pytest.approx(
        [(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225]
    )
    assert seen[1][0, :, 0, 0] == pytest.approx([0.5, -0.5, -0.5])


@needs_onnx
def test_logits_become_shares(tmp_path: Path) -> None:
    pixels = photograph()
    pixels[:, :, 44:52] = 0
    weights = [9.0, 0.0, -9.0]  # black gives -3 between -31 and 36
    soft, hard = (
        Matting.open(onnx_file(tmp_path / f"{family}.onnx", weights)).alpha(pixels)[48, 48]
        for family in ("u2net", "birefnet")
    )
    assert 0.3 < soft < 0.5
    assert hard < 0.1


@needs_onnx
def test_an_export_of_a_fixed_size_is_given_that_size(tmp_path: Path) -> None:
    matting = Matting.open(onnx_file(tmp_path / "isnet.onnx", [1.0, 0.0, 0.0], side=64))
    assert matting.alpha(photograph(200)).shape == (200, 200)


@needs_onnx
def test_a_network_can_be_handed_to_a_worker(tmp_path: Path) -> None:
    matting = Matting.open(onnx_file(tmp_path / "u2net.onnx", [1.0, 0.0, 0.0]))
    alpha = matting.alpha(photograph())
    assert torch.equal(pickle.loads(pickle.dumps(matting)).alpha(photograph()), alpha)


@needs_onnx
def test_the_origin_names_file_and_digest(tmp_path: Path) -> None:
    origins = [
        Matting.open(onnx_file(tmp_path / name, weights)).origin
        for name, weights in (("u2net.onnx", [1.0, 0, 0]), ("u2netp.onnx", [2.0, 0, 0]))
    ]
    assert [origin.rsplit(" ", 1)[0] for origin in origins] == [
        "predicted by u2net",
        "predicted by u2netp",
    ]
    assert origins[0].rsplit(" ", 1)[1] != origins[1].rsplit(" ", 1)[1]


@needs_onnx
def test_a_photograph_in_which_nothing_stands_out_is_refused(tmp_path: Path) -> None:
    matting = Matting.open(onnx_file(tmp_path / "u2net.onnx", [0.0, 0, 0]))
    with pytest.raises(DataError, match="give a label map"):
        matting.alpha(photograph())


@needs_onnx
def test_a_damaged_file_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    whole = onnx_file(tmp_path / "u2net.onnx", [1.0, 0, 0])
    (tmp_path / "u2netp.onnx").write_bytes(whole.read_bytes()[:60])
    with pytest.raises(WeightsError, match="Copy it again"):
        Matting.open(tmp_path / "u2netp.onnx").alpha(photograph())
    with pytest.raises(WeightsError, match=r"path of an \.onnx file"):
        Matting.open(tmp_path / "silueta.onnx").alpha(photograph())


@pytest.mark.parametrize("name", ["model.onnx", "u2net.pth"])
def test_a_file_of_no_known_family_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(WeightsError, match="Name it after what it is"):
        Matting.open(tmp_path / name)


def test_without_the_extra_the_error_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(WeightsError, match=r"tedigan\[onnx\]"):
        Matting.open(tmp_path / "u2net.onnx").alpha(photograph())
