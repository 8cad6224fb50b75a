"""The encoder of TediGAN's base release, narrow but whole, becomes ours; other files are refused by name."""

import re
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tedigan.encoders.idinvert import IdinvertEncoder
from tedigan.errors import KeysError
from tedigan.foreign.dialects import idinvert_encoder, tedigan_base
from tedigan.foreign.dialects.foreign import ForeignModel
from tedigan.store.model_folders import fill
from tests.parity.filling import fill_shapes
from tests.parity.foreign_file import foreign_file

Tensors = dict[str, Tensor]


def file_tensors(size_px: int, *, base: int = 2, most: int = 4, w_dim: int = 3) -> Tensors:
    num_blocks = size_px.bit_length() - 3
    widths = [min(base * 2**k, most) for k in range(num_blocks + 1)]
    shapes = {"block0.conv.weight": [base, 3, 3, 3]} | norm("block0.bn", base)
    for k, (below, wide) in enumerate(pairwise(widths), start=1):
        if below != wide:
            shapes |= {f"block{k}.conv.weight": [wide, below, 1, 1]} | norm(f"block{k}.bn", wide)
        shapes |= {
            f"block{k}.conv1.weight": [below, below, 3, 3],
            f"block{k}.wscale1.bias": [below],
        }
        shapes |= {f"block{k}.conv2.weight": [wide, below, 3, 3], f"block{k}.wscale2.bias": [wide]}
        shapes |= norm(f"block{k}.bn1", below) | norm(f"block{k}.bn2", wide)
    last, num_values = f"block{num_blocks + 1}", (2 * num_blocks + 2) * w_dim
    shapes |= {f"{last}.fc.weight": [num_values, widths[-1] * 16]} | norm(f"{last}.bn", num_values)
    return fill_shapes(shapes)


def norm(place: str, channels: int) -> dict[str, list[int]]:
    names = ("weight", "bias", "running_mean", "running_var")
    return {f"{place}.bn.{name}": [channels] for name in names} | {
        f"{place}.bn.num_batches_tracked": []
    }


def translated(tmp_path, tensors: Tensors) -> ForeignModel:
    [model] = idinvert_encoder.translate(foreign_file(tmp_path, tensors))
    return model


def filled(model: ForeignModel) -> IdinvertEncoder:
    encoder = IdinvertEncoder.from_json(model.config).requires_grad_(False)
    fill(encoder, model.networks["encoder"], "theirs")
    return encoder


def test_the_encoder_is_recognised_and_a_generator_is_not(tmp_path):
    encoder = foreign_file(tmp_path, file_tensors(8))
    generator = foreign_file(tmp_path, {tedigan_base.MARK: torch.zeros(1)})
    assert [idinvert_encoder.recognises(file) for file in (encoder, generator)] == [True, False]
    assert not tedigan_base.recognises(encoder)


@pytest.mark.parametrize("size_px", [8, 32, 256])
def test_the_network_is_built_from_the_shapes_alone(tmp_path, size_px):
    encoder = filled(translated(tmp_path, file_tensors(size_px)))
    assert (encoder.input_size_px, encoder.w_dim) == (size_px, 3)
    images = torch.zeros(1, 3, size_px, size_px)
    assert encoder(images).shape == (1, 2 * size_px.bit_length() - 4, 3)


def test_batch_normalisation_with_its_statistics_is_in_the_weights(tmp_path):
    tensors = file_tensors(8, w_dim=1)
    encoder = filled(translated(tmp_path, tensors))

    def bn(x: Tensor, place: str) -> Tensor:
        names = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(tensors[f"{place}.bn.{name}"] for name in names))

    images = torch.randn(2, 3, 8, 8)
    first = bn(F.conv2d(images, tensors["block0.conv.weight"], padding=1), "block0.bn")
    features = torch.randn(2, 4 * 16)
    codes = bn(features @ tensors["block2.fc.weight"].T / 8, "block2.bn")
    assert torch.allclose(encoder.conv(images), first, atol=1e-5)
    assert torch.allclose(encoder.fc(features), codes, atol=1e-5)


def test_a_file_without_batch_counters_is_read(tmp_path):
    """PyTorch before 0.4.1 had none."""
    tensors = file_tensors(8)
    rest = {name: one for name, one in tensors.items() if "num_batches" not in name}
    ours, expected = translated(tmp_path, rest), translated(tmp_path, tensors)
    assert ours.networks["encoder"].keys() == expected.networks["encoder"].keys()


def test_notes_say_what_was_computed_and_assumed(tmp_path):
    notes = " ".join(translated(tmp_path, file_tensors(8)).notes)
    assert "folded" in notes
    assert "use_wscale" in notes


def test_every_missing_key_is_named(tmp_path):
    tensors = file_tensors(16)
    for name in tensors.keys() - idinvert_encoder.MARKS:
        if "num_batches" not in name:
            rest = {key: one for key, one in tensors.items() if key != name}
            with pytest.raises(KeysError, match=rf"{re.escape(name)}.*Download"):
                translated(tmp_path, rest)


def test_every_tensor_of_another_shape_is_refused(tmp_path):
    tensors = file_tensors(16)
    for name, tensor in tensors.items():
        for shape in ([*tensor.shape, 2], [2, *tensor.shape], [0]):
            with pytest.raises(KeysError, match=r"block\d\..*Download"):
                translated(tmp_path, tensors | {name: torch.zeros(shape)})


def test_a_key_too_many_is_named(tmp_path):
    with pytest.raises(KeysError, match=r"no place.*block1.attention"):
        translated(tmp_path, file_tensors(8) | {"block1.attention": torch.zeros(1)})


def test_an_encoder_without_batch_normalisation_is_refused(tmp_path):
    tensors = {name: one for name, one in file_tensors(8).items() if ".bn" not in name}
    with pytest.raises(KeysError, match=r"block0.bn.bn.weight is missing"):
        translated(tmp_path, tensors)


def test_a_last_layer_that_gives_no_whole_codes_is_refused(tmp_path):
    tensors = file_tensors(8) | {"block2.fc.weight": torch.zeros(13, 64)}
    with pytest.raises(
        KeysError, match=r"block2.fc.weight is \[13, 64\] after 1 blocks; expected 4 codes"
    ):
        translated(tmp_path, tensors)
