"""Torch files that lie, or want to take all time or memory: refused in seconds, for the right reason."""

import pickle
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.foreign.torch_containers import (
    archive,
    called,
    checkpoint,
    number,
    numbers,
    storage_id,
    stream,
    tensor,
    text,
    zipped,
)
from tests.foreign.watched_reader import read_all

pytestmark = pytest.mark.xdist_group("torch file bombs")

Cases = dict[str, tuple[Callable[[], bytes], str]]  # name: (how to make it, why it is refused)

# Pickles, in both containers

BIG = text("a" * 2**19)
STORAGE = {"0": bytes(8)}


def _values(*values: bytes) -> bytes:
    return checkpoint(x=b"](" + b"".join(values) + b"e")


def _view(numel: int, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> bytes:
    """Return a checkpoint of one tensor over a storage that says it has `numel` values."""
    return checkpoint(x=tensor(storage_id("0", numel), offset, size, stride))


def _doubling(levels: int) -> bytes:
    return b"]q\x00" + b"".join(b"h%c\x86q%c" % (i, i + 1) for i in range(levels))


PICKLES: Cases = {
    "BINUNICODE8 of 4 GiB": (
        lambda: b"\x80\x04\x8d" + struct.pack("<Q", 2**32) + b"abc.",
        "too much text",
    ),
    "BINBYTES8 of 2**63": (
        lambda: b"\x80\x04\x8e" + struct.pack("<Q", 2**63) + b"abc.",
        "too early",
    ),
    "BINSTRING of 4 GiB": (lambda: b"\x80\x02T\xff\xff\xff\xffabc.", "too much text"),
    "LONG4 of 2 GiB": (lambda: b"\x80\x02\x8b\xff\xff\xff\x7f\x01.", "an opcode that we do not"),
    "LONG1 of 255 bytes": (lambda: b"\x80\x02\x8a\xff" + bytes(255) + b".", "a giant integer"),
    "an INT of 200 digits": (lambda: b"\x80\x02I" + b"9" * 200 + b"\n.", "not an integer"),
    "an INT without end": (lambda: b"\x80\x02I" + b"9" * 10**6, "no end"),
    "a name without end": (lambda: b"\x80\x02c" + b"a" * 10**6, "no end"),
    "texts of 40 MB": (lambda: _values(BIG * 80), "too much text"),
    "bytes made from one text": (
        lambda: _values(BIG + b"q\x00", b"c_codecs\nencode\n(h\x00U\x06latin1tR" * 20_000),
        "too many opcodes",
    ),
    "paths made from one text": (
        lambda: _values(BIG + b"q\x00", b"cpathlib\nPosixPath\n(h\x00tR" * 20_000),
        "not a path",
    ),
    "dicts made from one list": (
        lambda: _values(
            b"](" + b"](U\x01aK\x01e" * 20_000 + b"eq\x00",
            b"ccollections\nOrderedDict\n(h\x00tR" * 20_000,
        ),
        "too many opcodes",
    ),
    "namespaces made from one dict": (
        lambda: _values(
            b"}(" + b"".join(b"U\x05%05dN" % i for i in range(50_000)) + b"uq\x00",
            b"cargparse\nNamespace\n)\x81h\x00b" * 20_000,
        ),
        "too many opcodes",
    ),
    "doubled tuples": (lambda: checkpoint(x=_doubling(60)), "nested without end"),
    "one list, 20000 times": (
        lambda: _values(b"](" + b"N" * 20_000 + b"eq\x00", b"h\x00" * 20_000),
        "more values than",
    ),
    "a list in itself": (lambda: checkpoint(x=b"]q\x00h\x00a"), "nested without end"),
    "a dict in itself": (lambda: b"\x80\x02}q\x00U\x01ah\x00s.", "nested without end"),
    "lists in lists": (lambda: checkpoint(x=b"]" * 100_000 + b"a" * 99_999), "more than 16 levels"),
    "tuples in tuples": (lambda: checkpoint(x=b")" + b"\x85" * 500_000), "more than 16 levels"),
    "dicts in dicts": (
        lambda: checkpoint(x=b"}U\x01a" * 100_000 + b"}" + b"s" * 100_000),
        "more than 16 levels",
    ),
    "pickles in pickles": (lambda: checkpoint(x=b"\x80\x02" * 9999 + b"N"), "do not run"),
    "marks without end": (lambda: b"\x80\x02" + b"(" * 5_000_000, "too many opcodes"),
    "sets without end": (lambda: b"\x80\x04" + b"\x8f" * 5_000_000, "too many opcodes"),
    "memo entries without end": (lambda: b"\x80\x04N" + b"\x94" * 5_000_000, "too many opcodes"),
    "names without end": (
        lambda: b"\x80\x02" + b"cargparse\nNamespace\n" * 700_000,
        "too many opcodes",
    ),
    "a key that is a list": (lambda: b"\x80\x02}]Ns.", "a dict key is not text"),
    "a tensor larger than its storage": (lambda: _view(2, 0, (2**40,), (1,)), "does not fit"),
    "a tensor beyond its storage": (lambda: _view(2, 1, (2,), (1,)), "does not fit"),
    "a tensor far beyond its storage": (lambda: _view(2, 2**62, (1,), (1,)), "does not fit"),
    "a tensor of stride 2**62": (lambda: _view(2, 0, (2, 2), (2**62, 1)), "does not fit"),
    "a tensor before its storage": (lambda: _view(2, -1, (1,), (1,)), "no negative number"),
    "a tensor of negative stride": (lambda: _view(2, 1, (2,), (-1,)), "no negative number"),
    "a tensor of negative size": (lambda: _view(2, 0, (-1,), (1,)), "no negative number"),
    "a tensor repeated by stride 0": (lambda: _view(2, 0, (2**30,), (0,)), "the file has bytes"),
    "a tensor of size 0 x 2**62": (lambda: _view(2, 0, (0, 2**62), (1, 1)), "a giant tensor"),
    "a tensor of size 2**100": (lambda: _view(2, 0, (2**100,), (0,)), "a giant tensor"),
    "a tensor of 9 axes": (lambda: _view(2, 0, (1,) * 9, (1,) * 9), "malformed"),
    "a tensor of two shapes": (lambda: _view(2, 0, (1, 1), (1,)), "malformed"),
    "a storage of 2**62 values": (lambda: _view(2**62, 0, (1,), (1,)), "storage"),
    "a storage of 2**100 values": (lambda: _view(2**100, 0, (1,), (1,)), "storage"),
    "a storage of -1 values": (lambda: _view(-1, 0, (1,), (1,)), "the description of a storage"),
}

# Zip files

HONEST = archive(_view(2, 0, (2,), (1,)), STORAGE)
DIRECTORY, END = HONEST.index(b"PK\x01\x02"), len(HONEST) - 22
COUNT, SIZE, START = struct.unpack_from("<HLL", HONEST, END + 10)
EMPTY = b"\x80\x02}."


def _patched(place: int, form: str, *values: int) -> bytes:
    raw = bytearray(HONEST)
    struct.pack_into(form, raw, place, *values)
    return bytes(raw)


def _with_end(**fields: int) -> bytes:
    values = {"here": COUNT, "total": COUNT, "size": SIZE, "start": START, "comment": 0} | fields
    return HONEST[:END] + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, *values.values())


