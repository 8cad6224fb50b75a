"""The data set folder in the MM-CelebA-HQ layout: written once, then read by every other stage.

    dataset.json            what it is: resolution, counts, formats, licence
    index.csv               id, split, identity, source_name
    attributes.txt          official CelebAMask-HQ layout
    quarantine.csv          name, reason: records that were set aside
    train.txt val.txt test.txt      names of the photographs
    image text sketch label         a folder or a .tar each, members {id}.png or {id}.txt

Label maps are grey PNGs of class indices.
"""

import csv
import io
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from jaxtyping import Bool, Int64, UInt8
from torch import Tensor

from tedigan.errors import DataError
from tedigan.store.files import write_json, write_text
from tedigan.store.pictures import decode, decode_map
from tedigan.store.shelves import FolderShelf, FolderWriter, Shelf, TarShelf, TarWriter

SPLITS = ("train", "val", "test")
MAX_KEPT_BYTES = 2 * 2**30
_NUM_READERS = 4
_INDEX_COLUMNS = ["id", "split", "identity", "source_name"]


@dataclass(frozen=True)
class Entry:
    """One line of index.csv."""

    id: int
    split: str
    identity: int
    source_name: str


class DatasetWriter:
    """Writes the files of records as they come; `finish` writes the tables."""

    def __init__(self, folder: Path, *, packing: str, image_format: str, has_labels: bool) -> None:
        kinds = ["image", "text", "sketch", *(["label"] if has_labels else [])]
        writer = TarWriter if packing == "tar" else FolderWriter
        self._folder = folder
        self._image_format = image_format
        self._writers = {kind: writer(folder, kind) for kind in kinds}

    def __enter__(self) -> "DatasetWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for writer in self._writers.values():
            writer.close()

    def add(self, id: int, *, image: bytes, text: str, sketch: bytes, label: bytes | None) -> None:
        """Write one record's files."""
        self._writers["image"].add(f"{id}.{self._image_format}", image)
        self._writers["text"].add(f"{id}.txt", text.encode())
        self._writers["sketch"].add(f"{id}.png", sketch)
        if label is not None:
            self._writers["label"].add(f"{id}.png", label)

    def finish(
        self,
        entries: Sequence[Entry],
        *,
        attributes: str,
        quarantine: Sequence[tuple[str, str]],
        description: dict[str, Any],
    ) -> None:
        """Write the tables. `description` goes into dataset.json with the counts added."""
        names = {entry.id: f"{entry.id}.{self._image_format}" for entry in entries}
        counts = {}
        for split in SPLITS:
            of_split = [names[entry.id] for entry in entries if entry.split == split]
            counts[split] = len(of_split)
            write_text(self._folder / f"{split}.txt", "".join(f"{name}\n" for name in of_split))
        rows = [[entry.id, entry.split, entry.identity, entry.source_name] for entry in entries]
        write_text(self._folder / "index.csv", _csv(_INDEX_COLUMNS, rows))
        write_text(self._folder / "quarantine.csv", _csv(["name", "reason"], quarantine))
        write_text(self._folder / "attributes.txt", attributes)
        numbers = {"num_images": len(entries), "num_per_split": counts}
        write_json(self._folder / "dataset.json", description | numbers)


