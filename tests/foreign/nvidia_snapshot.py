"""Writes small files in the form of NVIDIA's snapshots, with classes of ours and no source text of theirs."""

import pickle
import sys
import types
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

BUFFERS = ("resample_filter", "noise_const", "w_avg")
KWARGS = {"z_dim": 4, "c_dim": 0, "w_dim": 4, "img_resolution": 8, "img_channels": 3}


class EasyDict(dict):  # type: ignore[type-arg]
    """A dict of another class, as theirs is."""


class Persistent:
    """An object that pickles as a call of `_reconstruct_persistent_obj` with a description of itself."""

    def __init__(self, class_name: str, **state: Any) -> None:
        self.meta = {
            "type": "class",
            "version": 6,
            "module_src": "raise SystemExit('this text must never be run')",
            "class_name": class_name,
            "state": state,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return _reconstruct_persistent_obj, (self.meta,), None


def _reconstruct_persistent_obj(meta: dict[str, Any]) -> None:
    raise AssertionError("the snapshot was unpickled instead of read")


@contextmanager
def _their_names() -> Iterator[None]:
    """Let pickle find our stand-ins under NVIDIA's names."""
    places: dict[str, Any] = {
        "torch_utils.persistence": _reconstruct_persistent_obj,
        "dnnlib.util": EasyDict,
    }
    names = [*places, *(place.partition(".")[0] for place in places)]
    for name in names:
        sys.modules[name] = types.ModuleType(name)
    for place, value in places.items():
        setattr(sys.modules[place], value.__name__, value)
        value.__module__ = place
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


def module(class_name: str, tensors: dict[str, torch.Tensor], **state: Any) -> Persistent:
    """Nest flat names into persistent objects, as torch keeps parameters, buffers and submodules."""
    parameters: dict[str, torch.Tensor | None] = {}
    buffers: dict[str, torch.Tensor] = {}
    parts: dict[str, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        head, _, rest = name.partition(".")
        if rest:
            parts.setdefault(head, {})[rest] = tensor
        elif name in BUFFERS:
            buffers[name] = tensor
        else:
            parameters[name] = torch.nn.Parameter(tensor, requires_grad=False)
    common = {
        "training": False,
        "_parameters": OrderedDict({"unused": None} | parameters),
        "_buffers": OrderedDict(buffers),
        "_non_persistent_buffers_set": set(),
        "_backward_hooks": OrderedDict(),
        "_modules": OrderedDict({name: module("Layer", part) for name, part in parts.items()}),
        "weight_gain": np.float64(0.5),
        "kernel": np.arange(4.0),
        "_init_args": (),
        "_init_kwargs": EasyDict(),
    }
    return Persistent(class_name, **common | state)


def generator_tensors(seed: int = 0) -> dict[str, torch.Tensor]:
    """Return the tensors of an 8-pixel generator with 4 channels, under NVIDIA's names."""
    shapes = {"synthesis.b4.const": (4, 4, 4)}
    layers = [("b4.conv1", 4), ("b8.conv0", 8), ("b8.conv1", 8)]
    for name, res in layers:
        place = f"synthesis.{name}"
        shapes |= {
            f"{place}.weight": (4, 4, 3, 3),
            f"{place}.noise_strength": (),
            f"{place}.bias": (4,),
        }
        shapes |= {f"{place}.resample_filter": (4, 4), f"{place}.noise_const": (res, res)}
        shapes |= {f"{place}.affine.weight": (4, 4), f"{place}.affine.bias": (4,)}
    for res in (4, 8):
        place = f"synthesis.b{res}.torgb"
        shapes |= {f"{place}.weight": (3, 4, 1, 1), f"{place}.bias": (3,)}
        shapes |= {f"{place}.affine.weight": (4, 4), f"{place}.affine.bias": (4,)}
    shapes |= {
        f"mapping.fc{i}.{n}": s for i in range(2) for n, s in (("weight", (4, 4)), ("bias", (4,)))
    }
    shapes["mapping.w_avg"] = (4,)
    rng = torch.Generator().manual_seed(seed)
    return {name: torch.randn(shape, generator=rng) for name, shape in shapes.items()}


def generator(seed: int = 0, **kwargs: Any) -> Persistent:
    """Return an 8-pixel generator; `kwargs` replace its constructor's arguments."""
    arguments = {
        **KWARGS,
        "mapping_kwargs": EasyDict(num_layers=2),
        "synthesis_kwargs": EasyDict(
            channel_base=32, channel_max=4, num_fp16_res=0, conv_clamp=None
        ),
        **kwargs,
    }
    return module("Generator", generator_tensors(seed), _init_kwargs=EasyDict(arguments))


def dump(content: Any, protocol: int = 4) -> bytes:
    """Pickle `content` under NVIDIA's names."""
    with _their_names():
        return pickle.dumps(content, protocol=protocol)


def call(function: Callable[..., Any], *args: Any) -> Any:
    """Return an object whose pickle calls `function` with `args`."""
    return type("Call", (), {"__reduce__": lambda _: (function, args)})()
