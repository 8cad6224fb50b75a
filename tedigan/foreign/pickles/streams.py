"""torch.save's older format: one stream of pickles, then the values of the storages.

The pickles are the magic number, the format's version, the system that wrote it, the content
(whose tensors name their storages), and the list of the storages' keys. After them each storage in
the order of that list: the number of values, then the values. Files from before torch 1.6 are such
streams, and so is each storage in NVIDIA's pickles.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tedigan.foreign.pickles.cursor import Cursor
from tedigan.foreign.pickles.machine import PickleReader
from tedigan.foreign.pickles.storages import Storage, describe_storage, storage_kind
from tedigan.foreign.pickles.values import Budget, Call, refusal, shown

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C  # torch/serialization.py
PROTOCOL = 1001


def is_stream(data: memoryview) -> bool:
    """Whether the data begin with torch's magic number, in a pickle of any protocol."""
    return MAGIC_NUMBER.to_bytes(10, "little") in bytes(data[:32])


def read_stream(
    data: memoryview, *, name: str, resolve: Callable[[str], Call], budget: Budget
) -> object:
    """Read all of `data` as one stream; the values of its storages stay in the file."""
    cursor, storages = Cursor(data, name=name), _Storages(name)
    reader = PickleReader(cursor, resolve=resolve, budget=budget, persistent=storages.describe)
    if (magic := reader.load()) != MAGIC_NUMBER or (protocol := reader.load()) != PROTOCOL:
        got = shown(magic) if magic != MAGIC_NUMBER else f"protocol {shown(protocol)}"
        want = f"torch's legacy magic number and protocol {PROTOCOL}"
        raise refusal(name, "not a stream of torch.save", got, want)
    system = reader.load()
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise refusal(name, "a file of another machine", shown(system), "a little-endian one")
    content, keys = reader.load(), reader.load()
    storages.fill(cursor, keys)
    return content


def read_storage(data: memoryview, *, name: str, budget: Budget) -> Storage:
    """Read one stream whose content is a bare storage, as NVIDIA's pickles hold them."""
    content = read_stream(data, name=name, resolve=partial(storage_kind, name=name), budget=budget)
    if not isinstance(content, Storage):
        raise refusal(name, "a stream that is not one storage", shown(content), "a storage")
    return content


@dataclass(frozen=True)
class _View:
    """A stretch of a storage that an ancient file treats as a storage of its own."""

    root: Storage
    offset: int
    storage: Storage


class _Storages:
    """The storages of one stream: described in its content, filled from its end."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._roots: dict[str, Storage] = {}
        self._views: dict[str, _View] = {}

    def describe(self, identity: object) -> Storage:
        """Return the storage that a persistent id names."""
        if not isinstance(identity, tuple) or len(identity) != 6:
            want = "('storage', kind, key, device, numel, view)"
            raise refusal(self._name, "not the description of a storage", shown(identity), want)
        key, described = describe_storage(identity[:5], name=self._name)
        root = self._roots.setdefault(key, described)
        if (root.dtype, root.numel) != (described.dtype, described.numel):
            got = f"{described.numel} values of {described.dtype}"
            want = f"{root.numel} of {root.dtype}"
            raise refusal(self._name, f"storage {key[:20]!r} is described twice", got, want)
        return root if identity[5] is None else self._view(root, identity[5])

    def _view(self, root: Storage, description: object) -> Storage:
        match description:
            case (str(key), int(offset), int(numel)) if 0 <= offset <= offset + numel <= root.numel:
                view = self._views.setdefault(key, _View(root, offset, Storage(root.dtype, numel)))
                if (view.root, view.offset, view.storage.numel) == (root, offset, numel):
                    return view.storage
        want = "(key, offset, numel) inside its storage"
        raise refusal(self._name, "not a view of a storage", shown(description), want)

    def fill(self, cursor: Cursor, keys: object) -> None:
        """Find the values of the storages behind the list of their keys, and nothing else."""
        missing = dict(self._roots)
        for key in keys if isinstance(keys, list) else [keys]:
            storage = missing.pop(key, None) if isinstance(key, str) else None
            if storage is None:
                raise cursor.refuse("not the key of a storage", shown(key), "each key once")
            if (numel := cursor.take(8)) != storage.numel:
                got, want = f"{numel} values", f"the {storage.numel} that were described"
                raise cursor.refuse("a storage of the wrong length", got, want)
            storage.data = cursor.take_bytes(storage.nbytes)
        if missing or cursor.position != len(cursor.data):
            got = f"{len(missing)} storages without values, {len(cursor.data) - cursor.position} bytes"
            raise cursor.refuse("the stream does not end with its storages", got, "none left")
        for view in self._views.values():
            width = view.root.dtype.itemsize
            assert view.root.data is not None, "every root is filled by now"
            start = view.offset * width
            view.storage.data = view.root.data[start : start + view.storage.nbytes]
