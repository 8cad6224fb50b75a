"""What torch.save writes comes back bit for bit, from both of its containers, and other files are named."""

import argparse
import collections
import json
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tedigan.errors import KeysError, WeightsError
from tedigan.foreign.pickles import torch_names
from tedigan.foreign.pickles.storages import TensorRef
from tedigan.foreign.pickles.torch_files import TorchFile, read_torch_file
from tedigan.foreign.pickles.values import Inert
from tests.foreign.torch_containers import (
    archive,
    called,
    checkpoint,
    number,
    numbers,
    storage_id,
    stream,
    tensor,
    text,
    zipped,
)

KEYS = Path(__file__).parents[3] / "shared" / "facts" / "checkpoint-keys"
BOTH = pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "stream"])


def save(path: Path, content: Any, is_zip: bool, protocol: int = 2) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=is_zip, pickle_protocol=protocol)
    return path


def read(tmp_path: Path, content: Any, is_zip: bool = True, protocol: int = 2) -> TorchFile:
    return read_torch_file(save(tmp_path / "net.pt", content, is_zip, protocol))


def read_bytes(tmp_path: Path, data: bytes, **options: Any) -> TorchFile:
    path = tmp_path / "net.pt"
    path.write_bytes(data)
    return read_torch_file(path, **options)


def assert_same(got: dict[str, torch.Tensor], want: dict[str, torch.Tensor]) -> None:
    assert list(got) == list(want)
    for key in want:
        assert got[key].dtype == want[key].dtype, key
        assert got[key].shape == want[key].shape, key
        assert got[key].is_contiguous(), key
        assert torch.equal(got[key], want[key]), key


# Tensors


@BOTH
def test_every_dtype_survives(tmp_path: Path, is_zip: bool) -> None:
    values = torch.tensor([[0.0, 1.5, -2.0], [3.0, 100.0, 7.0]])
    kinds = ("float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool").split()
    tensors = {kind: values.to(getattr(torch, kind)) for kind in kinds}
    assert_same(read(tmp_path, tensors, is_zip).state_dict(), tensors)


@BOTH
def test_bits_survive_that_are_no_numbers(tmp_path: Path, is_zip: bool) -> None:
    bits = torch.tensor([0x7FC00001, -1, 0x7F800000, 1], dtype=torch.int32)
    got = read(tmp_path, {"x": bits.view(torch.float32)}, is_zip).state_dict()["x"]
    assert torch.equal(got.view(torch.int32), bits)


def test_a_bool_of_any_byte_is_one_of_two(tmp_path: Path) -> None:
    """A bool tensor that holds a 2 is undefined behaviour in torch."""
    content = checkpoint(x=tensor(storage_id("0", 4, kind="torch.BoolStorage"), 0, (4,), (1,)))
    got = read_bytes(tmp_path, archive(content, {"0": bytes([0, 1, 2, 255])})).state_dict()["x"]
    assert got.view(torch.uint8).tolist() == [0, 1, 1, 1]


@BOTH
def test_views_of_every_kind_come_out_contiguous(tmp_path: Path, is_zip: bool) -> None:
    big = torch.randn(2, 3, 4, 5)
    tensors = {
        "transposed": big.transpose(0, 3),
        "sliced": big[:, 1:, ::2, 3:],
        "channels_last": big.to(memory_format=torch.channels_last),
        "one number": big[1, 2, 3, 4],
        "expanded": big[0, :1, 0, :1].expand(4, 6),
        "nothing": big[5:],
        "empty": torch.empty(0, 3),
        "counter": torch.tensor(7),
    }
    assert_same(read(tmp_path, tensors, is_zip).state_dict(), tensors)


@BOTH
def test_tensors_that_share_a_storage_come_out_apart(tmp_path: Path, is_zip: bool) -> None:
    big = torch.arange(12.0)
    tensors = {"first": big[:6], "second": big[6:].reshape(2, 3)}
    got = read(tmp_path, tensors, is_zip).state_dict()
    assert_same(got, tensors)
    assert got["first"].untyped_storage().nbytes() == 24


@BOTH
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_network_comes_back_in_every_protocol(
    tmp_path: Path, is_zip: bool, protocol: int
) -> None:
    """With `_metadata`, which torch hangs on a state dict, parameters, and batch norm's counter."""
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    content = {"net": net.state_dict(), "parameters": dict(net.named_parameters())}
    file = read(tmp_path, content, is_zip, protocol)
    assert_same(file.state_dict("net"), net.state_dict())
    assert_same(file.state_dict("parameters"), {k: v.data for k, v in net.named_parameters()})