def _with_64_bits(count: int) -> bytes:
    """Add a 64-bit record of the directory, which disagrees with the other about `count`."""
    fields = (44, 45, 45, 0, 0, count, count, SIZE, START)
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", *fields)
    return HONEST[:END] + record + struct.pack("<4sLQL", b"PK\6\7", 0, END, 1) + HONEST[END:]


def _one_entry_many_times(count: int) -> bytes:
    """Let each record of the directory name the same bytes, as a non-recursive zip bomb does."""
    path, kernel = b"a/data.pkl", bytes(2**16)
    sizes = (0, len(kernel), len(kernel), len(path), 0)
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, *sizes) + path + kernel
    record = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, *sizes, 0, 0, 0, 0, 0) + path
    fields = (0, 0, count, count, len(record) * count, len(local), 0)
    return local + record * count + struct.pack("<4s4H2LH", b"PK\5\6", *fields)


def _nested_archives(levels: int) -> bytes:
    data = EMPTY
    for _ in range(levels):
        data = zipped({"a/data.pkl": data})
    return data


def _many_tensors(count: int) -> bytes:
    """Return a zip file of one storage of 256 KiB that is listed `count` times."""
    one = tensor(storage_id("0", 2**16) + b"q\x00", 0, (2**16,), (1,))
    args = b"(h\x00K\x00" + numbers((2**16,)) + numbers((1,)) + b"\x89Ntq\x01"
    values = text("a") + one + text("b") + b"ctorch._utils\n_rebuild_tensor_v2\nq\x02" + args + b"R"
    values += b"".join(text(f"{i}") + b"h\x02h\x01R" for i in range(count))
    return archive(b"\x80\x02}(" + values + b"u.", {"0": bytes(2**18)})


