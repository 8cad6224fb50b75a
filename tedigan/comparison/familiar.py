"""Which training photograph is a picture nearest to, as a feature network sees it: the second eye of memorisation.

Thumbnails find a copy that lies pixel on pixel; features find one that was shifted, coloured or blurred. Features
lose the training set's mean, and are compared by the cosine.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.evaluation.feature_nets import FeatureNet
from tedigan.evaluation.training_photographs import STRANGERS
from tedigan.progress import progress
from tedigan.store import pictures
from tedigan.store.model_folders import load_tensors, save_tensors
from tedigan.tensors import to_images

MAX_STRANGERS = 1000  # of val: who says how near a stranger is
_AT_ONCE = 4096  # training photographs in one product


@dataclass(frozen=True)
class FamiliarPhotographs:
    """directions: of each training photograph, of length 1, in half precision. limit: of a copy's cosine."""

    mean: Float[Tensor, " d"]
    directions: Float[Tensor, "n d"]
    limit: float

    @classmethod
    def of(
        cls, data: Dataset, features: FeatureNet, *, size_px: int, batch_size: int
    ) -> "FamiliarPhotographs":
        """Those of the train split, with the limit that val sets: what 99 of 100 photographs stay below."""

        def seen(split: str, most: int | None = None) -> Tensor:
            ids = data.split(split)[:most]
            starts = range(0, len(ids), batch_size)
            bar = progress(starts, desc=f"features of {split}", unit="batch")
            found = []
            for start in bar:
                pixels = data.pixels(ids[start : start + batch_size])
                small = torch.stack([pictures.resize(one, size_px) for one in pixels])
                found.append(features(to_images(small)).half())
            return torch.cat(found)

        train = seen("train")
        mean = train.float().mean(dim=0)
        familiar = cls(mean, F.normalize(train.float() - mean, dim=1).half(), 1.0)
        strangers = familiar.likeness(seen("val", MAX_STRANGERS).float())
        return replace(familiar, limit=strangers.quantile(STRANGERS).item())

    def save(self, path: Path) -> None:
        """To be kept for the next protocol of the same data set."""
        flat = {
            "mean": self.mean,
            "directions": self.directions,
            "limit": torch.tensor(self.limit, dtype=torch.float64),
        }
        save_tensors(path, flat)

    @classmethod
    def load(cls, path: Path) -> "FamiliarPhotographs":
        """Of a file that `save` wrote."""
        flat = load_tensors(path)
        return cls(flat["mean"], flat["directions"], flat["limit"].item())

    def likeness(self, features: Float[Tensor, "m d"]) -> Float[Tensor, " m"]:
        """Of each picture's features the cosine with the nearest training photograph's."""
        ours = F.normalize(features - self.mean, dim=1).T
        best = [(part.float() @ ours).amax(dim=0) for part in self.directions.split(_AT_ONCE)]
        return torch.stack(best).amax(dim=0)
