"""Tensors in a foreign file: a storage is a stretch of the file, a tensor a checked view of it.

A tensor stays a `TensorRef`, a few numbers, until `materialise` copies it out, so a file that
describes a million tensors over one storage costs nothing.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import torch

from tedigan.foreign.pickles.values import Call, Global, refusal, shown

MAX_DIMENSIONS = 8
MAX_NUMEL = 2**48  # of a shape with the zeros left out

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


@dataclass(eq=False, slots=True)
class Storage:
    """The values of one or more tensors, still in the file.

    numel: number of values that the file claims. data: the values, as soon as the container has
    found them and compared their length with the claim.
    """

    dtype: torch.dtype
    numel: int
    data: memoryview | None = field(default=None, repr=False)

    @property
    def nbytes(self) -> int:
        """Bytes that the values take in the file."""
        return self.numel * self.dtype.itemsize


@dataclass(frozen=True, eq=False, slots=True)
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
        if self.nbytes == 0:
            return torch.empty(self.size, dtype=dtype)
        assert self.storage.data is not None, "a container leaves no described storage unfilled"
        raw = np.ndarray(
            shape=self.size,
            dtype=f"<i{width}",
            buffer=self.storage.data,
            offset=self.offset * width,
            strides=tuple(step * width for step in self.stride),
        )
        tensor = torch.from_numpy(np.array(raw, order="C"))
        return tensor != 0 if dtype is torch.bool else tensor.view(dtype)


def storage_kind(what: str, *, name: str) -> Call:
    """Resolve the name of a kind of storage, and no other; nothing may call it."""
    if what not in DTYPES:
        kinds = f"one of {', '.join(DTYPES)}"
        raise refusal(name, "unknown kind of storage", shown(what), kinds)

    def refuse(args: tuple[object, ...]) -> object:
        raise refusal(name, "a kind of storage is called", shown(args), "a persistent id")

    return refuse


def describe_storage(identity: tuple[object, ...], *, name: str) -> tuple[str, Storage]:
    """Return the key and the claims of a storage from a persistent id, which torch writes."""
    match identity:
        case ("storage", Global(name=kind), str(key), str(), int(numel)) if numel >= 0:
            if kind in DTYPES:
                return key, Storage(DTYPES[kind], numel)
    want = "('storage', kind, key, device, numel)"
    got = f"({', '.join(shown(value) for value in identity[:5])})"
    raise refusal(name, "not the description of a storage", got, want)


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
    sizes = tuple(step for step in size if type(step) is int and step >= 0)
    strides = tuple(step for step in stride if type(step) is int and step >= 0)
    if len(sizes) != len(size) or len(strides) != len(stride) or offset < 0:
        got = f"offset {offset}, {[shown(step) for step in size + stride]}"
        raise refusal(name, "a tensor's shape is malformed", got, "no negative number")
    if math.prod(step or 1 for step in sizes) > MAX_NUMEL:
        raise refusal(name, "a giant tensor", f"sizes {sizes}", f"at most {MAX_NUMEL} values")
    if 0 in sizes:
        return TensorRef(storage, 0, sizes, (1,) * len(sizes))
    strides = tuple(step if length > 1 else 1 for length, step in zip(sizes, strides, strict=True))
    last = offset + sum((length - 1) * step for length, step in zip(sizes, strides, strict=True))
    if last >= storage.numel:
        got = f"sizes {sizes}, last value at {last}"
        raise refusal(
            name, "a tensor does not fit its storage", got, f"at most {storage.numel} values"
        )
    return TensorRef(storage, offset, sizes, strides)
