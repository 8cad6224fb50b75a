"""NVIDIA's snapshots are read as data: the right networks come out, and nothing in the file ever runs."""

import builtins
import io
import json
import os
import pickle
import random
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tedigan.errors import KeysError, WeightsError
from tedigan.foreign.nvidia import NvidiaNetwork, network_config, read_nvidia_pickle
from tests.foreign.nvidia_snapshot import (
    Persistent,
    call,
    dump,
    generator,
    generator_tensors,
    module,
)

REBUILD = torch._utils._rebuild_tensor_v2  # type: ignore[attr-defined]
LOAD = torch.storage._load_from_bytes  # type: ignore[attr-defined]


# Reads every file of a folder in a bare process, where no test hook checks types; prints what came of it.
READ_ALL = """
import json, resource, sys, time
from pathlib import Path
from tedigan.errors import WeightsError
from tedigan.foreign.nvidia import read_nvidia_pickle
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start, outcomes = peak(), {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    began = time.process_time()
    try:
        networks = read_nvidia_pickle(path)
        json.dumps([network.init_kwargs for network in networks.values()])
        outcome = "read"
    except WeightsError as error:
        outcome = f"refused: {error}"
    except BaseException as error:
        outcome = repr(error)
    outcomes[path.name] = [outcome, time.process_time() - began]
print(json.dumps({"outcomes": outcomes, "peak_kib": peak() - start}))
"""


def read_all(folder: Path) -> dict[str, Any]:
    run = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(folder)], capture_output=True, text=True, timeout=240
    )
    assert run.returncode == 0, run.stderr
    result: dict[str, Any] = json.loads(run.stdout)
    return result


def read(tmp_path: Path, data: bytes, **options: Any) -> dict[str, NvidiaNetwork]:
    path = tmp_path / "network.pkl"
    path.write_bytes(data)
    return read_nvidia_pickle(path, **options)


def small(**state: Any) -> Persistent:
    return module("Generator", {"weight": torch.arange(6.0).reshape(2, 3)}, **state)


def described(**kwargs: Any) -> NvidiaNetwork:
    """Return the 8-pixel generator with other arguments, as if it had been read."""
    arguments = generator(**kwargs).meta["state"]["_init_kwargs"]
    return NvidiaNetwork("Generator", dict(arguments), generator_tensors())


def stream(
    values: bytes, numel: int, kind: str = "FloatStorage", described: int | None = None
) -> bytes:
    """Return a storage as torch.save's legacy format writes it."""
    described = numel if described is None else described
    size = b"\x8a\x08" + struct.pack("<q", described)
    parts = [
        b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.",
        b"\x80\x02M\xe9\x03.",
        b"\x80\x02}X\x0d\x00\x00\x00little_endian\x88s.",
        b"\x80\x02(X\x07\x00\x00\x00storagectorch\n%b\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu%bNtQ."
        % (kind.encode(), size),
        b"\x80\x02]X\x01\x00\x00\x000a.",
        struct.pack("<q", numel) + values,
    ]
    return b"".join(parts)


def with_tensor(*args: Any) -> bytes:
    """Return a snapshot whose only tensor is `_rebuild_tensor_v2(*args)`."""
    return dump({"G": small(_parameters={"weight": call(REBUILD, *args, False, {})})})


# What comes out


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_names_and_values_are_those_of_the_state_dict(tmp_path: Path, protocol: int) -> None:
    networks = read(tmp_path, dump({"G": small(), "D": None, "G_ema": generator()}, protocol))
    assert list(networks) == ["G", "G_ema"]
    want = generator_tensors()
    got = networks["G_ema"].tensors
    assert networks["G_ema"].class_name == "Generator"
    assert got.keys() == want.keys()
    assert all(torch.equal(got[name], want[name]) for name in want)


@pytest.mark.parametrize(
    "dtype",
    [
        torch.float64,
        torch.float16,
        torch.bfloat16,
        torch.int64,
        torch.int8,
        torch.uint8,
        torch.bool,
    ],
)
def test_every_allowed_dtype_survives(tmp_path: Path, dtype: torch.dtype) -> None:
    tensor = torch.tensor([[0, 1, 0], [5, 0, 7]]).to(dtype)
    got = read(tmp_path, dump({"G": small(_buffers={"b": tensor})}))["G"].tensors["b"]
    assert got.dtype == dtype
    assert torch.equal(got, tensor)


