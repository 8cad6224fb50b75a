"""Files of torch.save, in both of its containers, read as data: nothing in them is executed.

`read_torch_file` is the door. The content comes out as dicts, lists and plain values in which a
tensor is still a `TensorRef`, a place in the mapped file; `TorchFile.state_dict` copies tensors.
`torch.load` is not called. Not covered: whether the numbers are good (a NaN is a number; compare
the file's sha256), and a file that shrinks while it is read.
"""

from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from tedigan.errors import KeysError, WeightsError
from tedigan.foreign.pickles.archives import SIGNATURE, read_archive
from tedigan.foreign.pickles.cursor import Cursor
from tedigan.foreign.pickles.harvest import MAX_DEPTH, Harvest
from tedigan.foreign.pickles.machine import PickleReader
from tedigan.foreign.pickles.mapped_file import mapped
from tedigan.foreign.pickles.storages import Storage, TensorRef, describe_storage
from tedigan.foreign.pickles.streams import is_stream, read_stream
from tedigan.foreign.pickles.torch_names import FOREIGN, MAX_OPCODES, TorchNames
from tedigan.foreign.pickles.values import Global, Inert, refusal, shown

_KIND = "a file of torch.save (.pt, .pth)"
_FETCH = "Download the file itself; a browser may have to confirm the download first."
_EXPORT = "Load it where it was made and save only its state_dict() with torch.save."
_OTHERS = [
    # where it stands, the bytes, what it is, what to do
    (0, b"version https://git-lfs", "a pointer of Git LFS", "Fetch the file with `git lfs pull`."),
    (0, b"<", "a web page", _FETCH),
    (0, b"{", "a JSON text", _FETCH),
    (0, b"\x1f\x8b", "a gzip file", "Unpack it first."),
    (0, b"\x89HDF", "an HDF5 file", "It is Keras's; choose the PyTorch file."),
    (8, b'{"', "a safetensors file", "It is safe already; give the folder that holds it."),
    (257, b"ustar", "a tar file, as torch before 0.2 wrote", _EXPORT),
    (0, b"\x80", "a pickle that torch.save did not write", "An NVIDIA network must end in .pkl."),
]


@dataclass(eq=False)
class TorchFile:
    """What is in a file: nested dicts, lists, texts, numbers, None, and `TensorRef` for tensors.

    name: the file's name, for messages. content: keys are texts, tuples are lists, a Namespace is
    a dict, a dtype, device or path is a text; what we allow and do not need is an `Inert`.
    """

    name: str
    content: dict[str, object] = field(repr=False)
    _num_bytes: int
    _taken: dict[tuple[str, ...], int] = field(default_factory=dict)

    def state_dict(self, *sections: str) -> dict[str, Tensor]:
        """Copy the tensors that stand directly in a section; other values are left out.

        sections: the keys on the way to the section; none means the file's top.
        Returns contiguous tensors on the CPU, in their own dtypes, under the file's names.
        Raises KeysError if there is no such section, WeightsError if all the sections copied so
        far would take more bytes than the file has.
        """
        section = self._section(sections)
        self._taken.pop(sections, None)
        bytes_left = self._num_bytes - sum(self._taken.values())
        harvest = Harvest(self.name, len(section), bytes_left, advice=FOREIGN)
        refs = {key: ref for key, ref in section.items() if isinstance(ref, TensorRef)}
        tensors = {key: harvest.copy(key, ref) for key, ref in refs.items()}
        self._taken[sections] = bytes_left - harvest.bytes_left
        return tensors

    def _section(self, sections: tuple[str, ...]) -> dict[str, object]:
        section = self.content
        for key in sections:
            found = section.get(key)
            if not isinstance(found, dict):
                got = f"{shown(found)} in {', '.join(map(repr, list(section)[:8]))[:200]}"
                advice = "It is another kind of checkpoint; choose the file with that part."
                raise KeysError(
                    str(refusal(self.name, f"no section {key!r}", got, "a dict", advice))
                )
            section = found
        return section


