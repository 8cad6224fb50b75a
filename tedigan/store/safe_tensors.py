"""safetensors files: read once, with their sha256, and not before their header was found to be what is wanted."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from tedigan.errors import WeightsError
from tedigan.store.plain_files import MAX_BYTES, open_plain, parse_json

MAX_HEADER = 2**22  # bytes; a 1024 px encoder's has 60,000
_AT_ONCE = ("F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL")

Shapes = Mapping[str, torch.Size]


def to_safetensors(tensors: Mapping[str, Tensor]) -> bytes:
    """The file of these tensors."""
    return save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})


def read_tensors(
    path: Path, check: Callable[[Shapes], None] = lambda _: None
) -> tuple[dict[str, Tensor], str]:
    """The tensors, on the CPU, and the sha256 of the file. check: raises where these are not the shapes wanted.

    Raises WeightsError for what is no regular file or no whole safetensors file.
    """
    if not path.is_symlink() and not path.exists():
        raise WeightsError(f"{path} does not exist. Run the stage that trains it, or `dvc pull`.")
    with open_plain(path, max_bytes=MAX_BYTES) as file:
        begin = _header(file, path)
        check(_shapes(begin[8:], path))
        content, digest = _rest(file, begin)
    try:
        return load(content), digest
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise _damaged(path, str(error)) from None


def _header(file: BinaryIO, path: Path) -> bytes:
    """Its length, and the JSON of that length."""
    begin = file.read(8)
    length = int.from_bytes(begin, "little")
    if len(begin) < 8 or not 2 <= length <= MAX_HEADER:
        raise _damaged(path, f"its header has {length if len(begin) == 8 else 0} bytes")
    begin += file.read(length)
    if len(begin) != 8 + length:
        raise _damaged(
            path, f"its header should have {length} bytes, and {len(begin) - 8} are there"
        )
    return begin


def _shapes(header: bytes, path: Path) -> Shapes:
    """Of each tensor, as the header says."""
    entries = parse_json(header, f"the header of {path}")
    if not isinstance(entries, dict):
        raise _damaged(path, "its header names no tensors")
    return {
        name: torch.Size(_shape(name, entry, path))
        for name, entry in entries.items()
        if name != "__metadata__"
    }


def _shape(name: str, entry: Any, path: Path) -> list[int]:
    match entry:
        case {"dtype": str(kind), "shape": [*sizes]} if kind in _AT_ONCE and len(sizes) <= 8:
            if all(type(size) is int and 0 <= size < 2**40 for size in sizes):
                return sizes
    raise _damaged(path, f"the header's entry {name[:60]!r} is no tensor of a network")


def _rest(file: BinaryIO, begin: bytes) -> tuple[bytes, str]:
    """The whole content and its sha256; beyond the header, the disk is read once."""
    file.seek(0)
    content = file.read()
    if content[: len(begin)] != begin:
        raise WeightsError(
            f"{file.name} was written while it was read. Try again when it is whole."
        )
    return content, hashlib.sha256(content).hexdigest()


def _damaged(path: Path, problem: str) -> WeightsError:
    return WeightsError(
        f"{path} is not a whole safetensors file ({problem[:200]}). Delete it and make it again."
    )