def test_channels_last_and_sliced_tensors_come_out_contiguous(tmp_path: Path) -> None:
    last = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    sliced = torch.arange(24.0).reshape(4, 6)[1:3, ::2]
    networks = read(tmp_path, dump({"G": small(_buffers={"last": last, "sliced": sliced})}))
    got = networks["G"].tensors
    assert torch.equal(got["last"], last)
    assert torch.equal(got["sliced"], sliced)
    assert got["last"].is_contiguous()
    assert got["sliced"].is_contiguous()


def test_tensors_do_not_share_memory_with_the_file(tmp_path: Path) -> None:
    tensor = read(tmp_path, dump({"G": small()}))["G"].tensors["weight"]
    (tmp_path / "network.pkl").write_bytes(b"")
    tensor += 1
    assert tensor.sum() == 21


def test_constructor_arguments_are_json(tmp_path: Path) -> None:
    kwargs = {
        "rate": np.float64(0.5),
        "count": np.int64(3),
        "shape": (1, 2),
        "deep": {"a": [None, True]},
    }
    got = read(tmp_path, dump({"G": small(_init_kwargs=kwargs)}))["G"].init_kwargs
    assert got == {"rate": 0.5, "count": 3, "shape": [1, 2], "deep": {"a": [None, True]}}
    assert json.loads(json.dumps(got)) == got


def test_non_persistent_buffers_are_left_out(tmp_path: Path) -> None:
    state = {"_buffers": {"kept": torch.ones(1), "gone": torch.ones(1)}}
    for protocol in (3, 4):
        data = dump({"G": small(**state, _non_persistent_buffers_set={"gone"})}, protocol)
        assert list(read(tmp_path, data)["G"].tensors) == ["weight", "kept"]


# Our settings


def test_config_has_our_form(tmp_path: Path) -> None:
    network = read(tmp_path, dump({"G_ema": generator()}))["G_ema"]
    assert network_config(network) == network_config(described())
    assert network_config(network) == {
        "architecture": "stylegan2",
        "z_dim": 4,
        "w_dim": 4,
        "c_dim": 0,
        "img_resolution": 8,
        "img_channels": 3,
        "num_ws": 4,
        "mapping": {"num_layers": 2, "lr_multiplier": 0.01},
        "synthesis": {"channel_base": 32, "channel_max": 4, "conv_clamp": None},
        "resample_filter": [1, 3, 3, 1],
    }


def test_both_releases_give_one_config() -> None:
    flat = described(
        synthesis_kwargs={},
        channel_base=32,
        channel_max=4,
        fused_modconv_default="inference_only",
    )
    assert network_config(flat) == network_config(described())


@pytest.mark.parametrize(
    ("kwargs", "reason"),
    [
        ({"c_dim": 10}, "conditional generator"),
        ({"synthesis_kwargs": {"architecture": "resnet"}}, "architecture: got 'resnet'"),
        ({"synthesis_kwargs": {"use_noise": False}}, "use_noise"),
        ({"mapping_kwargs": {"layer_features": 99}}, "layer_features"),
        ({"surprise": 1}, "unknown synthesis argument"),
        ({"z_dim": "many"}, "z_dim: got 'many'"),
        ({"img_resolution": 9}, "power of two"),
    ],
)
def test_networks_that_ours_cannot_be_are_named(kwargs: dict[str, Any], reason: str) -> None:
    with pytest.raises(WeightsError, match=reason) as error:
        network_config(described(**kwargs))
    assert "choose a file of that kind" in str(error.value)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"img_resolution": 16},
        {"mapping_kwargs": {"num_layers": 8}},
        {"synthesis_kwargs": {"channel_base": 64, "channel_max": 8}},
        {"w_dim": 8},
    ],
)
def test_arguments_that_contradict_the_tensors_are_refused(kwargs: dict[str, Any]) -> None:
    with pytest.raises(KeysError, match="download it again"):
        network_config(described(**kwargs))