_DEFLATED = {"compression": zipfile.ZIP_DEFLATED}
ARCHIVES: Cases = {
    "deflated": (lambda: archive(EMPTY, **_DEFLATED), r"neither compressed.*write it again"),
    "deflated zeros": (lambda: zipped({"a/data.pkl": bytes(2**24)}, **_DEFLATED), "compressed"),
    "4 GiB claimed once": (lambda: _patched(DIRECTORY + 24, "<L", 2**32 - 2), "neither compressed"),
    "4 GiB claimed twice": (lambda: _patched(DIRECTORY + 20, "<2L", *[2**32 - 2] * 2), "too early"),
    "64-bit sizes that are not there": (
        lambda: _patched(DIRECTORY + 20, "<2L", *[2**32 - 1] * 2),
        "no 64-bit numbers",
    ),
    "encrypted by the directory": (lambda: _patched(DIRECTORY + 8, "<H", 1), "nor encrypted"),
    "encrypted by the entry": (lambda: _patched(6, "<H", 1), "describes otherwise"),
    "compressed by the entry": (lambda: _patched(8, "<H", 8), "describes otherwise"),
    "another path in the entry": (lambda: _patched(30, "<B", 98), "describes otherwise"),
    "an entry that starts elsewhere": (
        lambda: _patched(DIRECTORY + 42, "<L", 1),
        "too early|describes otherwise",
    ),
    "an entry behind the file": (lambda: _patched(DIRECTORY + 42, "<L", 2**31), "too early"),
    "an entry of another disk": (
        lambda: _patched(DIRECTORY + 34, "<H", 1),
        "an entry of this file",
    ),
    "one entry fewer": (lambda: _with_end(here=COUNT - 1, total=COUNT - 1), "wrong length"),
    "one entry more": (lambda: _with_end(here=COUNT + 1, total=COUNT + 1), "too early"),
    "65535 entries claimed": (lambda: _with_end(here=65535, total=65535), "too many entries"),
    "two counts": (lambda: _with_end(here=1), "a damaged zip directory"),
    "two counts in 64 bits": (lambda: _with_64_bits(COUNT - 1), "described twice"),
    "a directory elsewhere": (lambda: _with_end(start=START - 46), "a damaged zip directory"),
    "no directory": (lambda: _with_end(size=0, start=END, here=0, total=0), r"no data\.pkl in it"),
    "a comment": (lambda: _with_end(comment=4) + b"PK\5\6", "the file has no end"),
    "bytes before it": (lambda: b"PK\3\4" + HONEST, "a damaged zip directory"),
    "bytes behind it": (lambda: HONEST + b"\0", "the file has no end"),
    "another zip file behind it": (lambda: HONEST + archive(EMPTY), "a damaged zip directory"),
    "two directories": (lambda: HONEST + HONEST[DIRECTORY:], "a damaged zip directory"),
    "an overlapping entry": (
        lambda: _patched(DIRECTORY + 20, "<2L", *[HONEST.index(b"PK\3\4", 4) - 40] * 2),
        "overlapping entries",
    ),
    "a thousand overlapping entries": (lambda: _one_entry_many_times(1000), "overlapping entries"),
    "a repeated entry": (
        lambda: archive(EMPTY, {"0": b"", "1": b""}).replace(b"e/data/1", b"e/data/0"),
        "a misplaced or repeated entry",
    ),
    "70000 entries": (
        lambda: zipped({f"a/data/{i}": b"" for i in range(70_000)}),
        "too many entries: got 70000",
    ),
    "a zip file in place of the pickle": (lambda: _nested_archives(2), "not a binary pickle"),
    "zip files in zip files": (lambda: _nested_archives(200), "not a binary pickle"),
    "no folder": (lambda: zipped({"data.pkl": EMPTY}), "a path out of the zip file"),
    "two folders": (lambda: zipped({"a/data.pkl": EMPTY, "b/data/0": b""}), "a misplaced"),
    "an absolute path": (lambda: zipped({"/a/data.pkl": EMPTY}), "a path out of the zip file"),
    "a path upwards": (lambda: zipped({"a/../../etc": b""}), "a path out of the zip file"),
    "a drive": (lambda: zipped({"c:/data.pkl": EMPTY}), "a path out of the zip file"),
    "a backslash": (lambda: zipped({"a/..\\b": b""}), "a path out of the zip file"),
    "a path of 10 kB": (lambda: zipped({"a/" + "b" * 10_000: b""}), "an odd path"),
    "a path with a bell": (lambda: zipped({"a/\a": b""}), "an odd path"),
    "a path that is not UTF-8": (
        lambda: zipped({"a/data.pkl": EMPTY}).replace(b"a/data.pkl", b"a/d\xffta.pkl"),
        "an odd path",
    ),
    "two pickles": (lambda: archive(EMPTY + EMPTY), "something behind the pickle"),
    "70000 tensors of one storage": (lambda: _many_tensors(70_000), "the file has bytes for"),
    "200000 tensors of one storage": (lambda: _many_tensors(200_000), "too many opcodes"),
    "one storage of two kinds": (
        lambda: archive(
            checkpoint(x=storage_id("0", 2), y=storage_id("0", 2, kind="torch.IntStorage")), STORAGE
        ),
        "the values of storage '0'",
    ),
    "a storage with a path": (
        lambda: archive(checkpoint(x=storage_id("../data.pkl", 2)), STORAGE),
        r"the values of storage '\.\./data\.pkl'",
    ),
}