class Dataset:
    """A finished data set; pictures are decoded on demand, and kept if all of them fit in 2 GiB.

    description: what dataset.json holds.
    """

    def __init__(self, folder: Path, description: dict[str, Any], entries: list[Entry]) -> None:
        self.folder = folder
        self.description = description
        self.licence: str = description["licence"]
        self.resolution: int = description["resolution"]
        self.has_labels: bool = description["has_labels"]
        self.attribute_names: list[str] = description["attribute_names"]
        self.ids = [entry.id for entry in entries]
        self._entries = entries
        self._image_format: str = description["image_format"]
        self._packing: str = description["packing"]
        self._rows = {id: row for row, id in enumerate(self.ids)}
        self._attributes = _read_attributes(folder / "attributes.txt", self.ids)
        self._identities = torch.tensor([entry.identity for entry in entries], dtype=torch.int64)
        self._shelves: dict[str, Shelf] = {}
        self._kept: dict[str, tuple[Tensor, Bool[Tensor, " n"]]] = {}

    @classmethod
    def open(cls, folder: Path) -> "Dataset":
        """Open a data set folder; DataError if it is absent or anything of it is missing."""
        try:
            description = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
            with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
                entries = [
                    Entry(int(row["id"]), row["split"], int(row["identity"]), row["source_name"])
                    for row in csv.DictReader(file)
                ]
            dataset = cls(folder, description, entries)
        except (OSError, ValueError, KeyError) as error:
            raise DataError(
                f"{folder} is not a finished data set: {type(error).__name__} {error}. "
                "Make it with `tedigan dataset`."
            ) from error
        dataset._check_complete(description["num_images"])
        return dataset

    def split(self, name: str) -> list[int]:
        """The ids of train, val or test, in index order."""
        if name not in SPLITS:
            raise DataError(f"there is no split {name!r}; expected one of {', '.join(SPLITS)}.")
        return [entry.id for entry in self._entries if entry.split == name]

    def pixels(self, ids: Sequence[int]) -> UInt8[Tensor, "n 3 h w"]:
        """The photographs."""
        side = self.resolution
        return self._pictures("image", self._image_format, ids, (3, side, side), decode)

    def sketches(self, ids: Sequence[int]) -> UInt8[Tensor, "n 1 h w"]:
        """The sketches: 255 is paper, 0 is ink."""
        side = self.resolution
        return self._pictures("sketch", "png", ids, (side, side), decode_map)[:, None]

    def labels(self, ids: Sequence[int]) -> UInt8[Tensor, "n h w"]:
        """The label maps, as indices of the 19 classes."""
        if not self.has_labels:
            raise DataError(
                f"{self.folder} has no label maps; its source had none. Use one that has."
            )
        return self._pictures("label", "png", ids, (self.resolution, self.resolution), decode_map)

    def captions(self, id: int) -> list[str]:
        """The captions of one photograph."""
        self._rows_of([id])
        return self._shelf("text").read(f"text/{id}.txt").decode().splitlines()

    def attributes(self, ids: Sequence[int]) -> Bool[Tensor, "n 40"]:
        """The 40 attributes, columns as in `attribute_names`."""
        return self._attributes[self._rows_of(ids)]

    def identities(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """Who it is; where the source does not say, every photograph is a person of its own."""
        return self._identities[self._rows_of(ids)]

    def _rows_of(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        try:
            return torch.tensor([self._rows[id] for id in ids], dtype=torch.int64)
        except KeyError as error:
            raise DataError(
                f"{self.folder} has no photograph {error}; its ids are {self.ids[0]} to "
                f"{self.ids[-1]} (see index.csv)."
            ) from None

    def _shelf(self, kind: str) -> Shelf:
        if self._packing == "folder":
            return FolderShelf(self.folder)
        if kind not in self._shelves:
            self._shelves[kind] = TarShelf(self.folder / f"{kind}.tar")
        return self._shelves[kind]

    def _pictures(
        self,
        kind: str,
        suffix: str,
        ids: Sequence[int],
        shape: tuple[int, ...],
        decoder: Callable[..., Tensor],
    ) -> Tensor:
        """Pictures of one kind, from memory where they are kept."""
        rows = self._rows_of(ids)
        num_bytes = len(self.ids) * torch.Size(shape).numel()
        if num_bytes > MAX_KEPT_BYTES:
            return self._read(kind, suffix, list(ids), shape, decoder)
        if kind not in self._kept:
            kept = torch.empty((len(self.ids), *shape), dtype=torch.uint8)
            self._kept[kind] = kept, torch.zeros(len(self.ids), dtype=torch.bool)
        kept, is_kept = self._kept[kind]
        missing = rows[~is_kept[rows]].unique()
        if len(missing):
            wanted = [self.ids[row] for row in missing.tolist()]
            kept[missing] = self._read(kind, suffix, wanted, shape, decoder)
            is_kept[missing] = True
        return kept[rows]

    def _read(
        self,
        kind: str,
        suffix: str,
        ids: list[int],
        shape: tuple[int, ...],
        decoder: Callable[..., Tensor],
    ) -> Tensor:
        """Decode pictures with a few threads."""
        shelf = self._shelf(kind)
        pictures = torch.empty((len(ids), *shape), dtype=torch.uint8)

        def read(place: int) -> None:
            name = f"{kind}/{ids[place]}.{suffix}"
            picture = decoder(shelf.read(name), name=name)
            if picture.shape != shape:
                raise DataError(
                    f"{self.folder / name} is {tuple(picture.shape)}, expected {shape}; it was "
                    "replaced. Make the data set again."
                )
            pictures[place] = picture

        if len(ids) < 8:
            list(map(read, range(len(ids))))
        else:
            with ThreadPoolExecutor(_NUM_READERS) as pool:
                list(pool.map(read, range(len(ids))))
        return pictures

    def _check_complete(self, num_images: int) -> None:
        """Every id has each of its files."""
        if len(self.ids) != num_images:
            raise DataError(
                f"{self.folder}: index.csv has {len(self.ids)} rows, dataset.json announces "
                f"{num_images}. Make the data set again."
            )
        suffixes = {"image": self._image_format, "text": "txt", "sketch": "png"}
        if self.has_labels:
            suffixes["label"] = "png"
        names = {name for kind in suffixes for name in self._names(kind)}
        for kind, suffix in suffixes.items():
            for id in self.ids:
                if f"{kind}/{id}.{suffix}" not in names:
                    raise DataError(
                        f"{self.folder} lacks {kind}/{id}.{suffix}; it is incomplete. "
                        "Make the data set again, or `dvc checkout` it."
                    )

    def _names(self, kind: str) -> set[str]:
        if self._packing == "tar":
            return set(self._shelf(kind).names())
        folder = self.folder / kind
        return {f"{kind}/{item.name}" for item in folder.iterdir()} if folder.is_dir() else set()


def _csv(columns: list[str], rows: Sequence[Sequence[object]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return buffer.getvalue()


def _read_attributes(path: Path, ids: Sequence[int]) -> Bool[Tensor, "n 40"]:
    """The rows of our own attributes.txt, which are in index order."""
    lines = path.read_text(encoding="utf-8").splitlines()[2:]
    if len(lines) != len(ids):
        raise ValueError(f"attributes.txt has {len(lines)} rows for {len(ids)} photographs")
    values = [[value == "1" for value in line.split()[1:]] for line in lines]
    return torch.tensor(values, dtype=torch.bool).reshape(len(lines), 40)