def test_stylegan3_and_discriminators_are_named() -> None:
    aliased = NvidiaNetwork("Generator", {}, {"synthesis.L0_36_512.weight": torch.zeros(1)})
    with pytest.raises(WeightsError, match="StyleGAN3 generator"):
        network_config(aliased)
    with pytest.raises(WeightsError, match="'Discriminator'"):
        network_config(NvidiaNetwork("Discriminator", {}, {}))


def test_tensorflow_pickles_are_named(tmp_path: Path) -> None:
    data = b"\x80\x03cdnnlib.tflib.network\nNetwork\n)\x81."
    with pytest.raises(WeightsError, match=r"TensorFlow network.*legacy\.py"):
        read(tmp_path, data)


# Files that want to run something

MARK = "touch {0}"


def _nested(marker: Path) -> bytes:
    return pickle.dumps(call(os.system, MARK.format(marker)))


HOSTILE = {
    "os.system by REDUCE": lambda m: pickle.dumps(call(os.system, MARK.format(m))),
    "eval in a network": lambda m: dump(
        {"G": small(x=call(builtins.eval, f"open({str(m)!r}, 'w')"))}
    ),
    "exec": lambda m: pickle.dumps(call(builtins.exec, f"open({str(m)!r}, 'w')")),
    "torch.load": lambda m: pickle.dumps(call(torch.load, io.BytesIO(_nested(m)))),
    "a pickle in place of a storage": lambda m: dump({"G": small(x=call(LOAD, _nested(m)))}),
    "a pickle in a storage's place": lambda m: dump(
        {"G": small(x=call(LOAD, stream(b"", 0)[:21] + _nested(m)))}
    ),
    "protocol 0": lambda m: b"cos\nsystem\n(S'" + MARK.format(m).encode() + b"'\ntR.",
    "INST": lambda m: b"\x80\x02(X\x05\x00\x00\x00touchios\nsystem\n.",
    "OBJ": lambda m: b"\x80\x02(cos\nsystem\nX\x01\x00\x00\x00ao.",
    "NEWOBJ of os._wrap_close": lambda m: b"\x80\x02cos\n_wrap_close\n)\x81.",
    "NEWOBJ_EX": lambda m: b"\x80\x04cdnnlib.util\nEasyDict\n)}\x92.",
    "EXT": lambda m: b"\x80\x02\x82\x01.",
    "a persistent id": lambda m: b"\x80\x02K\x01Q.",
    "BUILD on a function of ours": lambda m: b"\x80\x02ccollections\nOrderedDict\n}b.",
    "BUILD on a dict": lambda m: b"\x80\x02}}X\x09\x00\x00\x00__class__K\x01sb.",
    "BUILD on a tensor": lambda m: b"\x80\x02K\x01}b.",
    "getattr through dots": lambda m: b"\x80\x04\x8c\x0bcollections\x8c\x10OrderedDict.keys\x93.",
    "a call of a value": lambda m: b"\x80\x02X\x01\x00\x00\x00a)R.",
    "setattr": lambda m: pickle.dumps(call(setattr, "a", "b", 1)),
    "our own names": lambda m: b"\x80\x02ctedigan.store.nvidia.envelope\nEnvelope\n)R.",
    "a storage kind by another name": lambda m: dump(
        {"G": small(x=call(LOAD, stream(b"", 0, "load")))}
    ),
    "an OrderedDict of something": lambda m: b"\x80\x02ccollections\nOrderedDict\n]\x85R.",
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files_run_nothing(tmp_path: Path, hostile: Any) -> None:
    marker = tmp_path / "it ran".replace(" ", "-")
    with pytest.raises(
        WeightsError, match=r"network\.pkl: .*got .*expected .*Nothing from it was run"
    ):
        read(tmp_path, hostile(marker))
    assert not marker.exists()


# Files that want to take all memory or time


def _deep(opcodes: bytes, count: int = 70_000) -> bytes:
    return b"\x80\x04" + b"]" * count + opcodes * (count - 1) + b"."


def _doubling(levels: int) -> bytes:
    """Return an argument in which each tuple holds the one before it twice."""
    return b"]q\xc8" + b"".join(b"h%c\x86q%c" % (200 + i, 201 + i) for i in range(levels))


def _snapshot(kwargs: bytes) -> bytes:
    """Put raw opcodes for one constructor argument into a real envelope."""
    data = dump({"G": small(_init_kwargs={"x": "HERE"})}, 3)
    return data.replace(b"X\x04\x00\x00\x00HERE", kwargs, 1)


def _shared_modules(levels: int) -> Persistent:
    part = small()
    for _ in range(levels):
        part = small(_modules={"a": part, "b": part})
    return part


def _many_views() -> bytes:
    big = torch.zeros(100_000)
    return dump({"G": small(_buffers={f"b{i}": big for i in range(500)})})


BOMBS = {
    "BINBYTES8 of 4 GiB": lambda: b"\x80\x04\x8e" + struct.pack("<Q", 2**32) + b"abc.",
    "BINUNICODE8 of 2**63": lambda: b"\x80\x04\x8d" + struct.pack("<Q", 2**63) + b"abc.",
    "BYTEARRAY8 of 2**62": lambda: b"\x80\x05\x96" + struct.pack("<Q", 2**62) + b"abc.",
    "LONG4 of 2 GiB": lambda: b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"\x01.",
    "LONG1 of 255 bytes": lambda: b"\x80\x02\x8a\xff" + b"\x7f" * 255 + b".",
    "a text of 2 MB": lambda: b"\x80\x02X" + struct.pack("<I", 2**21) + b"a" * 2**21 + b".",
    "texts of 40 MB": lambda: b"\x80\x02" + (b"X\x00\x00\x08\x00" + b"a" * 2**19) * 80 + b".",
    "a tensor larger than its storage": lambda: with_tensor(
        call(LOAD, stream(b"\0" * 8, 2)), 0, (2**40,), (1,)
    ),
    "a tensor repeated by stride 0": lambda: with_tensor(
        call(LOAD, stream(b"\0" * 8, 2)), 0, (2**30,), (0,)
    ),
    "a tensor beyond its storage": lambda: with_tensor(
        call(LOAD, stream(b"\0" * 8, 2)), 1, (2,), (1,)
    ),
    "a tensor before its storage": lambda: with_tensor(
        call(LOAD, stream(b"\0" * 8, 2)), -1, (1,), (1,)
    ),
    "a tensor of negative size": lambda: with_tensor(
        call(LOAD, stream(b"\0" * 8, 2)), 0, (-1,), (1,)
    ),
    "a tensor of size 0 x 2**62": lambda: with_tensor(
        call(LOAD, stream(b"\0" * 8, 2)), 0, (0, 2**62), (1, 1)
    ),
    "a tensor with negative stride": lambda: with_tensor(
        call(LOAD, stream(b"\0" * 8, 2)), 1, (2,), (-1,)
    ),
    "a tensor of 9 axes": lambda: with_tensor(
        call(LOAD, stream(b"\0" * 8, 2)), 0, (1,) * 9, (1,) * 9
    ),
    "a storage that says 2**60 values": lambda: with_tensor(
        call(LOAD, stream(b"\0" * 8, 2**60)), 0, (1,), (1,)
    ),
    "a storage that says two lengths": lambda: with_tensor(
        call(LOAD, stream(b"\0" * 8, 2, described=2**60)), 0, (1,), (1,)
    ),
    "500 names for one storage": _many_views,
    "lists in lists": lambda: _deep(b"a"),
    "tuples in tuples": lambda: b"\x80\x02)" + b"\x85" * 140_000 + b".",
    "dicts in dicts": lambda: (
        b"\x80\x02" + b"}X\x01\x00\x00\x00a" * 90_000 + b"}" + b"s" * 90_000 + b"."
    ),
    "calls in calls": lambda: (
        b"\x80\x02cnumpy\ndtype\nq\x00)R" + b"q\x01h\x00h\x01\x85R" * 30_000 + b"."
    ),
    "marks without end": lambda: b"\x80\x02" + b"(" * 1_000_000 + b".",
    "empty sets without end": lambda: b"\x80\x04" + b"\x8f" * 1_000_000 + b".",
    "frames without end": lambda: b"\x80\x04" + b"\x95\0\0\0\0\0\0\0\0" * 200_000 + b".",
    "memo entries without end": lambda: b"\x80\x04N" + b"\x94" * 1_000_000 + b".",
    "a memo index of 2**32": lambda: b"\x80\x02Nr\xff\xff\xff\xff.",
    "one storage read without end": lambda: (
        b"\x80\x02ctorch.storage\n_load_from_bytes\nq\x00B"
        + struct.pack("<I", len(stream(b"", 0)))
        + stream(b"", 0)
        + b"\x85q\x01"
        + b"h\x00h\x01R" * 100_000
        + b"."
    ),
    "doubled tuples": lambda: _snapshot(_doubling(50)),
    "a list in itself": lambda: _snapshot(b"]q\x00h\x00a"),
    "doubled modules": lambda: dump({"G": _shared_modules(14)}),
    "modules 30 deep": lambda: dump({"G": module("G", {"a." * 30 + "weight": torch.ones(1)})}),
}


@pytest.fixture(scope="module")
def bombs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("bombs")
    for index, bomb in enumerate(BOMBS.values()):
        (folder / f"{index:03}.pkl").write_bytes(bomb())
    return read_all(folder)


@pytest.mark.parametrize("index", range(len(BOMBS)), ids=BOMBS.keys())
def test_bombs_are_refused_in_seconds(bombs: dict[str, Any], index: int) -> None:
    outcome, seconds = bombs["outcomes"][f"{index:03}.pkl"]
    assert outcome.startswith("refused")
    assert seconds < 5  # of processor time; about 0.3 on a quiet core


def test_bombs_take_no_memory(bombs: dict[str, Any]) -> None:
    """Together they ask for more than 2**63 bytes; the files themselves, mapped, have 50 MB."""
    assert bombs["peak_kib"] < 200 * 2**10


# Damaged files


def test_missing_empty_and_oversized_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="Look at"):
        read_nvidia_pickle(tmp_path / "absent.pkl")
    with pytest.raises(WeightsError, match="Look at"):
        read_nvidia_pickle(tmp_path)
    with pytest.raises(WeightsError, match="got 0 bytes"):
        read(tmp_path, b"")
    with pytest.raises(WeightsError, match="raise max_bytes"):
        read(tmp_path, dump({"G": small()}), max_bytes=100)


