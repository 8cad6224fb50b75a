"""Writes both containers of torch.save around pickles that torch.save would not write."""

import io
import pickle
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
SYSTEM = b"\x80\x02}X\r\x00\x00\x00little_endian\x88s."


def stream(content: bytes, storages: Mapping[str, bytes] | None = None, width: int = 4) -> bytes:
    """Return the older container: `content` is a whole pickle, a storage the bytes of its values."""
    storages = storages or {}
    keys = pickle.dumps(list(storages), 2)
    values = [struct.pack("<q", len(raw) // width) + raw for raw in storages.values()]
    return b"".join([MAGIC, b"\x80\x02M\xe9\x03.", SYSTEM, content, keys, *values])


def archive(content: bytes, storages: Mapping[str, bytes] | None = None, **options: Any) -> bytes:
    """Return the newer container; `options` are those of zipfile."""
    entries = {"data.pkl": content, "byteorder": b"little", "version": b"3\n"}
    entries |= {f"data/{key}": raw for key, raw in (storages or {}).items()}
    return zipped({f"archive/{path}": raw for path, raw in entries.items()}, **options)


def zipped(entries: Mapping[str, bytes], **options: Any) -> bytes:
    """Return a zip file, its entries stored."""
    with zipfile.ZipFile(buffer := io.BytesIO(), "w", **options) as file:
        for path, raw in entries.items():
            file.writestr(zipfile.ZipInfo(path), raw, file.compression)
    return buffer.getvalue()


CONTAINERS = {"zip": archive, "stream": stream}


def text(value: str) -> bytes:
    """Return the opcode of a text."""
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def number(value: int) -> bytes:
    """Return the opcode of a whole number of any size."""
    return pickle.dumps(value, 2)[2:-1]


def called(name: str, *args: bytes) -> bytes:
    """Return the opcodes of a call of a dotted name."""
    module, _, attribute = name.rpartition(".")
    return f"c{module}\n{attribute}\n".encode() + b"(" + b"".join(args) + b"tR"


def numbers(values: tuple[int, ...]) -> bytes:
    """Return the opcodes of a tuple of whole numbers."""
    return b"(" + b"".join(map(number, values)) + b"t"


def storage_id(key: str, numel: int, *view: bytes, kind: str = "torch.FloatStorage") -> bytes:
    """Return the opcodes of a persistent id; the stream's has one part more than the zip's."""
    module, _, name = kind.rpartition(".")
    parts = [text("storage"), f"c{module}\n{name}\n".encode(), text(key), text("cpu")]
    return b"(" + b"".join([*parts, number(numel), *view]) + b"tQ"


def tensor(storage: bytes, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> bytes:
    """Return the opcodes of a tensor."""
    rest = [number(offset), numbers(size), numbers(stride), b"\x89", b"N"]
    return called("torch._utils._rebuild_tensor_v2", storage, *rest)


def checkpoint(**values: bytes) -> bytes:
    """Return the pickle of a dict of opcodes."""
    items = b"".join(text(key) + value for key, value in values.items())
    return b"\x80\x02}(" + items + b"u."