def is_zip(path: Path) -> bool:
    """Whether it is the newer container, whatever its name says; False for what is no file."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(SIGNATURE)) == SIGNATURE


def read_torch_file(path: Path, *, max_bytes: int = 8 * 2**30) -> TorchFile:
    """Read what a file of torch.save describes; its tensors stay in the file until they are asked for.

    max_bytes: refuse larger files; an e4e training file with its optimizers takes about 4 GB.
    Raises WeightsError for anything else: names the place or the entry, and what to do.
    """
    data = mapped(path, max_bytes=max_bytes, kind=_KIND)
    names = TorchNames(path.name)
    if data[:4] == SIGNATURE:
        content = _read_zip(data, names)
    elif is_stream(data):
        content = read_stream(data, name=path.name, resolve=names.resolve, budget=names.budget)
    else:
        raise _other_kind(data, path.name)
    if not isinstance(content, dict):
        raise refusal(path.name, "not a checkpoint", shown(content), "a dict", FOREIGN)
    harvest = Harvest(path.name, MAX_OPCODES, bytes_left=0, advice=FOREIGN)
    return TorchFile(path.name, _plain_dict(content, MAX_DEPTH, harvest), len(data))


def _read_zip(data: memoryview, names: TorchNames) -> object:
    """Read the pickle in a zip file, whose storages are entries of their own."""
    entries = read_archive(data, name=names.name)
    if any(path.startswith("code/") for path in entries):
        got, want = "a TorchScript program", "torch.save of a dict"
        raise refusal(names.name, "not a file of torch.save", got, want, _EXPORT)
    if "data.pkl" not in entries:
        got = f"a zip file of {', '.join(map(repr, list(entries)[:4])) or 'nothing'}"
        raise refusal(names.name, "no data.pkl in it", got, _KIND)
    if (order := bytes(entries.get("byteorder", memoryview(b"little"))[:8])) != b"little":
        raise refusal(names.name, "a file of another machine", repr(order), "b'little'", _EXPORT)
    cursor = Cursor(entries["data.pkl"], name=f"{names.name}/data.pkl")
    storages = _Storages(names.name, entries)
    content = PickleReader(
        cursor, resolve=names.resolve, budget=names.budget, persistent=storages.describe
    ).load()
    if cursor.position != len(cursor.data):
        got = f"{len(cursor.data) - cursor.position} more bytes"
        raise cursor.refuse("something behind the pickle", got, "its end")
    return content


class _Storages:
    """The storages of a zip file, one entry each."""

    def __init__(self, name: str, entries: dict[str, memoryview]) -> None:
        self._name = name
        self._entries = entries
        self._found: dict[str, Storage] = {}

    def describe(self, identity: object) -> Storage:
        """Return the storage that a persistent id names, if its entry is as it says."""
        parts = identity if isinstance(identity, tuple) else (identity,)
        key, described = describe_storage(parts, name=self._name)
        storage = self._found.setdefault(key, described)
        values = self._entries.get(f"data/{key}")
        if values is None or len(values) != described.nbytes or described.dtype != storage.dtype:
            got = "none" if values is None else f"{len(values)} bytes of {storage.dtype}"
            want = f"{described.nbytes} bytes of {described.dtype}"
            raise refusal(self._name, f"the values of storage {key[:20]!r}", got, want)
        storage.data = values
        return storage


def _other_kind(data: memoryview, name: str) -> WeightsError:
    """Say what a file is, if it is not torch.save's."""
    start = bytes(data[:300])
    for place, mark, kind, advice in _OTHERS:
        if start[place:].lstrip(b"\xef\xbb\xbf \r\n\t").startswith(mark):
            return refusal(name, "not a file of torch.save", kind, _KIND, advice)
    return refusal(name, "not a file of torch.save", f"the bytes {start[:8].hex(' ')}", _KIND)


def _plain_dict(
    content: dict[str, object], levels_left: int, harvest: Harvest
) -> dict[str, object]:
    """Turn what the pickle machine made into a tree of plain values, counting its parts."""
    return {key: _plain(value, key, levels_left - 1, harvest) for key, value in content.items()}


def _plain(value: object, where: str, levels_left: int, harvest: Harvest) -> object:
    harvest.count(where, levels_left)
    match value:
        case dict():
            return _plain_dict(value, levels_left, harvest)
        case list() | tuple() | set():
            return [_plain(item, where, levels_left - 1, harvest) for item in value]
        case Global(name=name):
            return name
        case memoryview():
            return Inert("bytes", (value,))
    return value
