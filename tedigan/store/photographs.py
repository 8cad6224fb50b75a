"""A user's own pictures, from a folder or a tar, at the size that the networks take."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import torch
from jaxtyping import UInt8
from torch import Tensor

from tedigan.errors import DataError
from tedigan.store import pictures
from tedigan.store.addresses import open_shelves
from tedigan.store.listing import LeftOut
from tedigan.store.pictures import SUFFIXES
from tedigan.store.shelves import Shelf


@dataclass(frozen=True)
class Photographs:
    """names: without folders and suffix. left_out: pictures that cannot be used, and links and the like."""

    names: list[str]
    pixels: UInt8[Tensor, "n 3 r r"]
    left_out: list[LeftOut]

    @property
    def stems_left_out(self) -> set[str]:
        """What those that are left out would be called."""
        return {PurePosixPath(one.name).stem for one in self.left_out}


def read_photographs(path: Path, size_px: int, *, limit: int) -> Photographs:
    """The first `limit` pictures that can be read, by name; what cannot is left out by name, and stops no other.

    They should be aligned like the generator's training faces. A DataError where there is none.
    """
    if not path.exists():
        raise DataError(f"{path} does not exist. Set manipulate.photographs to a folder or a .tar.")
    shelves = open_shelves(str(path), cache=path, alone=SUFFIXES)
    left_out = [one for shelf in shelves for one in shelf.left_out() if one.is_fault]
    found: dict[str, Tensor] = {}
    for shelf, name in _pictures_of(shelves):
        if len(found) == limit:
            break
        try:
            stem = _new_name(name, found)
            found[stem] = pictures.resize(pictures.decode(shelf.read(name), name=name), size_px)
        except DataError as error:
            left_out.append(LeftOut(name, error.problem, str(error)))
    if not found:
        first = f" The first of {len(left_out)}: {left_out[0].reason}" if left_out else ""
        raise DataError(
            f"{path} holds no picture that can be used ({', '.join(sorted(SUFFIXES))}); expected a folder or a "
            f".tar of aligned faces. Set manipulate.photographs to one, or to `test`.{first}"
        )
    return Photographs([*found], torch.stack([*found.values()]), left_out)


def _pictures_of(shelves: list[Shelf]) -> Iterator[tuple[Shelf, str]]:
    """Those of all shelves, by name."""
    every = [(name, number) for number, shelf in enumerate(shelves) for name in shelf.names()]
    for name, number in sorted(every):
        if PurePosixPath(name).suffix.lower() in SUFFIXES:
            yield shelves[number], name


def _new_name(name: str, taken: dict[str, Tensor]) -> str:
    stem = PurePosixPath(name).stem
    if stem in taken:
        raise DataError(
            f"{name} has a name that an earlier picture has, {stem}; expected each once. Rename one.",
            problem="twice",
        )
    return stem