# Streams of the older format

KEYS = pickle.dumps(["0"], 2)
WHOLE = stream(checkpoint(x=storage_id("0", 2, b"N")), STORAGE)
BEFORE_VALUES = WHOLE[:-16]


def _viewed(*offsets_and_numels: tuple[int, int]) -> bytes:
    """Return a stream whose storage is seen through views of one name."""
    views = [text("1") + number(offset) + number(numel) for offset, numel in offsets_and_numels]
    ids = {f"x{i}": storage_id("0", 2, b"(" + view + b"t") for i, view in enumerate(views)}
    return stream(checkpoint(**ids), STORAGE)


STREAMS: Cases = {
    "4 GiB of values": (lambda: BEFORE_VALUES + struct.pack("<2q", 2**30, 0), "wrong length"),
    "-1 values": (lambda: BEFORE_VALUES + struct.pack("<2q", -1, 0), "wrong length"),
    "values that end early": (lambda: BEFORE_VALUES + struct.pack("<ql", 2, 0), "too early"),
    "no values": (lambda: WHOLE.replace(KEYS, b"\x80\x02].")[:-16], "1 storages without values"),
    "values of nothing": (
        lambda: WHOLE.replace(KEYS, pickle.dumps(["0", "1"], 2)),
        "not the key of a storage",
    ),
    "a key twice": (
        lambda: WHOLE.replace(KEYS, pickle.dumps(["0", "0"], 2)) + WHOLE[-16:],
        "not the key of a storage",
    ),
    "keys that are no list": (
        lambda: WHOLE.replace(KEYS, pickle.dumps({"0": 1}, 2)),
        "not the key of a storage",
    ),
    "a key that is a list": (
        lambda: WHOLE.replace(KEYS, pickle.dumps([["0"]], 2)),
        "not the key of a storage",
    ),
    "bytes behind the values": (lambda: WHOLE + b"\0", "does not end with its storages"),
    "a view beyond its storage": (lambda: _viewed((1, 2)), "not a view"),
    "a view of 2**62 values": (lambda: _viewed((0, 2**62)), "not a view"),
    "a view before its storage": (lambda: _viewed((-1, 1)), "not a view"),
    "a view of two things": (lambda: _viewed((0, 1), (1, 1)), "not a view"),
    "a storage described twice": (
        lambda: stream(checkpoint(x=storage_id("0", 2, b"N"), y=storage_id("0", 3, b"N")), STORAGE),
        "described twice",
    ),
    "another protocol": (lambda: WHOLE.replace(b"M\xe9\x03", b"M\xea\x03"), "protocol 1002"),
    "a stream in a stream": (lambda: stream(EMPTY + WHOLE), "not the key of a storage"),
}


