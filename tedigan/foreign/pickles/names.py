"""Names that stand for the same thing in every file: tensors, and numpy's numbers.

Each is a function of ours from the arguments in the file to data; it checks them, does a bounded
amount of work and calls nothing of torch or numpy.
"""

import struct
from functools import partial

from tedigan.errors import WeightsError
from tedigan.foreign.pickles.storages import TensorRef, describe_tensor
from tedigan.foreign.pickles.values import Call, Inert, refusal, shown

_NUMPY = ("numpy.core", "numpy._core")
_FLOATS = {"f2": "<e", "f4": "<f", "f8": "<d"}
_INTEGERS = {"i1": "<b", "i2": "<h", "i4": "<i", "i8": "<q", "u1": "<B", "u2": "<H", "u4": "<I"}
_SCALARS = _FLOATS | _INTEGERS | {"u8": "<Q", "b1": "<?"}
INERT = {
    f"{package}.{name}"
    for package in _NUMPY
    for name in ("multiarray._reconstruct", "numeric._frombuffer")
} | {"numpy.dtype", "numpy.ndarray"}


def common_calls(name: str) -> dict[str, Call]:
    """Return the functions that stand for the common names in the file `name`."""
    scalar = partial(_scalar, name=name)
    return {
        "torch._utils._rebuild_tensor_v2": partial(describe_tensor, name=name),
        "torch._utils._rebuild_parameter": partial(_parameter, name=name),
    } | {f"{package}.multiarray.scalar": scalar for package in _NUMPY}


def unfit(name: str, what: str, args: tuple[object, ...], want: str) -> WeightsError:
    """Make the error for arguments that a function of ours does not take."""
    return refusal(name, what, f"({', '.join(shown(value) for value in args[:6])})", want)


def _parameter(args: tuple[object, ...], *, name: str) -> TensorRef:
    match args:
        case (TensorRef() as tensor, bool(), _):
            return tensor
    raise unfit(name, "not a parameter", args, "(tensor, requires_grad, hooks)")


def _scalar(args: tuple[object, ...], *, name: str) -> object:
    match args:
        case (
            Inert(name="numpy.dtype", args=(str(code), *_), state=(_, "<" | "|", *_)),
            memoryview() | str() as data,
        ):
            raw = data.encode("ascii", "replace") if isinstance(data, str) else data
            form = _SCALARS.get(code, "")
            if form and len(raw) == struct.calcsize(form):
                value: object = struct.unpack(form, raw)[0]
                return value
    raise unfit(name, "not a numpy scalar", args, f"(dtype, bytes) of {', '.join(_SCALARS)}")
