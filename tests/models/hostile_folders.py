"""Model folders and files that hurt, made by code: their names, how they are made, what is asked."""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save

from tedigan.store.files import sha256_file
from tedigan.store.model_folders import save_model
from tests.foreign.nvidia_snapshot import EasyDict, dump, generator_tensors, module
from tests.generator.nets import TINY, tiny_discriminator, tiny_generator

ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202egpj"
WEIGHTS, SUMS, CONFIG = "G_ema.safetensors", "SHA256SUMS", "config.json"


class Hostile(NamedTuple):
    """make: writes it at a place, a folder that holds a whole model. action, options: of `tedigan models`."""

    name: str
    make: Callable[[Path], Path]
    action: str = "verify"
    options: tuple[str, ...] = ()


def whole_model(place: Path) -> Path:
    """A folder as `save_model` writes it, with a generator and a discriminator of 16 px."""
    place.mkdir(parents=True, exist_ok=True)
    config = TINY.to_json() | {"training": {"licence": "ours"}}
    save_model(place, {"G_ema": tiny_generator(), "D": tiny_discriminator()}, config, "# A card\n")
    return place


def write_sums(place: Path) -> None:
    """SHA256SUMS of what lies there now, so that nothing but the damage itself is wrong."""
    files = sorted(one for one in place.iterdir() if one.name != SUMS and one.is_file())
    (place / SUMS).write_text("".join(f"{sha256_file(one)}  {one.name}\n" for one in files))


def with_text(text: str) -> Callable[[Path], Path]:
    """config.json is this text."""

    def make(place: Path) -> Path:
        (place / CONFIG).write_text(text)
        write_sums(place)
        return place

    return make


def with_value(path: str, value: Any) -> Callable[[Path], Path]:
    """One value of config.json is another. path: its keys with dots between them."""

    def make(place: Path) -> Path:
        config = json.loads((place / CONFIG).read_text())
        *above, last = path.split(".")
        section = config
        for key in above:
            section = section[key]
        section[last] = value
        return with_text(json.dumps(config))(place)

    return make


def with_sums(text: str) -> Callable[[Path], Path]:
    """SHA256SUMS is this text; the weights are changed by one bit."""

    def make(place: Path) -> Path:
        _flip(place / WEIGHTS)
        (place / SUMS).write_text(text.format(card=sha256_file(place / "README.md")))
        return place

    return make


def with_tensor(value: float) -> Callable[[Path], Path]:
    """One value of the weights is this one, and the sums know it."""

    def make(place: Path) -> Path:
        tensors = load_file(place / WEIGHTS)
        tensors["mapping.w_avg"][3] = value
        (place / WEIGHTS).write_bytes(save(tensors))
        write_sums(place)
        return place

    return make


def with_header(header: bytes, size: int | None = None) -> Callable[[Path], Path]:
    """The weights begin with this header."""

    def make(place: Path) -> Path:
        length = len(header) if size is None else size
        (place / WEIGHTS).write_bytes(struct.pack("<Q", length) + header)
        write_sums(place)
        return place

    return make


def instead_of(name: str, put: Callable[[Path], Any]) -> Callable[[Path], Path]:
    """Something else stands where a file should."""

    def make(place: Path) -> Path:
        (place / name).unlink()
        put(place / name)
        return place

    return make


def elsewhere(name: str) -> Callable[[Path], Path]:
    """A link to a file outside, with the very bytes that are expected."""

    def make(place: Path) -> Path:
        outside = place.parent / f"outside-{place.name}-{name}"
        (place / name).rename(outside)
        (place / name).symlink_to(outside)
        return place

    return make


def changed(place: Path) -> Path:
    """One bit of the weights, sums as they were."""
    _flip(place / WEIGHTS)
    return place


def changed_card(place: Path) -> Path:
    """A card with escape sequences."""
    (place / "README.md").write_text(f"# {ESCAPES}\n")
    write_sums(place)
    return place


def without(name: str) -> Callable[[Path], Path]:
    """A file is gone."""

    def make(place: Path) -> Path:
        (place / name).unlink()
        return place

    return make


def sparse(path: Path, size: int = 2**30) -> None:
    """A file of zeros that takes no room."""
    with path.open("wb") as file:
        file.truncate(size)


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


def snapshot_of(**arguments: Any) -> Callable[[Path], Path]:
    """NVIDIA's snapshot of 8 px, a few kB, whose arguments say something else."""

    def make(place: Path) -> Path:
        tensors = {
            name: tensor
            for name, tensor in generator_tensors().items()
            if not name.startswith("mapping.fc") or "num_layers" not in arguments
        }
        layers = arguments.get("num_layers", 2)
        if "w_dim" in arguments:
            tensors["mapping.w_avg"] = torch.zeros(arguments["w_dim"])
        given = {"z_dim": 4, "c_dim": 0, "w_dim": 4, "img_resolution": 8, "img_channels": 3}
        given |= {key: value for key, value in arguments.items() if key in given}
        synthesis = {"channel_base": 32, "channel_max": 4, "conv_clamp": None}
        synthesis |= {key: value for key, value in arguments.items() if key in synthesis}
        kwargs = EasyDict(
            given,
            mapping_kwargs=EasyDict(num_layers=layers),
            synthesis_kwargs=EasyDict(synthesis),
        )
        path = place.parent / f"{place.name}.pkl"
        path.write_bytes(dump({"G_ema": module("Generator", tensors, _init_kwargs=kwargs)}))
        return path

    return make


