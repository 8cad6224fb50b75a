"""What a name in NVIDIA's pickles stands for: a closed table of functions of ours.

The safety argument of the whole import is here: the only functions that a file can reach are the
methods of `Envelope` and those of pickles/names.py, and each of them checks its arguments, does a
bounded amount of work and returns data. A network's source text, which NVIDIA's reader executes,
is never looked at.
"""

from dataclasses import dataclass

from tedigan.foreign.pickles.names import INERT, common_calls, unfit
from tedigan.foreign.pickles.streams import read_storage
from tedigan.foreign.pickles.values import UNKNOWN, Budget, Call, Inert, refusal, shown

PERSISTENCE_VERSION = 6
MAX_SET = 64

_INERT = INERT | {"torch.Size", "torch.device"}
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
    """What a name in the file can stand for, apart from tensors and numbers."""

    def __init__(self, name: str) -> None:
        """Start with a full budget for the file `name`."""
        self.name = name
        self.budget = Budget()
        self._calls: dict[str, Call] = common_calls(name) | {
            "torch_utils.persistence._reconstruct_persistent_obj": self._module,
            "torch.storage._load_from_bytes": self._storage,
            "dnnlib.util.EasyDict": self._empty_dict,
            "collections.OrderedDict": self._empty_dict,
            "builtins.set": self._set,
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
        raise unfit(
            self.name, "not a persistent object", args, "type, version, class_name and state"
        )

    def _storage(self, args: tuple[object, ...]) -> object:
        match args:
            case (memoryview() as data,):
                return read_storage(data, name=self.name, budget=self.budget)
        raise unfit(self.name, "not a storage", args, "(bytes,)")

    def _empty_dict(self, args: tuple[object, ...]) -> object:
        if args:
            raise unfit(
                self.name, "a dict made from something", args, "an empty one, filled item by item"
            )
        return {}

    def _set(self, args: tuple[object, ...]) -> object:
        match args:
            case (list(values),) if len(values) <= MAX_SET:
                return {value for value in values if isinstance(value, str)}
        raise unfit(self.name, "not a set", args, f"(list of up to {MAX_SET},)")