def test_copies_outlive_the_file(tmp_path: Path) -> None:
    got = read(tmp_path, {"x": torch.ones(4)}).state_dict()["x"]
    (tmp_path / "net.pt").write_bytes(b"")
    got += 1
    assert got.sum() == 8


def test_tensors_stay_in_the_file_until_they_are_asked_for(tmp_path: Path) -> None:
    content = read(tmp_path, {"net": {"x": torch.ones(2, 3)}}).content
    ref = content["net"]["x"]  # type: ignore[index]
    assert isinstance(ref, TensorRef)
    assert ref.size == (2, 3)
    assert ref.storage.dtype == torch.float32


# What else is in checkpoints


class EasyDict(dict):  # type: ignore[type-arg]
    """As easydict's: the items are attributes too."""

    def __init__(self, **items: Any) -> None:
        super().__init__(items)
        self.__dict__.update(items)


@BOTH
@pytest.mark.parametrize("protocol", [2, 4])
def test_settings_become_plain_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_zip: bool, protocol: int
) -> None:
    easydict = types.ModuleType("easydict")
    monkeypatch.setitem(sys.modules, "easydict", easydict)
    monkeypatch.setattr(EasyDict, "__module__", "easydict")
    easydict.EasyDict = EasyDict  # type: ignore[attr-defined]
    args = argparse.Namespace(size=256, path=Path("/data/faces"), device=torch.device("cuda", 1))
    content = {
        "args": args,
        "simple": types.SimpleNamespace(a=1),
        "opts": EasyDict(lr=1e-4, deep=EasyDict(on=True)),
        "ordered": OrderedDict(a=None, b="é"),
        "counter": collections.Counter("aab"),
        "default": collections.defaultdict(list, a=[1]),
        "none": collections.defaultdict(None),
        "shape": torch.Size([1, 2]),
        "dtype": torch.float16,
        "cpu": torch.device("cpu"),
        "set": {"only"},
        "tuple": (1, (2.5, -3), 2**40, -(2**70)),
        "numpy": [np.float64(0.5), np.int64(-3), np.bool_(True), np.float32(2), np.uint16(9)],
        "state": {0: "zero", 140737353: "id"},
    }
    assert read(tmp_path, content, is_zip, protocol).content == {
        "args": {"size": 256, "path": "/data/faces", "device": "cuda:1"},
        "simple": {"a": 1},
        "opts": {"lr": 1e-4, "deep": {"on": True}},
        "ordered": {"a": None, "b": "é"},
        "counter": {"a": 2, "b": 1},
        "default": {"a": [1]},
        "none": {},
        "shape": [1, 2],
        "dtype": "torch.float16",
        "cpu": "cpu",
        "set": ["only"],
        "tuple": [1, [2.5, -3], 2**40, -(2**70)],
        "numpy": [0.5, -3, True, 2.0, 9],
        "state": {"0": "zero", "140737353": "id"},
    }


@BOTH
def test_values_that_are_not_needed_stay_inert(tmp_path: Path, is_zip: bool) -> None:
    content = read(tmp_path, {"array": np.arange(3), "raw": b"\0\xff"}, is_zip, 3).content
    assert all(isinstance(value, Inert) for value in content.values())


@BOTH
def test_optimizers_are_read(tmp_path: Path, is_zip: bool) -> None:
    net = nn.Linear(2, 3)
    optimizer = torch.optim.Adam(net.parameters(), betas=(0.0, 0.99))
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    file = read(tmp_path, {"g_optim": optimizer.state_dict()}, is_zip)
    state = file.state_dict("g_optim", "state", "0")
    assert_same(state, optimizer.state_dict()["state"][0])
    assert file.content["g_optim"]["param_groups"][0]["betas"] == [0.0, 0.99]  # type: ignore[index]


def test_a_file_from_python_2_is_read(tmp_path: Path) -> None:
    """Its texts are `str`, its OrderedDict is a call with a list, its storages can be views."""
    items = b"(]("  # [[b"weight", tensor], [b"iter", 2**40]]
    storage = storage_id("94", 6, b"(U\x0294K\x02K\x04t").replace(text("storage"), b"U\x07storage")
    weight = called(
        "torch._utils._rebuild_tensor", storage, number(0), numbers((2, 2)), numbers((2, 1))
    )
    items = b"](](U\x06weight" + weight + b"e](U\x04iterI1099511627776\neet"
    content = b"\x80\x02ccollections\nOrderedDict\n(" + items + b"R."
    values = np.arange(6, dtype="<f4").tobytes()
    file = read_bytes(tmp_path, stream(content, {"94": values}))
    assert file.content["iter"] == 2**40
    assert torch.equal(file.state_dict()["weight"], torch.tensor([[2.0, 3.0], [4.0, 5.0]]))


