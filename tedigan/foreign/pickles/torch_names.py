"""What a name in a file of torch.save stands for: a closed table of functions of ours.

Checkpoints hold more than tensors: counters, settings in an argparse.Namespace, optimizers. The
table knows what real training scripts store, and makes plain data of it: a Namespace becomes a
dict, a path a text. Everything else is refused by its name. Work that grows with what the file
says, such as copying items or letters, is charged to the file's budget.
"""

from functools import partial
from pathlib import PurePath, PurePosixPath, PureWindowsPath

from tedigan.foreign.pickles.names import INERT, common_calls, unfit
from tedigan.foreign.pickles.storages import DTYPES, TensorRef, describe_tensor, storage_kind
from tedigan.foreign.pickles.values import Attributes, Budget, Call, Global, Inert, Record, refusal

MAX_OPCODES = 600_000  # an e4e training file with its optimizers takes 142 645
FOREIGN = (
    "Nothing from it was run. If you trust who made the file, load it where it was made and save "
    "only state_dict() and plain settings with torch.save."
)
_TYPES = {
    f"{module}.{name}"
    for module in ("builtins", "__builtin__")  # Python 3's name and Python 2's
    for name in ("bool", "dict", "float", "int", "list", "str", "tuple")
}
_DTYPES = {str(dtype) for dtype in DTYPES.values()}
_LETTERS_PER_ITEM = 8


class TorchNames:
    """What a name in the file can stand for, apart from tensors and numbers."""

    def __init__(self, name: str) -> None:
        """Start with a full budget for the file `name`."""
        self.name = name
        self.budget = Budget(opcodes=MAX_OPCODES)
        self._calls: dict[str, Call] = common_calls(name) | {
            "torch._utils._rebuild_tensor": self._ancient_tensor,
            "torch.Size": self._sequence,
            "torch.device": self._device,
            "argparse.Namespace": self._attributes,
            "types.SimpleNamespace": self._attributes,
            "easydict.EasyDict": self._record,
            "dnnlib.util.EasyDict": self._record,
            "collections.OrderedDict": self._record,
            "collections.defaultdict": self._default_dict,
            "collections.Counter": self._counter,
            "builtins.set": self._sequence,
            "__builtin__.set": self._sequence,
            "_codecs.encode": self._bytes,
        }
        for module in ("pathlib", "pathlib._local"):
            self._calls[f"{module}.PosixPath"] = partial(self._path, PurePosixPath)
            self._calls[f"{module}.WindowsPath"] = partial(self._path, PureWindowsPath)

    def resolve(self, name: str) -> Call:
        """Return the function of ours that stands for a name, or refuse the name."""
        if name in INERT:
            return lambda args: Inert(name, args)
        if name in self._calls:
            return self._calls[name]
        if name in DTYPES:
            return storage_kind(name, name=self.name)
        if name in _TYPES | _DTYPES:
            return self._no_call
        what = "it names something that we do not allow"
        want = "tensors, numbers, texts, lists, dicts and argparse.Namespace"
        raise refusal(self.name, what, repr(name[:80]), want, FOREIGN)

    def _no_call(self, args: tuple[object, ...]) -> object:
        raise unfit(self.name, "a call of a type", args, "its name alone")

    def _ancient_tensor(self, args: tuple[object, ...]) -> TensorRef:
        if len(args) != 4:
            raise unfit(self.name, "not a tensor", args, "(storage, offset, size, stride)")
        return describe_tensor((*args, False, None), name=self.name)

    def _sequence(self, args: tuple[object, ...]) -> object:
        match args:
            case (list() | tuple() as values,):
                return values
        raise unfit(self.name, "not a size or a set", args, "(values,)")

    def _device(self, args: tuple[object, ...]) -> str:
        match args:
            case (str(kind),) if len(kind) <= 16:
                return kind
            case (str(kind), int(index)) if len(kind) <= 16:
                return f"{kind}:{index}"
        raise unfit(self.name, "not a device", args, "(kind, index)")

    def _attributes(self, args: tuple[object, ...]) -> Attributes:
        if args:
            raise unfit(self.name, "a namespace made from something", args, "an empty one")
        return Attributes()

    def _record(self, args: tuple[object, ...]) -> Record:
        """Make an empty dict, or Python 2's OrderedDict, which is a call with a list of items."""
        record = Record()
        match args:
            case ():
                return record
            case (list(items),):
                self.budget.charge(len(items))
                for item in items:
                    match item:
                        case [str(key), value]:
                            record[key] = value
                        case _:
                            raise unfit(self.name, "not an item of a dict", (item,), "[key, value]")
                return record
        raise unfit(self.name, "a dict made from something", args, "an empty one or ([items],)")

    def _default_dict(self, args: tuple[object, ...]) -> Record:
        match args:
            case () | (Global() | None,):
                return Record()
        raise unfit(self.name, "not a defaultdict", args, "(type,)")

    def _counter(self, args: tuple[object, ...]) -> object:
        match args:
            case (dict(counts),):
                return counts
        raise unfit(self.name, "not a counter", args, "({value: count},)")

    def _bytes(self, args: tuple[object, ...]) -> memoryview:
        """Read bytes in protocol 2, which has no opcode for them."""
        match args:
            case (str(text), "latin1"):
                self.budget.charge(len(text) // _LETTERS_PER_ITEM)
                return memoryview(text.encode("latin1", "replace"))
        raise unfit(self.name, "not bytes", args, "(text, 'latin1')")

    def _path(self, kind: type[PurePath], args: tuple[object, ...]) -> str:
        parts = [part for part in args if isinstance(part, str)]
        self.budget.charge(len(parts) + sum(map(len, parts)) // _LETTERS_PER_ITEM)
        if len(parts) != len(args) or self.budget.opcodes < 0:
            raise unfit(self.name, "not a path", args, "a few short texts")
        return str(kind(*parts))
