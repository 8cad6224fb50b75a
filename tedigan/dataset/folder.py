"""The data set folder: written once, then read by every other stage, any record by its offset.

    dataset.json            what it is: kinds, origin of each, resolution, counts, shards, licence
    index.parquet           one row a record (tedigan.dataset.index)
    quarantine.csv          name, problem, reason: records that were set aside, and entries of no record
    noted.csv               name, note: what is unusual about records that are in it
    grammar.yaml            by which captions were written, or can be read; where there are captions
    shards/all-{nnnnn}.tar  the files of records (tedigan.store.shards), by range of ids
    examples.png            the first records, for people; the page about it lies beside the folder

Kinds are image, text (one caption a line), sketch (grey PNG: 255 is paper, 0 is ink), label (grey PNG
of class indices) and cutout (PNG with transparency); a data set has an image and any of the others.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Int64, UInt8
from torch import Tensor

from tedigan.dataset.index import Index, Row, check_ids, write_index
from tedigan.dataset.splits import HALVES, SPLITS, halves
from tedigan.errors import DataError
from tedigan.store.files import write_json
from tedigan.store.listing import QUARANTINE
from tedigan.store.pictures import decode, decode_cutout, decode_map
from tedigan.store.shards import Shard, read_span
from tedigan.store.tables import write_table

KINDS = ("image", "text", "sketch", "label", "cutout")
KNOWN, UNKNOWN, GROUPED = (
    "of the source",
    "unknown: each photograph counts as a person of its own",
    "unknown: photographs are grouped by a face descriptor, which errs",
)  # who is who
MAX_KEPT_BYTES = 2 * 2**30
_NUM_READERS = 4


def shard_name(number: int) -> str:
    """The name of a shard in its data set's folder."""
    return f"shards/all-{number:05d}.tar"


def write_tables(
    folder: Path,
    rows: Sequence[Row],
    *,
    shards: Mapping[int, Shard],
    quarantine: Sequence[tuple[str, str, str]],
    noted: Sequence[tuple[str, str]] = (),
    description: Mapping[str, Any],
) -> None:
    """Write dataset.json, index.parquet, quarantine.csv and noted.csv beside the shards, which are there already.

    description: what dataset.json says beside counts and shards; `kinds` is kind -> suffix.
    """
    write_index(
        folder / "index.parquet",
        rows,
        attribute_names=description["attribute_names"],
        kinds=list(description["kinds"]),
        shards=shards,
    )
    write_table(folder / "quarantine.csv", QUARANTINE, quarantine)
    write_table(folder / "noted.csv", ("name", "note"), noted)
    splits = [row.split for row in rows]
    counts = {
        "num_images": len(rows),
        "num_per_split": {name: splits.count(name) for name in SPLITS},
        "shards": [
            {
                "name": shard_name(number),
                "num_bytes": shard.num_bytes,
                "num_records": len(shard.spans),
                "sha256": shard.sha256,
            }
            for number, shard in sorted(shards.items())
        ],
    }
    write_json(folder / "dataset.json", {**description, **counts})


