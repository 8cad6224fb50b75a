"""What a name in NVIDIA's pickles stands for: a closed table of functions of ours.

The safety argument of the whole import is here: the only functions that a file can reach are the
methods of `Envelope`, and each of them checks its arguments, does a bounded amount of work and
returns data. A network's source text, which NVIDIA's reader executes, is never looked at.
"""

import struct
from dataclasses import dataclass

from tedigan.errors import WeightsError
from tedigan.store.pickles.tensors import TensorRef, describe_tensor, read_storage
from tedigan.store.pickles.values import UNKNOWN, Budget, Call, Inert, refusal, shown

PERSISTENCE_VERSION = 6
MAX_SET = 64

_SCALARS = {"f2": "<e", "f4": "<f", "f8": "<d", "i4": "<i", "i8": "<q", "u1": "<B", "b1": "<?"}
_INERT = {
    f"{package}.{name}"
    for package in ("numpy.core", "numpy._core")
    for name in ("multiarray._reconstruct", "numeric._frombuffer")
} | {"numpy.dtype", "numpy.ndarray", "torch.Size", "torch.device"}
_TENSORFLOW = ("dnnlib.tflib.", "tfutil.", "tensorflow.")
_IS_TENSORFLOW = (
    "Convert it with legacy.py of stylegan2-ada-pytorch, on a machine that you can afford to lose, "
    "and import the result."
)


@dataclass(frozen=True, eq=False)
class Module:
    """A persistent object as the file describes it."""

    class_name: str
    state: dict[str, object]


class Envelope:
    """What a name in the file can stand for; these methods are all that a file can reach."""

    def __init__(self, name: str) -> None:
        """Start with a full budget for the file `name`."""
        self.name = name
        self.budget = Budget()
        self._calls: dict[str, Call] = {
            "torch_utils.persistence._reconstruct_persistent_obj": self._module,
            "torch._utils._rebuild_tensor_v2": self._tensor,
            "torch._utils._rebuild_parameter": self._parameter,
            "torch.storage._load_from_bytes": self._storage,
            "dnnlib.util.EasyDict": self._empty_dict,
            "collections.OrderedDict": self._empty_dict,
            "builtins.set": self._set,
            "numpy.core.multiarray.scalar": self._scalar,
            "numpy._core.multiarray.scalar": self._scalar,
        }

    def resolve(self, name: str) -> Call:
        """Return the function of ours that stands for a name, or refuse the name."""
        if name in _INERT:
            return lambda args: Inert(name, args)
        if name in self._calls:
            return self._calls[name]
        if name.startswith(_TENSORFLOW):
            what, want = "a TensorFlow network", "a PyTorch one (stylegan2-ada-pytorch, stylegan3)"
            raise refusal(self.name, what, shown(name), want, _IS_TENSORFLOW)
        what, want = "it names something that we do not allow", "what NVIDIA's snapshots name"
        raise refusal(self.name, what, shown(name), want, UNKNOWN)

    def _refuse(self, what: str, args: tuple[object, ...], want: str) -> WeightsError:
        return refusal(self.name, what, f"({', '.join(shown(value) for value in args[:6])})", want)

    def _module(self, args: tuple[object, ...]) -> object:
        match args:
            case (
                {
                    "type": "class",
                    "version": int(version),
                    "class_name": str(name),
                    "state": dict(state),
                },
            ):
                if version == PERSISTENCE_VERSION:
                    return Module(name, state)
                want = f"version {PERSISTENCE_VERSION}"
                raise refusal(
                    self.name, "another persistence format", f"version {version}", want, UNKNOWN
                )
        raise self._refuse("not a persistent object", args, "type, version, class_name and state")

    def _tensor(self, args: tuple[object, ...]) -> object:
        return describe_tensor(args, name=self.name)

    def _parameter(self, args: tuple[object, ...]) -> object:
        match args:
            case (TensorRef() as tensor, bool(), _):
                return tensor
        raise self._refuse("not a parameter", args, "(tensor, requires_grad, hooks)")

    def _storage(self, args: tuple[object, ...]) -> object:
        match args:
            case (memoryview() as data,):
                return read_storage(data, name=self.name, budget=self.budget)
        raise self._refuse("not a storage", args, "(bytes,)")

    def _empty_dict(self, args: tuple[object, ...]) -> object:
        if args:
            raise self._refuse(
                "a dict made from something", args, "an empty one, filled item by item"
            )
        return {}

    def _set(self, args: tuple[object, ...]) -> object:
        match args:
            case (list(values),) if len(values) <= MAX_SET:
                return {value for value in values if isinstance(value, str)}
        raise self._refuse("not a set", args, f"(list of up to {MAX_SET},)")

    def _scalar(self, args: tuple[object, ...]) -> object:
        match args:
            case (Inert(name="numpy.dtype", args=(str(code), *_)), memoryview() as data):
                form = _SCALARS.get(code, "")
                if form and len(data) == struct.calcsize(form):
                    value: object = struct.unpack(form, data)[0]
                    return value
        raise self._refuse("not a numpy scalar", args, f"(dtype, bytes) of {', '.join(_SCALARS)}")