@pytest.mark.parametrize("value", [0.0, -1.5, 3.1415926535])
def test_numbers_from_python_2_are_read_whether_they_look_like_text_or_not(
    tmp_path: Path, value: float
) -> None:
    state = b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    dtype = called("numpy.dtype", b"U\x02f8", number(0), number(1)) + state
    scalar = called("numpy.core.multiarray.scalar", dtype, b"U\x08" + struct.pack("<d", value))
    assert read_bytes(tmp_path, stream(checkpoint(x=scalar))).content["x"] == value


def test_a_big_endian_number_is_refused(tmp_path: Path) -> None:
    content = {"loss": np.array([1.5], dtype=">f8")[0]}
    data = archive(pickle.dumps(content, 2).replace(b"X\x01\x00\x00\x00<", b"X\x01\x00\x00\x00>"))
    with pytest.raises(WeightsError, match="not a numpy scalar"):
        read_bytes(tmp_path, data)


def _names(file: str) -> list[str]:
    return [line.partition("\t")[0] for line in (KEYS / file).read_text("utf-8").splitlines()]


def _state(*prefixes_and_files: tuple[str, str]) -> dict[str, torch.Tensor]:
    return OrderedDict(
        (prefix + name, torch.zeros(1))
        for prefix, file in prefixes_and_files
        for name in _names(file)
    )


def _optimizer(num_parameters: int) -> dict[str, Any]:
    slots = ("step", "exp_avg", "exp_avg_sq", "slow_buffer")
    state = {i: {slot: torch.zeros(1) for slot in slots} for i in range(num_parameters)}
    return {"state": state, "param_groups": [{"params": list(range(num_parameters))}]}


