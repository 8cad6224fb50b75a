"""What the text encoder learns from, and on which photographs its relevance is measured."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.encoders.text import TextBackbone, layer_relevance
from tedigan.method.control import relevant_layers
from tedigan.models.opening import load_text_encoder
from tedigan.models.text_backbones import load_text_model
from tedigan.stages import train_text_encoder
from tedigan.store.model_folders import load_tensors, save_tensors
from tedigan.training.text_encoder_trainer import read_pairs
from tedigan.workspace import Workspace
from tests.dataset import datasets_made
from tests.stages.small import small_workspace, write_codes

CPU = torch.device("cpu")


def trained(root: Path, moved_split: str | None = None) -> tuple[Workspace, dict[str, Tensor]]:
    """A few steps on drawn codes, those of one split elsewhere; and the encoder's tensors."""
    root.mkdir()
    workspace = small_workspace(root)
    write_codes(workspace)
    if moved_split is not None:
        path = workspace.codes / "codes.safetensors"
        codes = load_tensors(path)
        codes["ws"][Dataset.open(workspace.dataset).split(moved_split)] *= -2
        save_tensors(path, codes)
    train_text_encoder.run(workspace)
    return workspace, load_tensors(workspace.model("text_encoder") / "text_encoder.safetensors")


def differing(one: dict[str, Tensor], other: dict[str, Tensor]) -> set[str]:
    return {name for name in one if not torch.equal(one[name], other[name])}


def test_relevance_is_measured_on_val_and_all_else_learnt_on_train(tmp_path: Path) -> None:
    _, plain = trained(tmp_path / "plain")
    assert differing(plain, trained(tmp_path / "val", "val")[1]) == {"relevance"}
    assert differing(plain, trained(tmp_path / "test", "test")[1]) == set()
    assert {"ws_mean", "ws_std", "out.weight"} <= differing(
        plain, trained(tmp_path / "train", "train")[1]
    )


def test_the_statistics_are_the_train_codes_and_the_layers_follow_the_relevance(
    tmp_path: Path,
) -> None:
    workspace, tensors = trained(tmp_path / "w")
    data = Dataset.open(workspace.dataset)
    codes = load_tensors(workspace.codes / "codes.safetensors")["ws"]
    train, val = (codes[data.split(name)] for name in ("train", "val"))
    torch.testing.assert_close(tensors["ws_mean"], train.mean(dim=0))
    torch.testing.assert_close(tensors["ws_std"], train.std(dim=0))
    folder = workspace.model("text_encoder")
    predicted = load_text_encoder(folder, CPU).ws([data.captions(i)[0] for i in data.split("val")])
    expected = layer_relevance(predicted, val, tensors["ws_mean"])
    torch.testing.assert_close(tensors["relevance"], expected, atol=1e-4, rtol=1e-3)
    layers = relevant_layers(
        tensors["relevance"], share=workspace.params.train_text_encoder.relevance_share
    )
    assert json.loads((folder / "config.json").read_text())["text_layers"] == layers


@pytest.mark.parametrize("count", [1, 2])
def test_each_photograph_comes_with_as_many_captions_as_it_is_told(
    tmp_path: Path, count: int
) -> None:
    data, _ = datasets_made.run(tmp_path / "w", source="drawn", num_images=8, kinds=["text"])
    workspace = datasets_made.workspace(tmp_path / "w")
    ws = torch.arange(8.0)[:, None, None].expand(8, 6, 2)
    save_tensors(workspace.codes / "codes.safetensors", {"ids": torch.arange(8), "ws": ws})
    known = load_tensors(workspace.codes / "codes.safetensors")
    backbone = TextBackbone(*load_text_model("all-MiniLM-L6-v2", CPU))
    embeddings, codes = read_pairs(data, "train", known, backbone, captions_per_image=count)
    ids = [id for id in data.split("train") for _ in range(count)]
    assert codes[:, 0, 0].tolist() == ids
    captions = [caption for id in data.split("train") for caption in data.captions(id)[:count]]
    expected = torch.cat(list(backbone.embed(captions)))
    torch.testing.assert_close(embeddings, expected, atol=1e-5, rtol=1e-4)
