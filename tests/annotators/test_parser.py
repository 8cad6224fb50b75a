"""Face parsers from folders: our own, and SegFormer checkpoints with classes in any order."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from tedigan.annotators.parser import classes_of, load_parser
from tedigan.annotators.parser_network import FaceParser, ParserConfig
from tedigan.errors import WeightsError
from tedigan.store.model_folders import save_model
from tedigan.vocabulary.labels import LABEL_NAMES

CPU = torch.device("cpu")


def own_parser(folder: Path) -> FaceParser:
    torch.manual_seed(0)
    network = FaceParser(ParserConfig(input_px=16, base_channels=2))
    save_model(folder, {"parser": network}, network.config.to_json(), "A parser.\n")
    return network


def segformer(folder: Path, names: list[str]) -> Any:
    """A random checkpoint. transformers is imported here, after tedigan has mended torchvision."""
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    torch.manual_seed(0)
    config = SegformerConfig(
        num_encoder_blocks=2,
        depths=[1, 1],
        sr_ratios=[8, 4],
        hidden_sizes=[8, 16],
        patch_sizes=[7, 3],
        strides=[4, 2],
        num_attention_heads=[1, 2],
        mlp_ratios=[2, 2],
        decoder_hidden_size=8,
        id2label=dict(enumerate(names)),
        label2id={name: index for index, name in enumerate(names)},
    )
    network = SegformerForSemanticSegmentation(config)
    network.save_pretrained(folder)
    return network.eval()


def test_our_own_folder_gives_what_the_network_says(tmp_path: Path) -> None:
    network = own_parser(tmp_path)
    parser = load_parser(str(tmp_path), CPU)
    images = torch.rand(3, 3, 40, 40) * 2 - 1
    labels = parser.parse(images)
    assert (labels.shape, labels.dtype) == ((3, 40, 40), torch.uint8)
    assert torch.equal(labels, network(images).argmax(1).to(torch.uint8))
    assert torch.equal(pickle.loads(pickle.dumps(parser)).parse(images), labels)


def test_the_origin_names_the_model_and_its_digest(tmp_path: Path) -> None:
    own_parser(tmp_path / "own")
    segformer(tmp_path / "face-parsing", list(LABEL_NAMES))
    own, other = (
        load_parser(str(tmp_path / name), CPU).origin.split(" ") for name in ("own", "face-parsing")
    )
    assert own[:3] == ["predicted", "by", "parser"]
    assert other[:3] == ["predicted", "by", "face-parsing"]
    assert len(own[3]) == len(other[3]) == 12


def test_a_segformer_s_classes_are_mapped_by_their_names(tmp_path: Path) -> None:
    ours, shuffled = list(LABEL_NAMES), [*reversed(LABEL_NAMES)]
    segformer(tmp_path / "ours", ours)
    segformer(tmp_path / "shuffled", [f"{name}.png" for name in shuffled])
    images = torch.rand(2, 3, 64, 48) * 2 - 1
    first, second = (
        load_parser(str(tmp_path / name), CPU).parse(images) for name in ("ours", "shuffled")
    )
    assert first.shape == (2, 64, 48)
    assert len(first.unique()) > 1
    assert torch.equal(first, 18 - second)


def test_unknown_classes_are_refused_by_name() -> None:
    with pytest.raises(WeightsError, match=r"\['wall'\].*Correct id2label"):
        classes_of({0: "background", 1: "wall"})
    with pytest.raises(WeightsError, match="no class `background`"):
        classes_of({0: "skin", 1: "hair"})


def test_pickled_weights_are_not_read(tmp_path: Path) -> None:
    network = segformer(tmp_path, list(LABEL_NAMES))
    (tmp_path / "model.safetensors").unlink()
    torch.save(network.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(WeightsError, match=r"model\.safetensors"):
        load_parser(str(tmp_path), CPU)


def test_a_hub_id_is_not_downloaded_unasked() -> None:
    with pytest.raises(WeightsError, match="allow a hub id to be downloaded"):
        load_parser("nobody/no-such-parser", CPU)


def test_a_folder_of_another_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "referee"}))
    with pytest.raises(WeightsError, match="expected a parser's"):
        load_parser(str(tmp_path), CPU)