def old_style(place: Path) -> Path:
    """rosinality's g_ema with thousands of mapping layers, each the same value of one number."""
    one = torch.ones(1)
    state = {f"style.{index}.{end}": one for index in range(4000) for end in ("weight", "bias")}
    path = place.parent / f"{place.name}.pt"
    torch.save({"g_ema": {"conv1.conv.modulation.weight": one} | state}, path)
    return path


_HEADER = json.dumps({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
_ONE = b'"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
_TWICE = b"{" + _ONE + b"," + _ONE + b"}"

INTEGRITY = [
    Hostile("sums empty", with_sums("")),
    Hostile("sums of another file alone", with_sums("{card}  README.md\n")),
    Hostile("sums that are no sums", with_sums("hello\n")),
    Hostile("sums of a path outside", with_sums("{card}  ../README.md\n")),
    Hostile("sums gone", without(SUMS)),
    Hostile("one bit changed", changed),
    Hostile("NaN", with_tensor(float("nan"))),
    Hostile("infinity", with_tensor(float("inf"))),
    Hostile("a listed network gone", without("D.safetensors")),
    Hostile("config.json gone", without(CONFIG)),
]
ALLOCATION = [
    Hostile("w_dim 400, z_dim 2**20 in a .pkl of 20 kB", snapshot_of(w_dim=400, z_dim=2**20), "import"),
    Hostile("a million mapping layers in a .pkl", snapshot_of(num_layers=2**20), "import"),
    Hostile("4,000 mapping layers of one value", old_style, "import"),
    Hostile("channels 2**20 in config.json", with_value("synthesis.channel_max", 2**20)),
    Hostile("w_dim 30,000", with_value("w_dim", 30_000)),
    Hostile("1024 px, 2,048 channels", with_text(json.dumps(TINY.to_json() | {
        "img_resolution": 1024, "num_ws": 18,
        "synthesis": {"channel_base": 2**21, "channel_max": 2048, "conv_clamp": None}}))),
    Hostile("a thousand million mapping layers", with_value("mapping.num_layers", 10**9)),
    Hostile("a header of 2**63 bytes", with_header(b"{}", 2**63)),
    Hostile("a header of a 4 TB tensor", with_header(_HEADER)),
    Hostile("a tensor twice in the header", with_header(_TWICE + b"    ")),
    Hostile("a header of 200,000 brackets", with_header(b"[" * 200_000)),
]  # fmt: skip
NUMBERS = [
    Hostile(f"{key} {str(value)[:20]}", with_value(key, value))
    for key, value in [
        ("synthesis.channel_base", -1), ("synthesis.channel_base", 3), ("w_dim", 0), ("w_dim", "12"),
        ("w_dim", True), ("img_resolution", 9), ("img_resolution", 8.7), ("img_resolution", 2**20),
        ("synthesis.conv_clamp", "abc"), ("synthesis.conv_clamp", -1), ("discriminator", []),
        ("discriminator.mbstd_group_size", 0), ("mapping", None), ("mapping.lr_multiplier", 0),
        ("mapping.repeat_w", "no"), ("num_ws", 7), ("architecture", ["stylegan2"]),
        ("architecture", "x" * 10_000), ("training", [1]), ("training.licence", ["a"] * 1000),
        ("c_dim", 10), ("z_dim", None),
    ]
]  # fmt: skip
TEXTS = [
    Hostile("config.json: a list", with_text("[]")),
    Hostile("config.json: a number of 5,000 digits", with_text('{"w_dim": ' + "9" * 5000 + "}")),
    Hostile("config.json: 200,000 brackets", with_text("[" * 200_000)),
    Hostile("config.json: 1e400", with_text('{"architecture": "stylegan2", "w_dim": 1e400}')),
    Hostile("config.json: NaN", with_text('{"architecture": "stylegan2", "w_dim": NaN}')),
    Hostile("config.json: a key twice", with_text('{"architecture": "parser", "architecture": "x"}')),
    Hostile("config.json: nothing", with_text("")),
    Hostile("config.json: escape sequences", with_text(json.dumps({"architecture": ESCAPES}))),
]  # fmt: skip
KINDS = [
    Hostile(f"{name}: {what}", instead_of(name, put), action)
    for name, action in ((CONFIG, "verify"), (WEIGHTS, "verify"), ("README.md", "show"), (SUMS, "verify"))
    for what, put in [
        ("a pipe", os.mkfifo),
        ("a device", lambda path: path.symlink_to("/dev/zero")),
        ("a folder", Path.mkdir),
        ("a link to nothing", lambda path: path.symlink_to(path.with_name("nowhere"))),
        ("a link to itself", lambda path: path.symlink_to(path)),
        ("1 GB of nothing", sparse),
    ]
] + [
    Hostile(f"{name}: a link to another place", elsewhere(name), action)
    for name, action in ((CONFIG, "verify"), (WEIGHTS, "verify"), ("README.md", "show"))
] + [
    Hostile("a card with escape sequences", changed_card, "show"),
    Hostile("a licence with escape sequences", with_value("training.licence", ESCAPES), "list"),
]  # fmt: skip
ALL = {
    "integrity": INTEGRITY,
    "allocation": ALLOCATION,
    "numbers": NUMBERS + TEXTS,
    "no files": KINDS,
}
