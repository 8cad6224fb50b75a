"""torch.save's newer container: a zip file whose entries are stored as they are, in one folder.

Read strictly, because a zip file can lie: its directory and its entries say everything twice, and
readers that believe one or the other see different files. Here each entry must be uncompressed,
lie in a place of its own and agree with the directory, which must stand at the end of the file.
Entries come out as views of the mapped file; nothing is unpacked, so nothing can swell. Checksums
are not compared: torch may write none, and a model card names the sha256 of the whole file.
"""

import struct
from dataclasses import dataclass

from tedigan.foreign.pickles.cursor import Cursor
from tedigan.foreign.pickles.values import refusal, shown

MAX_ENTRIES = 20_000  # an e4e training file with its optimizers has 4 267
MAX_PATH = 512
SIGNATURE = b"PK\x03\x04"

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_IN_64 = 2**32 - 1  # says that the number stands in a 64-bit field elsewhere
_ID_64 = 1
_STORED, _ENCRYPTED = 0, 0x2041  # compression method; flags of the three kinds of encryption
_RESAVED = "Open it where it was made and write it again with torch.save."


@dataclass(frozen=True)
class _Entry:
    """An entry as the directory describes it: `start` is where its own header stands."""

    path: str
    size: int
    start: int


def read_archive(data: memoryview, *, name: str) -> dict[str, memoryview]:
    """Return the entries of a zip file under their paths inside its one folder.

    Raises WeightsError for anything that torch.save does not write: compressed, encrypted,
    overlapping, repeated or misplaced entries, paths out of the folder, more than MAX_ENTRIES.
    """
    start, end, num_entries = _find_directory(data, name)
    cursor = Cursor(data[start:end], name=name)
    entries = [_read_entry(cursor) for _ in range(num_entries)]
    if cursor.position != len(cursor.data):
        left = f"{len(cursor.data) - cursor.position} more bytes"
        raise refusal(name, "a zip directory of the wrong length", left, f"{num_entries} entries")
    contents: dict[str, memoryview] = {}
    folder = entries[0].path.partition("/")[0] if entries else ""
    free = 0
    for entry in sorted(entries, key=lambda entry: entry.start):
        content, free = _content(data[:start], entry, free, name)
        root, _, path = entry.path.partition("/")
        if root != folder or path in contents:
            got, want = shown(entry.path), f"each path once, in {shown(folder)}"
            raise refusal(name, "a misplaced or repeated entry", got, want)
        contents[path] = content
    return contents


def _find_directory(data: memoryview, name: str) -> tuple[int, int, int]:
    """Return where the directory starts and ends, and how many entries it has."""
    end = len(data) - _END.size
    if end < 0 or bytes(data[end : end + 4]) != b"PK\x05\x06":
        want = "a zip file's directory there; the download is probably incomplete"
        raise refusal(name, "the file has no end", f"{len(data)} bytes", want)
    _, *disks, num_entries, size, start, comment = _END.unpack_from(data, end)
    locator = end - _LOCATOR_64.size
    if locator >= 0 and bytes(data[locator : locator + 4]) == b"PK\x06\x07":
        end = locator - _END_64.size
        if end < 0 or bytes(data[end : end + 4]) != b"PK\x06\x06":
            raise refusal(name, "a damaged zip directory", "no 64-bit record", "one at the end")
        short = [num_entries, size, start]
        *_, disk, first, here, num_entries, size, start = _END_64.unpack_from(data, end)
        disks = [disk, first, here]
        if short != [min(num_entries, 2**16 - 1), min(size, _IN_64), min(start, _IN_64)]:
            got = f"{short} and {[num_entries, size, start]}"
            raise refusal(name, "a zip directory described twice", got, "the same numbers")
    if disks != [0, 0, num_entries] or comment or start + size != end:
        got = f"{num_entries} entries, {size} bytes at {start}"
        raise refusal(name, "a damaged zip directory", got, f"one that ends at byte {end}")
    if num_entries > MAX_ENTRIES:
        raise refusal(name, "too many entries", str(num_entries), f"at most {MAX_ENTRIES}")
    return start, end, num_entries


def _read_entry(cursor: Cursor) -> _Entry:
    """Read one record of the directory."""
    fields = _CENTRAL.unpack(cursor.take_bytes(_CENTRAL.size))
    signature, _, _, flags, method, *_, packed, size = fields[:10]
    len_path, len_extra, len_comment, disk, _, _, start = fields[10:]
    path = _path(cursor, len_path)
    extra = cursor.take_bytes(len_extra)
    cursor.take_bytes(len_comment)
    if signature != b"PK\x01\x02" or disk:
        raise cursor.refuse("a damaged zip directory", shown(path), "an entry of this file")
    if _IN_64 in (size, packed, start):
        size, packed, start = _in_64_bits(cursor, extra, size, packed, start)
    if method != _STORED or flags & _ENCRYPTED or packed != size:
        got = f"{shown(path)} with method {method}, flags {flags:#x}, {packed} bytes for {size}"
        want = "an entry that is neither compressed nor encrypted"
        raise refusal(cursor.name, "torch.save did not write this zip file", got, want, _RESAVED)
    return _Entry(path, size, start)


def _path(cursor: Cursor, length: int) -> str:
    """Read the path of an entry: one that stays in its folder on every system."""
    raw = bytes(cursor.take_bytes(length))
    path = str(raw, "utf-8", "replace")
    parts = path.split("/")
    if length > MAX_PATH or path.encode("utf-8") != raw or not path.isprintable():
        raise cursor.refuse("an odd path in the zip file", shown(path), "short, printable UTF-8")
    if len(parts) < 2 or {"", ".", ".."} & set(parts) or "\\" in path or parts[0].endswith(":"):
        raise cursor.refuse("a path out of the zip file", shown(path), "folder/name")
    return path


def _in_64_bits(cursor: Cursor, extra: memoryview, *numbers: int) -> list[int]:
    """Return an entry's numbers, those that did not fit replaced from its extra fields."""
    fields = Cursor(extra, name=cursor.name)
    while fields.position < len(extra):
        kind, length = fields.take(2), fields.take(2)
        field = Cursor(fields.take_bytes(length), name=cursor.name)
        if kind == _ID_64:
            return [field.take(8) if number == _IN_64 else number for number in numbers]
    raise cursor.refuse("no 64-bit numbers of an entry", f"{len(extra)} bytes", "a field of them")


def _content(data: memoryview, entry: _Entry, free: int, name: str) -> tuple[memoryview, int]:
    """Return an entry's bytes and where they end; its own header must agree with the directory.

    data: what stands before the directory. free: where the entry before this one ends.
    """
    cursor = Cursor(data, name=name)
    cursor.position = entry.start
    if entry.start < free:
        got = f"{shown(entry.path)} at byte {entry.start}"
        raise refusal(name, "overlapping entries", got, f"one that starts from {free}")
    header = _LOCAL.unpack(cursor.take_bytes(_LOCAL.size))
    signature, _, flags, method = header[:4]
    len_path, len_extra = header[-2:]
    path = cursor.take_bytes(len_path)
    cursor.take_bytes(len_extra)
    is_agreed = signature == SIGNATURE and path == entry.path.encode("utf-8")
    if not is_agreed or method != _STORED or flags & _ENCRYPTED:
        got = f"{shown(str(path[:60], 'latin1'))} with method {method}, flags {flags:#x}"
        want = f"{shown(entry.path)}, stored"
        raise cursor.refuse("an entry that its directory describes otherwise", got, want)
    return cursor.take_bytes(entry.size), cursor.position