def test_pickles_of_something_else_are_refused(tmp_path: Path) -> None:
    for content in ([1, 2], {"state_dict": {}}, {"G": 3}, {"G_ema": {"weight": 1}}):
        with pytest.raises(WeightsError, match="expected"):
            read(tmp_path, pickle.dumps(content))
    with pytest.raises(WeightsError, match="not a binary pickle"):
        read(tmp_path, b"PK\x03\x04 a zip file")


def test_another_persistence_version_is_refused(tmp_path: Path) -> None:
    network = small()
    network.meta["version"] = 7
    with pytest.raises(WeightsError, match="got version 7, expected version 6"):
        read(tmp_path, dump({"G": network}))


def test_truncated_files_are_refused(tmp_path: Path) -> None:
    data = dump({"G": small()})
    for end in range(1, len(data), 31):
        with pytest.raises(WeightsError, match=r"network\.pkl"):
            read(tmp_path, data[:end])


def test_two_thousand_mutants_are_read_or_refused(tmp_path: Path) -> None:
    """No mutant of a valid file may raise anything but a WeightsError."""
    rng = random.Random(0)
    files = [dump({"G": small()}, protocol) for protocol in (3, 4, 5)]
    folder = tmp_path / "mutants"
    folder.mkdir()
    for index in range(2000):
        mutant = bytearray(rng.choice(files))
        for _ in range(rng.randint(1, 2)):
            place = rng.randrange(len(mutant))
            match rng.randrange(4):
                case 0:
                    mutant[place] ^= 1 << rng.randrange(8)
                case 1:
                    mutant[place] = rng.randrange(256)
                case 2:
                    del mutant[place : place + rng.randint(1, 8)]
                case _:
                    mutant[place:place] = mutant[(at := rng.randrange(len(mutant))) : at + 8]
        (folder / f"{index:04}.pkl").write_bytes(mutant)
    outcomes = [outcome.partition(":")[0] for outcome, _ in read_all(folder)["outcomes"].values()]
    assert set(outcomes) == {"read", "refused"}
    assert min(map(outcomes.count, ("read", "refused"))) > 100