def _in_stream(make: Callable[[], bytes]) -> bytes:
    content = make().replace(b"tQ", b"NtQ")  # a persistent id has one part more there
    return stream(content, STORAGE if text("storage") in content else {})


def _contained(make: Callable[[], bytes], reason: str) -> dict[str, Callable[[], bytes]]:
    """Return a pickle in both containers; in one, where the whole budget is spent on it (a second)."""
    in_zip = {"zip": lambda: archive(make(), STORAGE)}
    return in_zip if "too many" in reason else in_zip | {"stream": lambda: _in_stream(make)}


BOMBS: Cases = {f"zip: {name}": case for name, case in ARCHIVES.items()}
BOMBS |= {f"stream: {name}": case for name, case in STREAMS.items()}
for _name, (_make, _reason) in PICKLES.items():
    for _kind, _container in _contained(_make, _reason).items():
        BOMBS[f"{_kind}: {_name}"] = _container, _reason


@pytest.fixture(scope="module")
def bombs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    files = {name: make() for name, (make, _) in BOMBS.items()}
    return read_all(tmp_path_factory.mktemp("bombs"), files)


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_in_seconds(bombs: dict[str, Any], name: str) -> None:
    outcome, seconds, seen = bombs["outcomes"][name]
    assert outcome.startswith("refused")
    assert re.search(BOMBS[name][1], outcome)
    assert seen == []
    assert seconds < 5  # of processor time


def test_bombs_take_no_memory(bombs: dict[str, Any]) -> None:
    """Nor could they: the address space may grow by 400 MiB, the files themselves, mapped, have 60 MB."""
    assert bombs["peak_kib"] < 250 * 2**10


def test_the_limit_of_memory_is_real(tmp_path: Path) -> None:
    """Python's own reader, asked for 1 GiB by a file of 40 bytes, does not get it."""
    greedy = {"greedy": checkpoint(x=called("builtins.bytearray", number(2**30)))}
    outcome, _, _ = read_all(tmp_path, greedy, "--unpickle")["outcomes"]["greedy"]
    assert outcome == "escaped: MemoryError()"