@BOTH
@pytest.mark.skipif(not KEYS.exists(), reason="needs the official key lists (shared/facts)")
def test_the_largest_training_file_takes_a_quarter_of_the_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_zip: bool
) -> None:
    """e4e's with encoder, decoder, discriminator and both optimizers: 142 645 opcodes."""
    net = _state(("encoder.", "e4e_encoder.txt"), ("decoder.", "rosinality_g_ema_1024.txt"))
    content = {
        "state_dict": net,
        "opts": argparse.Namespace(**{f"option_{i}": i for i in range(80)}),
        "latent_avg": torch.zeros(18, 512),
        "optimizer": _optimizer(len(net)),
        "discriminator_optimizer_state_dict": _optimizer(60),
    }
    monkeypatch.setattr(torch_names, "MAX_OPCODES", torch_names.MAX_OPCODES // 4)
    file = read(tmp_path, content, is_zip)
    assert len(file.state_dict("state_dict")) == 621 + 171
    assert list(file.state_dict()) == ["latent_avg"]


# Sections


def test_a_missing_section_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    file = read(tmp_path, {"g": {"x": torch.ones(1)}, "latent_avg": torch.ones(2)})
    with pytest.raises(KeysError, match=r"net\.pt: no section 'g_ema': .*'g', 'latent_avg'"):
        file.state_dict("g_ema")
    with pytest.raises(KeysError, match="no section 'latent_avg'"):
        file.state_dict("latent_avg")
    with pytest.raises(KeysError, match="no section 'y'"):
        file.state_dict("g", "y")


def test_a_section_can_be_copied_again(tmp_path: Path) -> None:
    file = read(tmp_path, {"g": {"x": torch.ones(5000)}})
    for _ in range(3):
        assert file.state_dict("g")["x"].sum() == 5000


def test_sections_may_not_take_more_bytes_than_the_file_has(tmp_path: Path) -> None:
    big = torch.ones(5000)
    file = read(tmp_path, {"a": {"x": big}, "b": {"x": big}, "c": {f"x{i}": big for i in range(9)}})
    file.state_dict("a")
    with pytest.raises(WeightsError, match=r"x: storages are shared: .*than the file has bytes"):
        file.state_dict("b")
    with pytest.raises(WeightsError, match=r"storages are shared.*Nothing from it was run"):
        read_torch_file(tmp_path / "net.pt").state_dict("c")


# The zip container


def test_zip_files_of_other_programs_are_read(tmp_path: Path) -> None:
    net = tensor(storage_id("0", 2), 0, (2,), (1,))
    content = checkpoint(x=net)
    data = archive(content, {"0": struct.pack("<2f", 1, 2)})
    for name in ("archive", "rés-ea"):  # a folder need not be ASCII; both have 7 bytes
        file = read_bytes(tmp_path, data.replace(b"archive", name.encode()))
        assert file.state_dict()["x"].tolist() == [1, 2]


def test_64_bit_directories_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As files beyond 4 GiB have them."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    content = checkpoint(x=tensor(storage_id("0", 64), 0, (64,), (1,)))
    data = archive(content, {"0": bytes(range(256))})
    assert b"PK\x06\x06" in data
    got = read_bytes(tmp_path, data).state_dict()["x"]
    assert got.view(torch.uint8).tolist() == list(range(256))


def test_a_storage_without_its_entry_is_named(tmp_path: Path) -> None:
    content = checkpoint(x=tensor(storage_id("7", 2), 0, (2,), (1,)))
    for storages in ({}, {"0": bytes(8)}, {"7": bytes(4)}):
        with pytest.raises(WeightsError, match="the values of storage '7'"):
            read_bytes(tmp_path, archive(content, storages))


# Files of another kind

OTHERS = {
    "TorchScript": (zipped({"net/data.pkl": b"\x80\x02}.", "net/code/a.py": b""}), "TorchScript"),
    "tar": (bytes(257) + b"ustar  " + bytes(300), "a tar file"),
    "safetensors": (struct.pack("<Q", 30) + b'{"x":{"dtype":"F32"}}', "a safetensors file"),
    "web page": (b"\xef\xbb\xbf\n<!DOCTYPE html><html>", "a web page.*Download the file itself"),
    "LFS pointer": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "JSON": (b'{"message": "Not Found"}', "a JSON text"),
    "gzip": (b"\x1f\x8b\x08" + bytes(20), "Unpack it"),
    "HDF5": (b"\x89HDF\r\n\x1a\n", "Keras"),
    "a plain pickle": (pickle.dumps({"G_ema": 1}), r"torch\.save did not write.*NVIDIA"),
    "a zip of text": (zipped({"a/readme.txt": b"hello"}), r"no data\.pkl in it: .*'readme\.txt'"),
    "an empty zip": (zipped({}), "not a file of torch.save"),
    "noise": (bytes(range(1, 100)), "the bytes 01 02 03"),
    "a big-endian zip": (
        zipped({"a/data.pkl": b"\x80\x02}.", "a/byteorder": b"big"}),
        "another machine",
    ),
    "a big-endian stream": (
        stream(b"\x80\x02}.").replace(b"little_endian\x88", b"little_endian\x89"),
        "another machine",
    ),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_files_are_named(tmp_path: Path, kind: str) -> None:
    data, reason = OTHERS[kind]
    with pytest.raises(WeightsError, match=rf"net\.pt: .*{reason}"):
        read_bytes(tmp_path, data)


@BOTH
def test_checkpoints_that_are_no_dict_are_refused(tmp_path: Path, is_zip: bool) -> None:
    for content in ([torch.ones(1)], torch.ones(1), "text", None):
        with pytest.raises(WeightsError, match=r"not a checkpoint: .*expected a dict"):
            read(tmp_path, content, is_zip)


class Network(nn.Linear):
    """A class that only its author has."""


@BOTH
def test_a_saved_object_is_refused_by_its_name_and_with_a_remedy(
    tmp_path: Path, is_zip: bool
) -> None:
    name = r"tests\.foreign\.test_torch_files\.Network"
    with pytest.raises(WeightsError, match=f"{name}.*save only state_dict"):
        read(tmp_path, {"net": Network(1, 1)}, is_zip)


@pytest.mark.parametrize("protocol", [0, 1])
def test_text_protocols_are_refused_clearly(tmp_path: Path, protocol: int) -> None:
    data = archive(pickle.dumps({"iter": 2**70}, protocol))
    with pytest.raises(WeightsError, match=r"not a binary pickle at byte 1: .*protocol 2 to 5"):
        read_bytes(tmp_path, data)


def test_missing_empty_and_oversized_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="Look at"):
        read_torch_file(tmp_path / "absent.pt")
    with pytest.raises(WeightsError, match="got 0 bytes"):
        read_bytes(tmp_path, b"")
    with pytest.raises(WeightsError, match="raise max_bytes"):
        read_bytes(tmp_path, archive(b"\x80\x02}."), max_bytes=100)


@BOTH
def test_truncated_files_are_refused_at_every_length(tmp_path: Path, is_zip: bool) -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).state_dict()
    data = save(tmp_path / "net.pt", {"net": net}, is_zip).read_bytes()
    assert json.dumps(list(read_bytes(tmp_path, data).state_dict("net")))
    for end in range(1, len(data), 7):
        with pytest.raises(WeightsError, match=r"net\.pt"):
            read_bytes(tmp_path, data[:end])
