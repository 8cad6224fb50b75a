"""Tensors in NVIDIA's pickles: a storage is a `torch.save` stream in a string, a tensor its view.

The stream is torch's legacy format: four pickles (magic number, protocol, system, the storage's
description), a fifth with its key, then the number of values and the values. We read it with the
same restricted machine; `torch.load` is not called. A tensor stays a `TensorRef`, a few numbers,
until `materialise` copies it out, so a file that describes a million tensors over one storage
costs nothing.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from tedigan.store.pickles.machine import PickleReader
from tedigan.store.pickles.values import Budget, Call, refusal, shown

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C  # torch/serialization.py
PROTOCOL = 1001
MAX_DIMENSIONS = 8

DTYPES = {
    "torch.DoubleStorage": torch.float64,
    "torch.FloatStorage": torch.float32,
    "torch.HalfStorage": torch.float16,
    "torch.BFloat16Storage": torch.bfloat16,
    "torch.LongStorage": torch.int64,
    "torch.IntStorage": torch.int32,
    "torch.ShortStorage": torch.int16,
    "torch.CharStorage": torch.int8,
    "torch.ByteStorage": torch.uint8,
    "torch.BoolStorage": torch.bool,
}


@dataclass(frozen=True, eq=False)
class Storage:
    """The values of one or more tensors, still in the file."""

    dtype: torch.dtype
    data: memoryview

    @property
    def numel(self) -> int:
        """Number of values."""
        return len(self.data) // self.dtype.itemsize


@dataclass(frozen=True, eq=False)
class TensorRef:
    """A tensor as the file describes it; its bounds are checked, its values not yet copied."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Bytes that its copy will take."""
        return math.prod(self.size) * self.storage.dtype.itemsize

    def materialise(self) -> torch.Tensor:
        """Copy the values out of the file into a contiguous tensor of its own."""
        dtype, width = self.storage.dtype, self.storage.dtype.itemsize
        raw = np.ndarray(
            shape=self.size,
            dtype=f"<i{width}",
            buffer=self.storage.data,
            offset=self.offset * width,
            strides=tuple(step * width for step in self.stride),
        )
        tensor = torch.from_numpy(np.array(raw, order="C"))
        return tensor != 0 if dtype is torch.bool else tensor.view(dtype)


@dataclass(frozen=True, eq=False)
class _Description:
    dtype: torch.dtype
    key: str
    numel: int


def read_storage(data: memoryview, *, name: str, budget: Budget) -> Storage:
    """Read one `torch.save` stream that holds a bare storage; the values stay in the file."""

    def resolve(what: str) -> Call:
        if what not in DTYPES:
            raise refusal(
                name, "unknown kind of storage", shown(what), f"one of {', '.join(DTYPES)}"
            )
        return lambda _: what  # never used: the kind is read from the name

    def describe(identity: object) -> object:
        match identity:
            case ("storage", kind, str(key), str(), int(numel), None) if numel >= 0:
                if (dtype := DTYPES.get(getattr(kind, "name", ""))) is not None:
                    return _Description(dtype, key, numel)
        want = "('storage', kind, key, device, numel, None)"
        raise refusal(name, "not the description of a storage", shown(identity), want)

    reader = PickleReader(data, name=name, resolve=resolve, budget=budget, persistent=describe)
    if (magic := reader.load()) != MAGIC_NUMBER or (protocol := reader.load()) != PROTOCOL:
        got = shown(magic) if magic != MAGIC_NUMBER else f"protocol {shown(protocol)}"
        want = f"torch's legacy magic number and protocol {PROTOCOL}"
        raise refusal(name, "a storage is not a stream of torch.save", got, want)
    system = reader.load()
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise refusal(name, "a storage of another machine", shown(system), "a little-endian one")
    description, keys = reader.load(), reader.load()
    if not isinstance(description, _Description) or keys != [description.key]:
        got = f"{shown(description)} and {shown(keys)}"
        raise refusal(name, "a stream that is not one storage", got, "a storage and its key")
    numel = reader.take(8)
    values = data[reader.position :]
    if numel != description.numel or len(values) != numel * description.dtype.itemsize:
        got = f"{len(values)} bytes for {numel} values"
        want = f"{description.numel} values of {description.dtype.itemsize} bytes"
        raise refusal(name, "a storage of the wrong length", got, want)
    return Storage(description.dtype, values)


def describe_tensor(args: tuple[object, ...], *, name: str) -> TensorRef:
    """Check the arguments of `_rebuild_tensor_v2`: does this view lie inside its storage?"""
    want = "(storage, offset, size, stride, requires_grad, hooks)"
    match args:
        case (Storage() as storage, int(offset), tuple(size), tuple(stride), bool(), _, *_):
            pass
        case _:
            got = ", ".join(shown(value) for value in args[:6])
            raise refusal(name, "not the description of a tensor", f"({got})", want)
    if len(size) != len(stride) or len(size) > MAX_DIMENSIONS:
        got = f"{len(size)} sizes, {len(stride)} strides"
        raise refusal(
            name, "a tensor's shape is malformed", got, f"as many, up to {MAX_DIMENSIONS}"
        )
    sizes = tuple(step for step in size if type(step) is int and step >= 1)
    strides = tuple(step for step in stride if type(step) is int and step >= 0)
    if len(sizes) != len(size) or len(strides) != len(stride) or offset < 0:
        got = f"offset {offset}, {[shown(step) for step in size + stride]}"
        raise refusal(
            name, "a tensor's shape is malformed", got, "sizes from 1, strides and offset from 0"
        )
    strides = tuple(step if length > 1 else 1 for length, step in zip(sizes, strides, strict=True))
    last = offset + sum((length - 1) * step for length, step in zip(sizes, strides, strict=True))
    if last >= storage.numel or math.prod(sizes) > storage.numel:
        got = f"sizes {sizes}, last value at {last}"
        raise refusal(
            name, "a tensor does not fit its storage", got, f"at most {storage.numel} values"
        )
    return TensorRef(storage, offset, sizes, strides)
