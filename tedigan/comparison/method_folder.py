"""A method's pictures: a folder whose files are named by the prompt.

    00012.png         the face of prompt 12
    00012-1.png ...   further faces of it, for the variety within a sentence

PNG, JPEG or WebP; of any size, squares. Whoever made them need know no more than the list of prompts.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

from tedigan.errors import DataError
from tedigan.store import pictures
from tedigan.store.pictures import SUFFIXES

NAME = re.compile(r"(\d+)(?:-(\d+))?")
SHOWN = 5  # names in a message


@dataclass(frozen=True)
class MethodFolder:
    """places: (prompt, face) -> file."""

    name: str
    places: dict[tuple[int, int], Path]
    size_px: int

    @classmethod
    def open(cls, name: str, folder: Path, *, num_prompts: int, size_px: int) -> "MethodFolder":
        """DataError where a prompt has no picture, a picture no prompt, or two files one place."""
        if not folder.is_dir():
            raise DataError(
                f"{name}: {folder} is no folder; expected one of pictures named by prompt."
            )
        places: dict[tuple[int, int], Path] = {}
        strange = []
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() not in SUFFIXES:
                continue
            found = NAME.fullmatch(path.stem)
            place = (int(found[1]), int(found[2] or 0)) if found else (num_prompts, 0)
            if place[0] >= num_prompts or place in places:
                strange.append(path.name)
            places[place] = path
        missing = [number for number in range(num_prompts) if (number, 0) not in places]
        if strange or missing:
            raise DataError(_wrong(name, folder, strange, missing, num_prompts))
        return cls(name, places, size_px)

    def faces(self, batch_size: int) -> Iterator[UInt8[Tensor, "n 3 r r"]]:
        """The first face of each prompt, in order, some at a time."""
        numbers = sorted(number for number, face in self.places if face == 0)
        for start in range(0, len(numbers), batch_size):
            yield self._pixels([(number, 0) for number in numbers[start : start + batch_size]])

    def face(self, prompt: int) -> UInt8[Tensor, "3 r r"]:
        """The first face of one prompt."""
        return self._pixels([(prompt, 0)])[0]

    def variants(self, prompts: int, faces: int) -> UInt8[Tensor, "p f 3 r r"] | None:
        """Several faces of the first prompts; None where one of them is not there."""
        wanted = [(prompt, face) for prompt in range(prompts) for face in range(faces)]
        if any(place not in self.places for place in wanted):
            return None
        return self._pixels(wanted).unflatten(0, (prompts, faces))

    def _pixels(self, places: Sequence[tuple[int, int]]) -> UInt8[Tensor, "n 3 r r"]:
        return torch.stack(
            [pictures.resize(pictures.load(self.places[one]), self.size_px) for one in places]
        )


def picture_name(prompt: int, face: int = 0, *, suffix: str = ".png") -> str:
    """As `MethodFolder.open` expects it."""
    return f"{prompt:05d}{f'-{face}' if face else ''}{suffix}"


def _wrong(
    name: str, folder: Path, strange: Sequence[str], missing: Sequence[int], num_prompts: int
) -> str:
    said = []
    if missing:
        shown = ", ".join(picture_name(number) for number in missing[:SHOWN])
        said.append(f"no picture of {len(missing):,} of {num_prompts:,} prompts, such as {shown}")
    if strange:
        shown = ", ".join(strange[:SHOWN])
        said.append(
            f"{len(strange):,} pictures that are no prompt's or one's for the second time: {shown}"
        )
    return (
        f"{name}: {folder} has {'; and '.join(said)}. Expected one picture a prompt, named by its number in "
        "prompts.csv (00012.png), and further faces as 00012-1.png. Mend the folder."
    )
