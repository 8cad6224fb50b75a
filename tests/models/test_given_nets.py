"""Networks that published figures are made with, of files as people have them, with random values."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tedigan.errors import KeysError, WeightsError
from tedigan.models.given_nets import (
    OFFICIAL_INCEPTION,
    Inception,
    empty_inception,
    open_clip,
    open_inception,
)

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def inception_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As pytorch-fid's: without counts of batches, with a last layer."""
    path = tmp_path_factory.mktemp("inception") / "inception.pth"
    tensors = {
        name: torch.randn_like(tensor) * 0.02 if tensor.ndim == 4 else torch.ones_like(tensor)
        for name, tensor in empty_inception().state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    torch.save(tensors | {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}, path)
    return path


def test_an_inception_file_gives_pool3_of_pictures_of_any_size(inception_file: Path) -> None:
    opened = open_inception(inception_file, CPU)
    features = opened(torch.zeros(1, 3, 16, 16))
    assert features.shape == (1, 2048)
    assert torch.isfinite(features).all()
    assert not opened.is_official
    assert opened.name == f"inception_v3_{opened.sha256[:12]}"


def test_only_the_official_file_gives_what_may_be_called_fid() -> None:
    assert Inception(None, f"{OFFICIAL_INCEPTION}{'0' * 56}", CPU).is_official
    assert not Inception(None, f"0{OFFICIAL_INCEPTION}{'0' * 55}", CPU).is_official


@pytest.mark.parametrize(("block", "pool"), [("Mixed_5b", "mean"), ("Mixed_7c", "largest")])
def test_the_last_branch_of_a_block_pools_as_tensorflow_does(block: str, pool: str) -> None:
    network = empty_inception()
    module = getattr(network, block)
    channels = module.branch1x1.conv.in_channels
    x = torch.randn(1, channels, 3, 3)
    with torch.no_grad():
        corner = x[:, :, :2, :2].flatten(2)
        pooled = corner.mean(dim=2) if pool == "mean" else corner.amax(dim=2)
        wanted = module.branch_pool(pooled[:, :, None, None])
        found = module(x)[:, -wanted.shape[1] :, :1, :1]
    torch.testing.assert_close(found, wanted)


def test_pictures_are_resized_without_half_pixels(inception_file: Path) -> None:
    """By TensorFlow 1, two columns 0 and 255 become 299 that rise to the middle and stay there."""
    seen: list[Tensor] = []

    def network(pictures: Tensor) -> Tensor:
        seen.append(pictures)
        return torch.zeros(len(pictures), 2048)

    columns = torch.tensor([-1.0, 1.0]).expand(1, 3, 2, 2)
    Inception(network, "0" * 64, CPU)(columns)
    row = seen[0][0, 0, 0] * 128 + 128
    assert row[0] == 0
    assert float(row[149]) == pytest.approx(255 * 149 * 2 / 299, abs=1e-3)
    assert (row[150:] == 255).all()


def test_another_network_s_file_is_named_as_that(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"conv.weight": torch.zeros(1)}, path)
    with pytest.raises(KeysError, match=r"1 tensors, of which 0 of .*expected the network of 2015"):
        open_inception(path, CPU)


def tiny_clip(folder: Path) -> Path:
    """A CLIP of random values that knows letters, as transformers writes one."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

    folder.mkdir(parents=True)
    letters = [*"abcdefghijklmnopqrstuvwxyz.,"]
    words = [*letters, *(f"{one}</w>" for one in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt")).save_pretrained(folder)
    sizes = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_attention_heads": 2,
        "num_hidden_layers": 1,
    }
    text = sizes | {
        "vocab_size": len(words),
        "max_position_embeddings": 24,
        "bos_token_id": len(words) - 2,
        "eos_token_id": len(words) - 1,
        "pad_token_id": len(words) - 1,
    }
    vision = sizes | {"image_size": 16, "patch_size": 8}
    torch.manual_seed(0)
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8))
    model.save_pretrained(folder)
    CLIPImageProcessor(size=16, crop_size=16).save_pretrained(folder)
    return folder


def test_a_clip_folder_gives_directions_of_pictures_and_of_long_sentences(tmp_path: Path) -> None:
    clip = open_clip(tiny_clip(tmp_path / "clip"), CPU)
    pictures = torch.rand(3, 3, 20, 20) * 2 - 1
    images, texts = clip.of_images(pictures), clip.of_texts(["she is young.", "a" * 200])
    for found, n in ((images, 3), (texts, 2)):
        assert found.shape == (n, 8)
        torch.testing.assert_close(found.norm(dim=1), torch.ones(n))
    torch.testing.assert_close(clip.of_images(pictures[1:2]), images[1:2], atol=1e-5, rtol=0)
    assert clip.name.startswith("clip_")


def test_a_folder_without_a_clip_is_refused_and_nothing_is_downloaded(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"(?s)is no CLIP that transformers can open: .*Name such a"
    ):
        open_clip(tmp_path, CPU)
