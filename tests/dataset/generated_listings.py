"""Listings that nobody would think of: names, links, suffixes, dots, Unicode, duplicates; on each shelf the same.

    python -m tests.dataset.generated_listings 5000

prints how many listings have an entry that is neither used nor named, or that is both, or on which shelves differ.
"""

import io
import os
import random
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from tedigan.dataset.sources import Source, open_source
from tedigan.errors import DataError
from tedigan.store import addresses
from tedigan.store.objects import MemoryBucket
from tests.dataset.sources_made import ATTRIBUTES

SUFFIXES = [
    ".jpg",
    ".JPG",
    ".jpeg",
    ".png",
    ".PNG",
    ".webp",
    ".bmp",
    ".gif",
    ".tiff",
    ".avif",
    ".heic",
]
OTHERS = [".txt", ".zip", ".tar.gz", ".dng", ".jpg.part", "", ".", ".jpg ", ".mp4"]
STEMS = [
    "0",
    "1",
    "00001",
    "7",
    "a",
    "A",
    "b.c",
    "é",
    "e\u0301",
    "照片",
    "a b",
    "0_skin",
    "00000_skin",
    "x" * 60,
]
STEMS += ["9" * 23, "a'b", 'a"b', "a,b", "0 (copy)", "-1", "②", "a\nb"]
FOLDERS = [
    "",
    "",
    "more",
    "CelebA-HQ-img",
    "CelebA-HQ-img",
    "CelebAMask-HQ-mask-anno/0",
    "image",
    "text",
]
FOLDERS += ["sketch", "label", "__MACOSX", ".cache", "deep/deeper", "a.jpg.d", "train"]


@dataclass
class Made:
    """files: name -> content. links: name -> its text. pipes: names."""

    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    pipes: list[str] = field(default_factory=list)

    def write(self, folder: Path) -> Path:
        for name, content in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        for name, text in self.links.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(text)
        for name in self.pipes:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.mkfifo(folder / name)
        return folder

    def tar(self, path: Path) -> Path:
        with tarfile.open(path, "w") as tar:
            for name, content in self.files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
            for name, text in self.links.items():
                member = tarfile.TarInfo(name)
                member.type, member.linkname = tarfile.SYMTYPE, text
                tar.addfile(member)
            for name in self.pipes:
                member = tarfile.TarInfo(name)
                member.type = tarfile.FIFOTYPE
                tar.addfile(member)
        return path

    def bucket(self) -> MemoryBucket:
        bucket = Keys()
        bucket._objects = dict(self.files)
        return bucket


class Keys(MemoryBucket):
    """Objects of any name, as S3 has them."""

    def all_names(self) -> Iterator[str]:
        return iter(sorted(self._objects))

    def read(self, name: str) -> bytes:
        return self._objects[name]


def generated(seed: int) -> Made:
    """A listing; every other one has links and pipes, which a bucket has not."""
    chance = random.Random(seed)
    made = Made()
    if chance.random() < 0.5:
        made.files[ATTRIBUTES] = b"0\n\n"
    for _ in range(chance.randint(1, 25)):
        start = chance.choices(["", ".", "._"], [12, 1, 1])[0]
        suffix = chance.choice(SUFFIXES if chance.random() < 0.7 else OTHERS)
        name = f"{chance.choice(FOLDERS)}/{start}{chance.choice(STEMS)}{suffix}".lstrip("/")
        if name.rpartition("/")[2] not in ("", ".", ".."):
            made.files[name] = b"no picture"
    if seed % 2:
        return made
    folders = sorted({name.rpartition("/")[0] for name in made.files} - {""})
    for number in range(chance.randint(0, 6)):
        aims = ["/etc/hostname", "nowhere", ".", *made.files, *folders, f"l{number - 1}.jpg"]
        place = chance.choice(["", "links/"])
        text = chance.choice(aims)
        back = "../" if place and not text.startswith("/") else ""
        made.links[f"{place}l{number}{chance.choice(['', '.jpg'])}"] = back + text
    if chance.random() < 0.3:
        made.pipes.append("pipe.jpg")
    if chance.random() < 0.3:
        made.links["out/up.jpg"] = "../../../nothing.jpg"
    return made


def opened(uri: str, cache: Path) -> Source | str:
    try:
        with mock.patch(
            "tedigan.dataset.sources.celebamask._attributes_by_number", return_value={}
        ):
            return open_source(uri, root=Path("/"), cache=cache)
    except DataError as error:
        return str(error).replace(uri, "")


def used_by(source: Source) -> list[str]:
    used = {place.name for item in source.items.values() for place in item.places()}
    return sorted(used)


def what_is_wrong(seed: int, folder: Path) -> str:
    """ "" where every entry of a listing is used or named once, and the shelves agree."""
    made = generated(seed)
    found = {
        "folder": opened(str(made.write(folder / "f")), folder),
        "tar": opened(str(made.tar(folder / "t.tar")), folder),
    }
    if not (made.links or made.pipes):
        with mock.patch.object(addresses, "open_bucket", lambda _, found=made: found.bucket()):
            found["bucket"] = opened("s3://b", folder / "cache")
    told = {
        shelf: one
        if isinstance(one, str)
        else (used_by(one), [(out.name, out.problem) for out in one.left_out], sorted(one.items))
        for shelf, one in found.items()
    }
    if any(one != told["folder"] for one in told.values()):
        return f"shelves differ: {told}"
    source = found["folder"]
    return "" if isinstance(source, str) else _unbalanced(made, source)


def _unbalanced(made: Made, source: Source) -> str:
    lists = {name for name in made.files if name.endswith(("filenames.pickle", ATTRIBUTES))}
    named = [one.name for one in source.left_out if one.problem != "no list"]
    told = [*used_by(source), *named, *lists]
    if len(told) != len(set(told)):
        return f"told twice: {sorted(name for name in told if told.count(name) > 1)}"
    followed = {link for link in made.links if any(name.startswith(f"{link}/") for name in told)}
    there = {*made.files, *made.pipes, *made.links} - followed
    below = {name for name in told if any(name.startswith(f"{link}/") for link in followed)}
    return (
        ""
        if set(told) - below == there
        else f"not told: {there - set(told)}, not there: {set(told) - below - there}"
    )


def main(count: int) -> int:
    wrong, read, num_entries = 0, 0, 0
    for seed in range(count):
        with tempfile.TemporaryDirectory() as folder:
            if found := what_is_wrong(seed, Path(folder)):
                wrong += 1
                print(seed, found)
        made = generated(seed)
        num_entries += len(made.files) + len(made.links) + len(made.pipes)
        read += 1
    print(
        f"{read:,} listings, {num_entries:,} entries: {wrong} with an entry lost, told twice or told otherwise"
    )
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]))))
