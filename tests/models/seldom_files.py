"""Official files in legal, seldom forms, and files that cannot tell all of themselves, made by code."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tests.foreign import test_dialect_genforce2 as genforce
from tests.foreign import test_dialect_rosinality as rosinality
from tests.foreign.nvidia_snapshot import EasyDict, dump, module
from tests.foreign.test_dialect_stylegan1 import file_tensors
from tests.generator.nets import tiny_discriminator, tiny_generator
from tests.models.hostile_folders import Hostile

SIZES = (16, 0, 12, 16, 3)
NAMES = ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels")
SYNTHESIS = {"channel_base": 128, "channel_max": 8, "conv_clamp": 256}


def file(content: Callable[[], Any], name: str = "theirs.pt") -> Callable[[Path], Path]:
    """By torch.save, or as it is where it is bytes."""

    def make(place: Path) -> Path:
        path, made = place.parent / name, content()
        if isinstance(made, bytes):
            path.write_bytes(made)
        else:
            torch.save(made, path)
        return path

    return make


def g(
    *, mapping: dict[str, Any] | None = None, synthesis: dict[str, Any] | None = None, **state: Any
) -> Any:
    """NVIDIA's generator of 16 px."""
    tensors = tiny_generator(0).state_dict()
    if mapping is not None:
        del tensors["mapping.w_avg"]
    if synthesis:
        taps = torch.tensor(synthesis["resample_filter"], dtype=torch.float32)
        kernel = taps.outer(taps) / taps.outer(taps).sum()
        tensors = {n: kernel if n.endswith("_filter") else one for n, one in tensors.items()}
    kwargs = EasyDict(
        zip(NAMES, SIZES, strict=True),
        mapping_kwargs=EasyDict(num_layers=2, **mapping or {}),
        synthesis_kwargs=EasyDict(SYNTHESIS, **synthesis or {}),
    )
    return module("Generator", tensors, **{"_init_kwargs": kwargs} | state)


def d(**kwargs: Any) -> Any:
    """NVIDIA's discriminator of 16 px."""
    return module("Discriminator", tiny_discriminator().state_dict(), _init_kwargs=EasyDict(kwargs))


def placed() -> bytes:
    """Arguments by their place."""
    mapping = EasyDict(num_layers=2)
    kwargs = EasyDict(synthesis_kwargs=EasyDict(SYNTHESIS))
    return dump({"G_ema": g(_init_args=(*SIZES, mapping), _init_kwargs=kwargs)})


def same() -> bytes:
    """One object as G and G_ema."""
    one = g()
    return dump({"G": one, "G_ema": one})


def _prefixed() -> dict[str, Any]:
    return {"g_ema": {f"module.{n}": one for n, one in rosinality.generator_tensors().items()}}


def _broken_d() -> dict[str, Any]:
    broken = rosinality.discriminator_tensors() | {"more": torch.ones(1)}
    return rosinality.whole() | {"d": broken}


def _import(
    name: str,
    content: Callable[[], Any],
    file_name: str = "theirs.pt",
    options: tuple[str, ...] = (),
) -> Hostile:
    return Hostile(name, file(content, file_name), "import", options)


def _group() -> bytes:
    return dump({"G_ema": g(), "D": d(epilogue_kwargs=EasyDict(mbstd_group_size=None))})


PICTURES = [
    _import("D's clamp 0.5, G's 256", lambda: dump({"G_ema": g(), "D": d(conv_clamp=0.5)}), "theirs.pkl"),
    _import("mbstd_group_size None", _group, "theirs.pkl"),
    _import("genforce's StyleGAN2", genforce.whole),
    _import("genforce's StyleGAN2, --final-tanh", genforce.whole, options=("--final-tanh",)),
    _import("genforce's StyleGAN1", lambda: {"generator_smooth": file_tensors(16, old=False)}),
    _import("rosinality's", rosinality.whole),
    _import("D's activation relu", lambda: dump(
        {"G_ema": g(), "D": d(block_kwargs=EasyDict(activation="relu"))}), "theirs.pkl"),
]  # fmt: skip
LEGAL = [
    _import("`module.` before each name", _prefixed),
    _import("{generator: ...}", lambda: {"generator": genforce.generator_tensors()}),
    _import("a bare generator of genforce", genforce.generator_tensors),
    _import("arguments by their place", placed, "theirs.pkl"),
    _import("w_avg_beta None", lambda: dump({"G_ema": g(mapping={"w_avg_beta": None})}), "theirs.pkl"),
    _import("filter [1, 2, 2, 1]", lambda: dump(
        {"G_ema": g(synthesis={"resample_filter": [1, 2, 2, 1]})}), "theirs.pkl"),
    _import("filter [1, 2, 1]", lambda: dump(
        {"G_ema": g(synthesis={"resample_filter": [1, 2, 1]})}), "theirs.pkl"),
    _import("one object as G and G_ema", same, "theirs.pkl"),
    _import("a torch zip named .pkl", rosinality.whole, "theirs.pkl"),
    _import("a D that cannot be read", _broken_d),
    _import("a D that cannot be read, --only G_ema", _broken_d, options=("--only", "G_ema")),
]  # fmt: skip
SELDOM = {"other pictures": PICTURES, "legal": LEGAL}