class Dataset:
    """A finished data set; pictures are decoded on demand, and kept if all of them fit in 2 GiB.

    description: what dataset.json holds. kinds: kind -> suffix of its files.
    """

    def __init__(self, folder: Path, description: dict[str, Any], index: Index) -> None:
        self.folder = folder
        self.description = description
        self.index = index
        self.licence: str = description["licence"]
        self.resolution: int = description["resolution"]
        suffixes: dict[str, str] = description["kinds"]
        self.kinds = {kind: suffixes[kind] for kind in KINDS if kind in suffixes}
        self.attribute_names: list[str] = description["attribute_names"]
        self.ids = index.ids
        self._rows = {id: row for row, id in enumerate(self.ids)}
        self._attributes = torch.from_numpy(index.attributes)
        self._identities = torch.tensor(index.identities)
        self._kept: dict[str, tuple[Tensor, Bool[Tensor, " n"]]] = {}

    @classmethod
    def open(cls, folder: Path) -> "Dataset":
        """Open a data set folder; DataError if it is absent or anything of it is missing."""
        try:
            description = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
            names = description["attribute_names"]
            index = Index.read(folder / "index.parquet", attribute_names=names)
            dataset = cls(folder, description, index)
            check_ids(index.ids, description["num_images"])
            dataset._check_shards(description["shards"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{folder} is not a finished data set: {type(error).__name__} {error}. "
                "Make it with `tedigan dataset`."
            ) from error
        return dataset

    @property
    def in_words(self) -> str:
        """Its source, size and seed, for a model card."""
        return (
            f"{self.description['source']}, {len(self.split('train'))} training images at "
            f"{self.resolution} px (seed {self.description['seed']})"
        )

    @property
    def knows_people(self) -> bool:
        """Whether somebody said who is who."""
        return self.description.get("identities", KNOWN) == KNOWN

    @property
    def has_labels(self) -> bool:
        """Whether there are label maps."""
        return "label" in self.kinds

    def split(self, name: str) -> list[int]:
        """The ids of train, val or test, in index order."""
        if name not in SPLITS:
            raise DataError(f"there is no split {name!r}; expected one of {', '.join(SPLITS)}.")
        return [id for id, split in zip(self.ids, self.index.splits, strict=True) if split == name]

    def half(self, name: str) -> list[int]:
        """The ids of a half of train (guide, referee) or val (thresholds, reliability), in index order.

        Raises DataError for a train split of which one half would be empty.
        """
        found = [split for split, names in HALVES.items() if name in names]
        if not found:
            known = ", ".join(half for names in HALVES.values() for half in names)
            raise DataError(f"there is no half {name!r}; expected one of {known}.")
        ids = self.split(found[0])
        people = dict(zip(ids, self.identities(ids).tolist(), strict=True))
        ids = halves(people, HALVES[found[0]])[name]
        if not ids and found[0] == "train":
            raise DataError(
                f"the train split has {len(people)} photographs of {len(set(people.values()))} people, "
                "expected at least two people: the guide and the referee never learn from one and the same. "
                "Make a larger data set."
            )
        return ids

    def pixels(self, ids: Sequence[int]) -> UInt8[Tensor, "n 3 h w"]:
        """The photographs."""
        side = self.resolution
        return self._pictures("image", ids, (3, side, side), decode)

    def sketches(self, ids: Sequence[int]) -> UInt8[Tensor, "n 1 h w"]:
        """The sketches: 255 is paper, 0 is ink."""
        side = self.resolution
        return self._pictures("sketch", ids, (side, side), decode_map)[:, None]

    def labels(self, ids: Sequence[int]) -> UInt8[Tensor, "n h w"]:
        """The label maps, as indices of the 19 classes."""
        return self._pictures("label", ids, (self.resolution, self.resolution), decode_map)

    def cutouts(self, ids: Sequence[int]) -> UInt8[Tensor, "n 4 h w"]:
        """The faces on nothing: red, green, blue, alpha."""
        side = self.resolution
        return self._pictures("cutout", ids, (4, side, side), decode_cutout)

    def captions(self, id: int) -> list[str]:
        """The captions of one photograph."""
        return self.read("text", id).decode().splitlines()

    def attributes(self, ids: Sequence[int]) -> Bool[Tensor, "n k"]:
        """The attributes, columns as in `attribute_names`; of CelebA 40, of unlabelled pictures none."""
        return self._attributes[self._rows_of(ids)]

    def identities(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """Who it is; where the source does not say, every photograph is a person of its own."""
        return self._identities[self._rows_of(ids)]

    def read(self, kind: str, id: int) -> bytes:
        """The file of one record as it is stored."""
        self._check_kind(kind)
        number, span = self.index.place(self._row(id), kind)
        return read_span(self.folder / shard_name(number), span)

    def _check_kind(self, kind: str) -> None:
        if kind not in self.kinds:
            what = {"label": "label maps", "text": "captions"}.get(kind, f"{kind} files")
            raise DataError(
                f"{self.folder} has no {what}; its source had none, or dataset.kinds leaves them "
                f"out. It has: {', '.join(self.kinds)}. Use one that has, or make it again."
            )

    def _row(self, id: int) -> int:
        try:
            return self._rows[id]
        except KeyError:
            raise DataError(
                f"{self.folder} has no photograph {id}; its ids are {self.ids[0]} to "
                f"{self.ids[-1]} (see index.parquet)."
            ) from None

    def _rows_of(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        return torch.tensor([self._row(id) for id in ids], dtype=torch.int64)

    def _pictures(
        self,
        kind: str,
        ids: Sequence[int],
        shape: tuple[int, ...],
        decoder: Callable[..., Tensor],
    ) -> Tensor:
        """Pictures of one kind, from memory where they are kept."""
        self._check_kind(kind)
        rows = self._rows_of(ids)
        num_bytes = len(self.ids) * torch.Size(shape).numel()
        if num_bytes > MAX_KEPT_BYTES:
            return self._read(kind, list(ids), shape, decoder)
        if kind not in self._kept:
            kept = torch.empty((len(self.ids), *shape), dtype=torch.uint8)
            self._kept[kind] = kept, torch.zeros(len(self.ids), dtype=torch.bool)
        kept, is_kept = self._kept[kind]
        missing = rows[~is_kept[rows]].unique()
        if len(missing):
            wanted = [self.ids[row] for row in missing.tolist()]
            kept[missing] = self._read(kind, wanted, shape, decoder)
            is_kept[missing] = True
        return kept[rows]

    def _read(
        self,
        kind: str,
        ids: list[int],
        shape: tuple[int, ...],
        decoder: Callable[..., Tensor],
    ) -> Tensor:
        """Decode pictures with a few threads."""
        pictures = torch.empty((len(ids), *shape), dtype=torch.uint8)

        def read(place: int) -> None:
            name = f"{kind} {ids[place]}"
            picture = decoder(self.read(kind, ids[place]), name=name)
            if picture.shape != shape:
                raise DataError(
                    f"{self.folder}: {name} is {tuple(picture.shape)}, expected {shape}; it was "
                    "replaced. Make the data set again."
                )
            pictures[place] = picture

        if len(ids) < 8:
            list(map(read, range(len(ids))))
        else:
            with ThreadPoolExecutor(_NUM_READERS) as pool:
                list(pool.map(read, range(len(ids))))
        return pictures

    def _check_shards(self, announced: Sequence[Mapping[str, Any]]) -> None:
        """Every shard is there, as long as it was; `tedigan dataset validate` compares its sha256."""
        for shard in announced:
            path = self.folder / shard["name"]
            size = path.stat().st_size if path.is_file() else None
            if size != shard["num_bytes"]:
                raise DataError(
                    f"{path} {'is absent' if size is None else f'has {size} bytes'}, expected "
                    f"{shard['num_bytes']} bytes; the data set is incomplete. Make the data set "
                    "again, or `dvc checkout` it."
                )
