"""Which training photograph is a picture nearest to, and is it nearer than strangers are?

Faces are aligned, so a copy lies pixel on pixel: pictures of 16 x 16 px without their mean are compared by the
cosine, each as it is and mirrored. Too near is what 1 in 100 photographs that the generator never saw are to the
nearest one that it saw. `python -m benchmarks.checks copies` says what that finds.

    training.safetensors   thumbnails: uint8 [n, 3, 16, 16]
    config.json            names: of their files; limit: the cosine
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.errors import DataError
from tedigan.progress import progress
from tedigan.store.files import read_json, write_json
from tedigan.store.model_folders import load_tensors, save_tensors

SIDE = 16
STRANGERS = 0.99  # the quantile of their similarities that is the limit
MIN_STRANGERS = 100
_AT_ONCE = 256
_TENSORS, _CONFIG = "training.safetensors", "config.json"


@dataclass(frozen=True)
class TrainingPhotographs:
    """directions: of thumbnails, each of length 1. limit: the cosine above which a picture is too near."""

    names: Sequence[str]
    directions: Float[Tensor, "n d"]
    limit: float

    @classmethod
    def load(cls, folder: Path) -> "TrainingPhotographs":
        """Of a folder that `write_training_photographs` wrote."""
        config = read_json(folder / _CONFIG)
        thumbnails = load_tensors(folder / _TENSORS)["thumbnails"]
        return cls(config["names"], directions_of(thumbnails), float(config["limit"]))

    @classmethod
    def of(cls, dataset: Dataset) -> tuple["TrainingPhotographs", UInt8[Tensor, "n 3 16 16"]]:
        """Those of a data set, with the limit that its val split sets; and their thumbnails.

        Fewer than MIN_STRANGERS photographs in val are a DataError.
        """
        strangers = dataset.split("val")
        if len(strangers) < MIN_STRANGERS:
            raise DataError(
                f"the val split has {len(strangers)} photographs, expected at least {MIN_STRANGERS}, which say "
                "how near strangers are. Name a larger data set, or do without this check."
            )
        train = dataset.split("train")
        thumbnails = _thumbnails(dataset, train)
        photographs = cls([str(id) for id in train], directions_of(thumbnails), 1.0)
        near = [photographs._nearest(p)[0] for p in _thumbnails(dataset, strangers).split(_AT_ONCE)]
        limit = torch.cat(near).quantile(STRANGERS).item()
        return replace(photographs, limit=round(limit, 4)), thumbnails

    def share_too_near(self, pixels: UInt8[Tensor, "m 3 r r"]) -> float:
        """Of pictures: those beyond the limit, which 1 in 100 strangers are."""
        near = [self._nearest(thumbnails_of(part))[0] for part in pixels.split(_AT_ONCE)]
        return float((torch.cat(near) > self.limit).double().mean())

    def nearest(self, pixels: UInt8[Tensor, "m 3 r r"]) -> list[tuple[str, float]]:
        """For each picture the name of the photograph that it is most like, and the cosine."""
        cosines, rows = self._nearest(thumbnails_of(pixels))
        return [
            (self.names[row], round(cosine, 4))
            for cosine, row in zip(cosines.tolist(), rows.tolist(), strict=True)
        ]

    def _nearest(self, thumbnails: Tensor) -> tuple[Tensor, Tensor]:
        both = torch.stack([thumbnails, thumbnails.flip(3)])
        found = directions_of(both.flatten(0, 1)) @ self.directions.T
        best = found.unflatten(0, (2, len(thumbnails))).amax(dim=0).max(dim=1)
        return best.values, best.indices


def write_training_photographs(dataset: Dataset, folder: Path) -> None:
    """What a job needs of a data set: its training photographs, and how near strangers are to them.

    A data set with fewer than MIN_STRANGERS photographs in val is a DataError.
    """
    photographs, thumbnails = TrainingPhotographs.of(dataset)
    save_tensors(folder / _TENSORS, {"thumbnails": thumbnails})
    write_json(folder / _CONFIG, {"names": photographs.names, "limit": photographs.limit})


def thumbnails_of(pixels: UInt8[Tensor, "n 3 h w"]) -> UInt8[Tensor, "n 3 16 16"]:
    """Means over areas."""
    small = F.interpolate(pixels.float(), (SIDE, SIDE), mode="area")
    return small.round().to(torch.uint8)


def directions_of(thumbnails: UInt8[Tensor, "n 3 16 16"]) -> Float[Tensor, "n d"]:
    """Without their mean, and of length 1."""
    flat = thumbnails.float().flatten(1)
    return F.normalize(flat - flat.mean(dim=1, keepdim=True), dim=1)


def _thumbnails(dataset: Dataset, ids: Sequence[int]) -> Tensor:
    parts = [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]
    bar = progress(parts, desc="training photographs", unit="batch")
    return torch.cat([thumbnails_of(dataset.pixels(part)) for part in bar])
