"""A user's own pictures, from a folder or a tar, at the size that the networks take."""

import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import torch
from jaxtyping import UInt8
from torch import Tensor

from tedigan.errors import DataError, ImageError
from tedigan.store import pictures
from tedigan.store.disk_errors import reading
from tedigan.store.files import read_bytes

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def read_photographs(
    path: Path, size_px: int, *, limit: int
) -> tuple[list[str], UInt8[Tensor, "n 3 r r"]]:
    """(names without suffix, pixels) of the first `limit` pictures, by name.

    They should be aligned like the generator's training faces. The first damaged picture is an
    ImageError: a photograph that somebody named is not skipped in silence.
    """
    names: list[str] = []
    tensors: list[Tensor] = []
    for name, content in _files(path):
        if len(names) == limit:
            break
        names.append(PurePosixPath(name).stem)
        tensors.append(pictures.resize(pictures.decode(content, name=name), size_px))
    if not names:
        raise DataError(
            f"{path} holds no picture ({', '.join(sorted(SUFFIXES))}); expected a folder or a .tar of "
            "aligned faces. Set manipulate.photographs to one, or to `test`."
        )
    if len(set(names)) < len(names):
        raise DataError(f"{path} holds two pictures of one name; expected each once. Rename one.")
    return names, torch.stack(tensors)


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        with reading(path):
            files = sorted(path.iterdir())
        for file in files:
            if file.suffix.lower() in SUFFIXES:
                yield file.name, read_bytes(file)
    elif path.is_file() and tarfile.is_tarfile(path):
        with tarfile.open(path) as tar:
            for member in sorted(tar.getmembers(), key=lambda member: member.name):
                stream = tar.extractfile(member) if member.isfile() else None
                if stream is not None and PurePosixPath(member.name).suffix.lower() in SUFFIXES:
                    yield member.name, stream.read()
    elif path.exists():
        raise ImageError(f"{path} is neither a folder nor a .tar. Give one of them.")
    else:
        raise DataError(f"{path} does not exist. Set manipulate.photographs to a folder or a .tar.")
