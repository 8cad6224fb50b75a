"""The networks of an NVIDIA pickle, read as data.

The file is a dict of "persistent" objects: each holds its class's SOURCE TEXT, a class name and a
`state` (its constructor's arguments, parameters, buffers, submodules). NVIDIA's reader executes
that text. We read the file with `PickleReader` and the table `Envelope`: a network becomes a
`Module` record, a tensor a checked view of the file, and only the three networks are copied out.

Copies may not take more than the file's own size, so a tensor listed a thousand times is refused
instead of copied. Not covered: whether the numbers are good (a NaN is a number), and a file that
shrinks while it is read (it is mapped, not loaded).
"""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import torch

from tedigan.foreign.nvidia.envelope import Envelope, Module
from tedigan.foreign.pickles.cursor import Cursor
from tedigan.foreign.pickles.harvest import MAX_DEPTH, Harvest
from tedigan.foreign.pickles.machine import PickleReader
from tedigan.foreign.pickles.mapped_file import mapped
from tedigan.foreign.pickles.storages import TensorRef
from tedigan.foreign.pickles.values import UNKNOWN, refusal, shown

MAX_VALUES = 10_000  # constructor values, and tensors and modules, of one network
POSITIONS = {  # the arguments that both releases have in these places
    "Generator": ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels", "mapping_kwargs"),
    "Discriminator": ("c_dim", "img_resolution", "img_channels", "architecture"),
}
_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")


@dataclass(frozen=True)
class NvidiaNetwork:
    """One network of a file: JSON values, and tensors under the names of NVIDIA's state dict."""

    class_name: str
    init_kwargs: dict[str, object]
    tensors: dict[str, torch.Tensor]


def read_nvidia_pickle(
    path: Path, max_bytes: int = 4 * 2**30, *, only: Collection[str] = ("G", "D", "G_ema")
) -> dict[str, NvidiaNetwork]:
    """Read the networks "G", "D" and "G_ema", those that are there; nothing of the file is run.

    only: leave the others unread. max_bytes: refuse larger files; three 1024-pixel networks take 0.4 GB.
    Raises WeightsError for anything but such a file. The tensors are copies on the CPU, contiguous,
    in their own dtypes.
    """
    data = mapped(path, max_bytes=max_bytes, kind="a .pkl")
    envelope, cursor = Envelope(path.name), Cursor(data, name=path.name)
    reader = PickleReader(cursor, resolve=envelope.resolve, budget=envelope.budget)
    content = reader.load()
    if not isinstance(content, dict):
        raise refusal(path.name, "not a training snapshot", shown(content), "a dict of networks")
    found = {key: content[key] for key in ("G", "D", "G_ema") if content.get(key) is not None}
    if not found:
        raise refusal(
            path.name, "no network in it", f"{len(content)} other entries", "G_ema, G or D"
        )
    harvest = Harvest(path.name, MAX_VALUES * len(found), bytes_left=len(data), advice=UNKNOWN)
    networks = _Networks(path.name, harvest)
    read: dict[int, NvidiaNetwork] = {}  # G and G_ema may be one object
    for key, module in found.items():
        if key in only and id(module) not in read:
            read[id(module)] = networks.network(key, module)
    return {key: read[id(module)] for key, module in found.items() if key in only}


@dataclass
class _Networks:
    """Takes from `Module` records what we need, and counts what it takes."""

    name: str
    _harvest: Harvest

    def network(self, key: str, module: object) -> NvidiaNetwork:
        if not isinstance(module, Module):
            raise refusal(
                self.name, f"{key} is not a network", shown(module), "a persistent object"
            )
        kwargs = self._with_names(key, module)
        if not isinstance(kwargs, dict):
            raise refusal(
                self.name,
                f"{key}: no constructor arguments",
                shown(kwargs),
                "_init_kwargs",
                UNKNOWN,
            )
        init_kwargs = {name: self._plain(name, value, MAX_DEPTH) for name, value in kwargs.items()}
        refs: dict[str, TensorRef] = {}
        self._collect(module, f"{key}:", "", refs, MAX_DEPTH)
        tensors = {name: self._harvest.copy(f"{key}:{name}", ref) for name, ref in refs.items()}
        return NvidiaNetwork(module.class_name, init_kwargs, tensors)

    def _with_names(self, key: str, module: Module) -> object:
        """The constructor's arguments by name, also those that were given by their place."""
        args, kwargs = module.state.get("_init_args", ()), module.state.get("_init_kwargs")
        if args == () or not isinstance(kwargs, dict):
            return kwargs
        names = POSITIONS.get(module.class_name, ())
        if (
            not isinstance(args, tuple)
            or len(args) > len(names)
            or kwargs.keys() & names[: len(args)]
        ):
            want = f"at most {len(names)}, each once"
            raise refusal(self.name, f"{key}: positional arguments", shown(args), want, UNKNOWN)
        return kwargs | dict(zip(names, args, strict=False))

    def _plain(self, where: str, value: object, depth: int) -> object:
        """Turn a constructor argument into a JSON value."""
        self._harvest.count(where, depth)
        if value is None or isinstance(value, str | bool | int):
            return value
        if isinstance(value, float) and math.isfinite(value):
            return value
        if isinstance(value, list | tuple):
            return [self._plain(where, item, depth - 1) for item in value]
        if isinstance(value, dict):
            return {key: self._plain(where, item, depth - 1) for key, item in value.items()}
        want = "finite numbers, texts, lists, dicts"
        raise refusal(
            self.name, f"constructor argument {where[:60]!r}", shown(value), want, UNKNOWN
        )

    def _collect(
        self, module: object, where: str, prefix: str, refs: dict[str, TensorRef], depth: int
    ) -> None:
        """Add the tensors of a module and of its parts to `refs`, in a state dict's order."""
        if not isinstance(module, Module):
            want = "a persistent object"
            raise refusal(
                self.name, f"{where}{prefix} is not a module", shown(module), want, UNKNOWN
            )
        transient = module.state.get("_non_persistent_buffers_set")
        skipped = transient if isinstance(transient, set) else set()
        for name, value in (
            self._part(module, "_parameters") | self._part(module, "_buffers")
        ).items():
            self._harvest.count(where, depth)
            if value is None or name in skipped:
                continue
            if not isinstance(value, TensorRef):
                raise refusal(
                    self.name, f"{where}{prefix}{name}", shown(value), "a tensor", UNKNOWN
                )
            refs[prefix + name] = value
        for name, value in self._part(module, "_modules").items():
            self._harvest.count(where, depth)
            if value is not None:
                self._collect(value, where, f"{prefix}{name}.", refs, depth - 1)

    def _part(self, module: Module, part: str) -> dict[str, object]:
        """Return a module's _parameters, _buffers or _modules."""
        found = module.state.get(part)
        if not isinstance(found, dict):
            raise refusal(self.name, f"a module without {part}", shown(found), "a dict", UNKNOWN)
        for name in found:
            if not _NAME.fullmatch(name):
                raise refusal(
                    self.name, f"a name in {part}", shown(name), "letters and digits", UNKNOWN
                )
        return found
